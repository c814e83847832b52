"""Training: the fast trainer learns what the definition would."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_utils.text.bpe import GPT2_PATTERN, ByteBPE
from llm_utils.text.merges import PairTable, count_pairs, learn_merges, merge

Merges = list[tuple[bytes, bytes]]

# Few letters make many ties; 0 and 255 test the order of bytes at its ends.
words_of_few_bytes = st.dictionaries(
    st.lists(
        st.sampled_from([b"a", b"b", b"c", b"\x00", b"\xff"]), max_size=9
    ).map(tuple),
    st.integers(1, 4),
    max_size=8,
)


def naive_merges(words: dict[tuple[bytes, ...], int], n: int) -> Merges:
    """BPE as it is defined: count everything again before each merge."""
    words = dict(words)
    merges: Merges = []
    while len(merges) < n:
        counts: Counter[tuple[bytes, bytes]] = Counter()
        for word, times in words.items():
            for i in range(len(word) - 1):
                counts[word[i], word[i + 1]] += times
        if not counts:
            break
        best = max(counts.values())
        pair = sorted(p for p in counts if counts[p] == best)[-1]
        merges.append(pair)
        words = {naive_merge(w, pair): times for w, times in words.items()}
    return merges


def naive_merge(
    word: tuple[bytes, ...], pair: tuple[bytes, bytes]
) -> tuple[bytes, ...]:
    out: list[bytes] = []
    for piece in word:
        out.append(piece)
        if tuple(out[-2:]) == pair:
            out[-2:] = [pair[0] + pair[1]]
    return tuple(out)


@given(words=words_of_few_bytes, n=st.integers(0, 40))
@settings(max_examples=500)
def test_same_merges_as_the_definition(words: dict, n: int) -> None:
    assert learn_merges(words, n) == naive_merges(words, n)


@given(
    documents=st.lists(
        st.text("abc 'st\n\u00e9\u4e2d", max_size=60), max_size=4
    ),
    n=st.integers(0, 30),
)
@settings(max_examples=200)
def test_train_is_pattern_then_definition(documents: list, n: int) -> None:
    pieces = [p for d in documents for p in regex.findall(GPT2_PATTERN, d)]
    words = {
        tuple(bytes([byte]) for byte in piece.encode()): times
        for piece, times in Counter(pieces).items()
    }
    bpe = ByteBPE.train(iter(documents), 256 + n)
    assert bpe.merges == naive_merges(words, n)


def test_ties_go_to_the_greatest_pair() -> None:
    """All pairs once: the greatest first, and a longer string is greater."""
    bpe = ByteBPE.train("ab zy", 300)
    assert bpe.merges[0] == (b"z", b"y")
    words: dict[tuple[bytes, ...], int] = {
        (b"a", b"x"): 1,
        (b"ab", b"x"): 1,
        (b"a", b"xy"): 1,
    }
    assert learn_merges(words, 3) == [
        (b"ab", b"x"),
        (b"a", b"xy"),
        (b"a", b"x"),
    ]


@given(words=words_of_few_bytes, n=st.integers(1, 12))
def test_pair_table_never_drifts(words: dict, n: int) -> None:
    """After any merge its counts are those of a count from the start."""
    table = PairTable(words)
    now = dict(words)
    for a, b in naive_merges(words, n):
        before = sum(len(w) * times for w, times in now.items())
        _, merged = table.merge((a, b), a + b)
        now = {tuple(merge(w, (a, b), a + b)): t for w, t in now.items()}
        assert +table.counts == count_pairs(now)
        after = sum(len(w) * times for w, times in now.items())
        assert merged == before - after


def test_every_token_is_reachable() -> None:
    """A trained token's own bytes come out as that token."""
    bpe = ByteBPE.train("banana bandana anna nab aaaa aaab " * 3, 300)
    for i, token in bpe.vocab.items():
        if i >= 256:
            assert bpe.encode(token.decode()) == [i]


# --- against Hugging Face ----------------------------------------------------


def test_same_merges_as_tokenizers(agrees) -> None:
    """Up to the first tie, Hugging Face's trainer learns the same."""
    tokenizers = pytest.importorskip("tokenizers")
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefgh", k=6)) for _ in range(300)]
    text = "".join(f" {word}" * rng.randint(1, 400) for word in words)
    ours = ByteBPE.train(text, 1000)
    n = merges_before_a_tie(text)
    assert n > 50, "too short to compare"

    level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = level
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=256 + n,
        show_progress=False,
        initial_alphabet=level.alphabet(),
    )
    theirs.train_from_iterator([text], trainer)
    merges = json.loads(theirs.to_str())["model"]["merges"]
    found = [
        [part.decode().replace(" ", "\u0120") for part in pair]
        for pair in ours.merges[:n]
    ]
    agrees("tokenizers", "the merges learned, up to a tie", found, merges)


def merges_before_a_tie(text: str) -> int:
    words = {
        tuple(bytes([byte]) for byte in f" {word}".encode()): n
        for word, n in Counter(text.split()).items()
    }
    for n, (a, b) in enumerate(naive_merges(words, 1000)):
        counts = sorted(count_pairs(words).values())
        if counts[-1] == counts[-2]:
            return n
        words = {naive_merge(w, (a, b)): times for w, times in words.items()}
    return 1000
