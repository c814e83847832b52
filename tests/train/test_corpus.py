"""One page after another, or over processes: the same; and mixtures."""

from __future__ import annotations

import random
from collections import Counter

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.corpus import Cleaner, LanguageId, mix, mixture_weights
from llm_utils.train.dedup import MinHash, shingles

GERMAN = (
    "Die Katze schlief am Fenster, und das Kind lief in den Garten hinaus. "
    "Dort lag der rote Drachen, den es gestern verloren hatte, und es hob ihn "
    "auf und ging nach Hause, denn es wurde schon dunkel im Tal. "
)
STORIES = [s.text for s in TinyWorld("full").stories(60, seed=5)]
CLEANER = Cleaner(LanguageId({"en": " ".join(STORIES[:9]), "de": GERMAN}))


def page(text: str) -> str:
    return f"<body><nav>Home News Shop About us</nav><p>{text}</p></body>"


PAGES = [
    {"html": page(text)}
    for text in [*STORIES, GERMAN * 3, "Too short.",
                 STORIES[2][:99], STORIES[0] * 2,
                 f"{STORIES[1]} Write to mia@toys.example.com today."]
]  # fmt: skip


def test_a_page_and_the_reason_to_drop_it() -> None:
    found = [CLEANER(p) for p in PAGES]
    assert [f["why"] for f in found[-5:-1]] == [
        "language",
        "empty",
        "length",
        "5-grams",
    ]
    assert found[-1] == {
        "text": f"{STORIES[1]} Write to [email] today.",
        "why": "",
    }
    assert [f["text"] for f in found[:60]] == STORIES


def whole(example: dict) -> dict:
    """What one document needs, in one function."""
    made = CLEANER(example)
    signature = MinHash()(shingles(made["text"])).tolist()
    return {**made, "signature": signature}


@pytest.mark.parametrize("n", [None, 2])
def test_datasets_gives_what_a_loop_gives(agrees, n, tmp_path) -> None:
    loop = [whole(p) for p in PAGES]
    data = datasets.Dataset.from_list(PAGES)
    file = str(tmp_path / "made.arrow")
    made = data.map(whole, num_proc=n, cache_file_name=file)
    what = "documents cleaned by a loop, and by its map in two processes"
    agrees("datasets", what, loop, made.remove_columns("html").to_list())
    again = data.map(CLEANER, num_proc=n, cache_file_name=file + "2")
    agrees("datasets", what, [x["why"] for x in loop], list(again["why"]))


# --- mixtures ----------------------------------------------------------------


def test_weights_by_hand() -> None:
    sizes = {"web": 900, "code": 100}
    assert mixture_weights(sizes) == {"web": 0.9, "code": 0.1}
    assert mixture_weights(sizes, 0) == {"web": 0.5, "code": 0.5}
    assert mixture_weights(sizes, 0.5) == {"web": 0.75, "code": 0.25}


def test_documents_come_in_proportion() -> None:
    sources = {"web": ["w"] * 5, "code": ["c"] * 3}
    drawn = mix(sources, {"web": 0.7, "code": 0.3}, 5000, random.Random(0))
    counts = Counter(drawn)
    assert set(counts) == {("web", "w"), ("code", "c")}
    assert abs(counts["code", "c"] / 5000 - 0.3) < 0.03


@given(n=st.integers(1, 40), seed=st.integers(0, 5))
def test_no_document_twice_before_all_came_once(n, seed) -> None:
    sources = {"a": [f"a{i}" for i in range(7)], "b": ["b0", "b1", "b2"]}
    weights = {"a": 0.5, "b": 0.5}
    drawn = list(mix(sources, weights, n, random.Random(seed)))
    for name, docs in sources.items():
        mine = [doc for source, doc in drawn if source == name]
        counts = Counter(mine)
        times = [counts[doc] for doc in docs]
        assert max(times) - min(times) <= 1 and sum(times) == len(mine)
    again = list(mix(sources, weights, n, random.Random(seed)))
    assert again == drawn


def test_mixtures_that_cannot_be() -> None:
    rng = random.Random(0)
    for call, words in [
        (lambda: mixture_weights({"a": 0}), "more than 0"),
        (lambda: list(mix({"a": ["x"]}, {"b": 1}, 1, rng)), "one weight"),
        (lambda: list(mix({"a": []}, {"a": 1}, 1, rng)), "leave it out"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
