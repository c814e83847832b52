"""Each filter drops what it is named for, keeps its limit, and no more."""

from __future__ import annotations

import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.filters import (
    bullet_share,
    count_words,
    quality_filters,
    reasons,
    repeated_line_share,
    repeated_share,
    symbol_share,
    top_bigram_share,
)

FILTERS = quality_filters()
GOOD = next(TinyWorld("full").stories(1, seed=3)).text


def spoil(text: str) -> dict[str, str]:
    """For each filter, a text that it alone should drop."""
    words = text.split()
    half = words[: len(words) // 2]
    names = [f"the thing{i}" for i in range(30)]
    lines = [" ".join(words[i : i + 6]) for i in range(0, len(words), 6)]
    numbers = [str(100 + 7 * i) for i in range(60)]
    return {
        "length": " ".join(words[:40]),
        "word length": "a b c d e f g h the and " * 2 + " ".join(
            f"{a}{b}" for a in "pqrstuvw" for b in "xyzklmn"
        ),
        "symbols": " ".join(w + ("#" if i % 5 == 0 else "")
                            for i, w in enumerate(words)),
        "bullets": "\n".join(f"- {line}" for line in lines),
        "ellipses": "\n".join(
            line + ("..." if i % 2 == 0 else "") for i, line in enumerate(lines)
        ),
        "letters": " ".join(w for pair in zip(half, numbers, strict=False)
                            for w in pair),
        "stop words": " ".join(names),
        "placeholder": f"Lorem ipsum dolor. {text}",
        "lines": "\n".join(f"{line}\nRain." for line in lines),
        "bigram": " ".join(f"the{i} to that buy cheap" if i < 3 else
                           f"{w}{i} buy cheap" for i, w in enumerate(half)),
        "5-grams": text + " " + " ".join(half),
    }  # fmt: skip


def test_a_story_passes() -> None:
    assert reasons(GOOD, FILTERS) == []


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_drops_its_own_kind_alone(name) -> None:
    assert reasons(spoil(GOOD)[name], FILTERS) == [name]


@pytest.mark.parametrize("n, kept", [(49, 0), (50, 1), (60, 1), (61, 0)])
def test_a_limit_is_inside(n, kept) -> None:
    keep = quality_filters(words=(50, 60))["length"]
    assert keep("word " * n) == bool(kept)


def test_limits_can_be_set() -> None:
    short = " ".join(GOOD.split()[:30])
    assert reasons(short, quality_filters(words=(20, 100))) == []


def test_measures_by_hand() -> None:
    assert symbol_share("a # b ...") == 2 / 4
    assert bullet_share("- a\n\u2022 b\n\nc\n* d") == 3 / 4
    assert repeated_line_share("a\nb\na\na") == 2 / 4
    assert top_bigram_share("ab c ab c d") == 6 / 7
    assert top_bigram_share("ab c d") == 0, "nothing repeats"
    assert repeated_share("a b c a b d", n=2) == 2 / 6
    assert repeated_share("a b c d a b c d", n=3) == 4 / 8


@given(text=st.text(max_size=80))
def test_any_text_gets_a_verdict(text) -> None:
    assert set(reasons(text, FILTERS)) <= set(FILTERS)


@given(
    words=st.lists(st.sampled_from("abcd"), max_size=30), n=st.integers(1, 5)
)
def test_repeated_share_by_its_definition(words, n) -> None:
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    inside = {
        i + j for i, gram in enumerate(grams) if gram in grams[:i]
        for j in range(n)
    }  # fmt: skip
    expected = len(inside) / len(words) if words else 0
    assert repeated_share(" ".join(words), n) == pytest.approx(expected)


def test_few_stories_are_lost() -> None:
    stories = [s.text for s in TinyWorld("full").stories(400, seed=1)]
    lost = [s for s in stories if reasons(s, FILTERS)]
    assert len(lost) < 0.03 * len(stories)
    rng = random.Random(0)
    salad = [" ".join(rng.sample(s.split(), len(s.split()))) for s in stories]
    assert sum(not reasons(s, FILTERS) for s in salad) > 0.9 * len(salad), (
        "no filter reads: shuffled words pass, as the chapter says"
    )


def test_filters_travel_to_other_processes() -> None:
    again = pickle.loads(pickle.dumps(FILTERS))
    for name, text in spoil(GOOD).items():
        assert reasons(text, again) == [name]
    assert count_words("a b") == 2
