"""Near-duplicates whose truth is planted; MinHash against its definition,
exact Jaccard indices and datasketch."""

from __future__ import annotations

import itertools
import random
import re
import subprocess
import sys
from collections import Counter

import datasketch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.dedup import (
    MinHash,
    candidates,
    contaminated,
    drop_repeated_lines,
    exact_dedup,
    jaccard,
    minhash_dedup,
    shingles,
    similarity,
)

STORIES = [s.text for s in TinyWorld("small").stories(600, seed=4)]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def edited(text: str, changes: int, rng: random.Random) -> str:
    """The text with some words replaced by others of the same story."""
    out = text.split()
    for i in rng.sample(range(len(out)), changes):
        out[i] = f"{rng.choice(out).strip('.')}{rng.randrange(1000)}"
    return " ".join(out)


# --- exact -------------------------------------------------------------------


def test_equal_but_for_case_and_punctuation() -> None:
    texts = ["Mia ran.", "mia  RAN", "Tom ran.", "Mia, ran!", "Mia ran on."]
    assert exact_dedup(texts) == [0, 2, 4]
    assert exact_dedup(iter([])) == []


@given(texts=st.lists(st.text("ab .", max_size=4), max_size=20))
def test_the_first_of_each_is_kept(texts) -> None:
    plain = [" ".join(t.replace(".", " ").split()) for t in texts]
    firsts = [i for i, t in enumerate(plain) if t not in plain[:i]]
    assert exact_dedup(texts) == firsts


# --- shingles ----------------------------------------------------------------


@given(
    words=st.lists(st.sampled_from(["a", "bb", "c", "d"]), max_size=20),
    n=st.integers(1, 6),
)
def test_as_many_shingles_as_different_rows_of_words(words, n) -> None:
    rows = {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}
    found = shingles(" ".join(words), n)
    assert len(found) == max(1, len(rows)) and found.dtype == np.uint32
    assert found.tolist() == sorted(set(found.tolist()))


def test_order_counts_and_shingles_do_not_collide() -> None:
    assert shingles("a b", 2) != shingles("b a", 2)
    grams = {
        tuple(w[i : i + 5])
        for s in STORIES for w in [words(s.lower())]
        for i in range(len(w) - 4)
    }  # fmt: skip
    hashes = {h for g in grams for h in shingles(" ".join(g)).tolist()}
    assert len(grams) > 20_000 and len(grams) - len(hashes) < 5


def test_shingles_are_the_same_in_another_process() -> None:
    code = (
        "from llm_utils.train.dedup import *; import sys;"
        "s = shingles('Mia had a red kite and flew it.');"
        "print(s.tolist(), MinHash(4)(s).tolist())"
    )
    s = shingles("Mia had a red kite and flew it.")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True)
    here = f"{s.tolist()} {MinHash(4)(s).tolist()}"
    assert run.stdout.decode().strip() == here


@given(
    a=st.sets(st.integers(0, 30), min_size=1),
    b=st.sets(st.integers(0, 30), min_size=1),
)
def test_jaccard_by_its_definition(a, b) -> None:
    x, y = (np.array(sorted(s), dtype=np.uint32) for s in (a, b))
    assert jaccard(x, y) == len(a & b) / len(a | b)


# --- MinHash -----------------------------------------------------------------


def test_a_signature_by_python_integers() -> None:
    sketch, values = MinHash(20, seed=3), shingles(STORIES[0])
    for i, found in enumerate(sketch(values).tolist()):
        a, b = int(sketch.a[i, 0]), int(sketch.b[i, 0])
        hashes = [((a * int(x) + b) % 2**64) >> 32 for x in values]
        assert found == min(hashes)


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = random.Random(0)
    return [
        (shingles(s), shingles(edited(s, n, rng)))
        for s in STORIES[:40] for n in (1, 3, 6, 12)
    ]  # fmt: skip


def test_agreement_estimates_the_jaccard_index_without_bias() -> None:
    sketch = MinHash(256)
    exact = np.array([jaccard(a, b) for a, b in pairs()])
    guess = np.array([similarity(sketch(a), sketch(b)) for a, b in pairs()])
    spread = np.sqrt(exact * (1 - exact) / 256)
    off = (guess - exact) / spread
    assert abs(off.mean()) < 0.4 and 0.7 < off.std() < 1.3
    planted = MinHash(256)
    planted.a[:] = planted.a[0]  # one hash, 256 times
    planted.b[:] = planted.b[0]
    bad = np.array([similarity(planted(a), planted(b)) for a, b in pairs()])
    assert ((bad - exact) / spread).std() > 3


def test_estimates_as_good_as_those_of_datasketch(agrees) -> None:
    sketch = MinHash(128)
    ours, theirs = [], []
    for a, b in pairs():
        both = [datasketch.MinHash(128) for _ in range(2)]
        for m, values in zip(both, (a, b), strict=True):
            m.update_batch([v.tobytes() for v in values])
        exact = jaccard(a, b)
        ours.append((similarity(sketch(a), sketch(b)) - exact) ** 2)
        theirs.append((both[0].jaccard(both[1]) - exact) ** 2)
    assert np.mean(ours) < 1.5 * np.mean(theirs)
    agrees.held(
        "datasketch", "the mean squared error of MinHash, below 1.5 of theirs"
    )


@pytest.mark.parametrize("bands, rows", [(14, 8), (28, 4), (4, 28)])
def test_the_pairs_are_those_of_datasketch(agrees, bands, rows) -> None:
    rng = random.Random(1)
    texts = STORIES[:150] + [
        edited(s, rng.randrange(1, 15), rng) for s in STORIES[:150]
    ]
    signatures = [MinHash()(shingles(t)) for t in texts]
    lsh = datasketch.MinHashLSH(num_perm=112, params=(bands, rows))
    theirs = set()
    for j, signature in enumerate(signatures):
        values = signature.astype(np.uint64)
        m = datasketch.MinHash(112, hashvalues=values, scheme="legacy")
        theirs |= {(i, j) for i in lsh.query(m)}
        lsh.insert(j, m)
    found = candidates(signatures, bands)
    agrees("datasketch", "pairs that banding finds", found, theirs)
    assert found


def test_pairs_are_found_as_often_as_the_formula_says() -> None:
    draw = np.random.default_rng(0).choice(2**32, 1150, replace=False)
    a, b = draw[:1000].astype(np.uint32), draw[150:].astype(np.uint32)
    sketches = [MinHash(seed=k) for k in range(400)]
    found = sum(bool(candidates([m(a), m(b)])) for m in sketches)
    expected = 1 - (1 - (850 / 1150) ** 8) ** 14
    assert abs(found / 400 - expected) < 4 * np.sqrt(0.25 / 400)


# --- near-duplicates ---------------------------------------------------------


def planted(rng: random.Random) -> tuple[list[str], list[int]]:
    """Stories and edited copies of some; which text each comes from."""
    texts = [(s, i) for i, s in enumerate(STORIES)]
    for i in rng.sample(range(len(STORIES)), 150):
        texts.append((edited(STORIES[i], rng.randrange(0, 3), rng), i))
    rng.shuffle(texts)
    return [t for t, _ in texts], [i for _, i in texts]


@pytest.mark.parametrize("seed", range(3))
def test_recall_and_precision_on_planted_copies(seed) -> None:
    texts, origin = planted(random.Random(seed))
    kept = minhash_dedup(texts, seed=seed)
    dropped = set(range(len(texts))) - set(kept)
    first: dict[int, int] = {}
    copies = {
        i for i, source in enumerate(origin)
        if first.setdefault(source, i) != i
    }  # fmt: skip
    right = len(dropped & copies)
    assert right / len(copies) > 0.95, "recall"
    assert right / len(dropped) == 1, "precision: pairs are compared"
    assert Counter(origin[i] for i in kept).keys() == set(origin)


def test_the_same_as_comparing_all_with_all() -> None:
    rng = random.Random(5)
    texts = STORIES[:80] + [edited(s, 1, rng) for s in STORIES[:40]]
    sets = [shingles(t) for t in texts]
    dropped = {
        j for i, j in itertools.combinations(range(len(texts)), 2)
        if jaccard(sets[i], sets[j]) >= 0.75
    }  # fmt: skip
    assert len(dropped) >= 38
    kept = minhash_dedup(texts)
    assert kept == [i for i in range(len(texts)) if i not in dropped]
    more = minhash_dedup(texts, 0.3, bands=56)
    assert set(more) <= set(kept)
    with pytest.raises(ValueError, match="100 bands do not divide 112"):
        minhash_dedup(texts, bands=100)


def test_a_chain_loses_its_middle_and_keeps_its_ends() -> None:
    """b is like a, c is like b, and c is not like a: c stays."""
    words = [f"w{i}" for i in range(120)]
    a, b, c = (" ".join(words[i : i + 100]) for i in (0, 10, 20))
    assert jaccard(shingles(a), shingles(b)) > 0.8
    assert jaccard(shingles(a), shingles(c)) < 0.75
    assert minhash_dedup([a, b, c]) == [0, 2]
    assert minhash_dedup([]) == [] and minhash_dedup(["", "x"]) == [0, 1]


def test_found_is_not_yet_dropped() -> None:
    """Pairs below the threshold share a band now and then, and stay."""
    line = [f"w{i}" for i in range(120)]
    a, b = " ".join(line[:100]), " ".join(line[20:])
    assert 0.6 < jaccard(shingles(a), shingles(b)) < 0.75
    kept = [len(minhash_dedup([a, b], seed=k)) for k in range(20)]
    looser = [len(minhash_dedup([a, b], 0.6, seed=k)) for k in range(20)]
    assert set(kept) == {2} and set(looser) == {1, 2}


def test_what_cannot_be() -> None:
    for call, words in [
        (lambda: minhash_dedup(["a"], threshold=0), "at most 1"),
        (lambda: shingles("a", 0), "1 word or more"),
        (lambda: candidates([np.zeros(10)] * 2, 3), "do not divide 10"),
        (lambda: MinHash(0), "1 or more"),
        (lambda: contaminated(["a"], ["a b"]), "fewer than n=13 words"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()


def test_lines_of_many_pages_go_and_others_stay() -> None:
    banner = "We use cookies."
    texts = [f"{banner}\nStory {i}.\nThe end." for i in range(4)]
    texts += ["WE USE COOKIES.\nThe other end.\n\nx", "Cookies.\nx\nx"]
    kept = [f"Story {i}." for i in range(4)]
    found = drop_repeated_lines([t.replace("\n\n", "\n") for t in texts])
    assert found == [*kept, "The other end.\nx", "Cookies.\nx\nx"]
    assert drop_repeated_lines(texts, most=99) == texts


# --- decontamination ---------------------------------------------------------


def test_a_hidden_test_question_is_found() -> None:
    rng = random.Random(2)
    texts, held = STORIES[:100], STORIES[100:140]
    held = [" ".join(f"{w}{rng.randrange(999)}" for w in words(t)[:30])
            for t in held]  # fmt: skip
    assert contaminated(texts, held) == []
    leak = " ".join(held[7].upper().split()[5:18])  # 13 words of it
    short = " ".join(held[7].split()[5:17])
    dirty = [*texts[:50], f"{texts[50]} {leak}", f"{texts[51]} {short}"]
    assert contaminated(dirty, held) == [50]
