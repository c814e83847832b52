"""Exercises 4 and 5 of chapter 1: why the order of merges matters.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm
from llm_utils.text import bpe

# -- the first four merges, predicted

TOY_WORDS = ["tea"] * 5 + ["set"] * 2 + ["sea"] * 4 + ["ease"] * 4


def _pairs(x: Any) -> list[tuple[str, ...]]:
    """[("e", "a"), ...] from "e+a", "e a", ("e", "a") or only "ea"."""
    out: list[tuple[str, ...]] = []
    for item in sequence(x):
        parts = item.replace("+", " ").split() if type(item) is str else item
        if not isinstance(parts, (list, tuple)):
            raise WrongForm(
                f"a list that holds {item!a}; write each merge as 'x+y'"
            )
        out.append(tuple(map(str, parts)))
    return out


def _same_pairs(a: list[tuple[str, ...]], b: list[tuple[str, ...]]) -> bool:
    return len(a) == len(b) and all(
        x == y or (1 in (len(x), len(y)) and "".join(x) == "".join(y))
        for x, y in zip(a, b, strict=True)
    )


def _four() -> list[tuple[str, ...]]:
    tokenizer = bpe.ByteBPE.train(TOY_WORDS, vocab_size=256 + 4)
    return [(a.decode(), b.decode()) for a, b in tokenizer.merges]


def _right_up_to(k: int) -> Callable[[Any, Any], bool]:
    return lambda args, value: _same_pairs(value[:k], _four()[:k])


first_merges = Exercise(
    name="first_merges",
    asks="write down four merges, in order, each as 'x+y'",
    reference=_four,
    form=_pairs,
    same=_same_pairs,
    mistakes=[
        Mistake(
            "Write down exactly four merges.",
            when=lambda args, value: len(value) != 4,
        ),
        Mistake(
            "You counted each word once. The words occur 5, 2, 4 and 4 times, "
            "and every occurrence counts.",
            lambda: ["s+e", "e+a", "t+ea", "se+t"],
        ),
        Mistake(
            "You ranked the pairs by their first counts. After a merge the "
            "neighbors are different: once e+a is ea, no a stands before an "
            "s any more. Count again after every merge.",
            lambda: ["e+a", "s+e", "t+e", "a+s"],
        ),
        Mistake(
            "Three are right. For the fourth, s+ea and ea+se both occur four "
            "times; of equals, the greatest pair goes first, and 's' is "
            "greater than 'ea'.",
            lambda: ["e+a", "s+e", "t+ea", "ea+se"],
        ),
        Mistake(
            "The first pair is e+a: it occurs 5 + 4 + 4 = 13 times, and s+e "
            "2 + 4 + 4 = 10 times.",
            when=lambda args, value: value[:1] in ([("s", "e")], [("se",)]),
        ),
        Mistake(
            "After the first merge no plain e stands behind the t of 'tea': "
            "it is part of ea by now. Name the pair by what its two halves "
            "are at that moment.",
            when=lambda args, value: ("t", "e") in value[1:],
        ),
        *[
            Mistake(
                f"{right} right, the {wrong} is not. Write down all words as "
                "they are before it, and count the pairs again.",
                when=_right_up_to(k),
            )
            for k, right, wrong in (
                (3, "Your first three are", "fourth"),
                (2, "Your first two are", "third"),
                (1, "Your first is", "second"),
            )
        ],
        Mistake(
            "The first merge is another one. For each pair, add up how often "
            "the words that hold it occur: which comes to 13?",
            when=lambda args, value: True,
        ),
    ],
    praise="e+a (13), s+e (6), t+ea (5), and of s+ea and ea+se, four each, "
    "the greater pair: s+ea.",
)

# -- encode(word, merges) -> pieces

Merges = Sequence[tuple[str, str]]
Choose = Callable[[list[tuple[int, int]]], tuple[int, int]]


def _by_rank(word: str, merges: Merges) -> list[str]:
    pairs = [(a.encode(), b.encode()) for a, b in merges]
    last = bpe.ByteBPE.from_merges(pairs).trace(word)[-1]
    return [piece.decode() for piece in last.pieces]


def _one_at_a_time(word: str, merges: Merges, choose: Choose) -> list[str]:
    """Merge one place at a time, chosen from [(place, rank), ...]."""
    pieces, rank = list(word), {pair: i for i, pair in enumerate(merges)}
    while True:
        pairs = enumerate(pairwise(pieces))
        fits = [(i, rank[pair]) for i, pair in pairs if pair in rank]
        if not fits:
            return pieces
        i, _ = choose(fits)
        pieces[i : i + 2] = ["".join(pieces[i : i + 2])]


def _each_rank_once(word: str, merges: Merges) -> list[str]:
    pieces = list(word)
    for pair in merges:
        pairs = list(pairwise(pieces))
        if pair in pairs:
            i = pairs.index(pair)
            pieces[i : i + 2] = ["".join(pair)]
    return pieces


def _one_merge(word: str, merges: Merges) -> list[str]:
    pieces = list(word)
    for pair in merges:
        if pair in pairwise(pieces):
            return bpe.merge(pieces, pair, "".join(pair))
    return pieces


def _longest(word: str, merges: Merges) -> list[str]:
    vocab, pieces = {*word, *map("".join, merges)}, []
    while word:
        piece = next(p for p in _prefixes(word) if p in vocab)
        pieces.append(piece)
        word = word[len(piece) :]
    return pieces


def _prefixes(word: str) -> list[str]:
    return [word[:n] for n in range(len(word), 0, -1)]


SING = [("i", "n"), ("in", "g"), ("s", "i"), ("s", "ing")]
HER = [("h", "e"), ("t", "he"), ("e", "r"), ("t", "h"), ("r", "e")]

encode = Exercise(
    name="encode",
    asks="repair encode(word, merges), so that the merge learned first among "
    "those that fit is always the next",
    reference=_by_rank,
    cases=[
        ("in", SING[:2]),
        ("g", SING[:2]),
        ("sin", SING[:3]),
        ("sing", SING[:3]),
        ("ther", [("e", "r"), ("t", "h"), ("th", "er")]),
        ("inin", SING[:2]),
        ("singing", SING),
        ("there", HER),
        ("theher", HER),
        ("abcd", [("c", "d"), ("b", "cd"), ("a", "b"), ("ab", "cd")]),
        ("ababcab", [("a", "b"), ("b", "c"), ("ab", "c"), ("ab", "ab")]),
        ("abc", [("b", "c"), ("a", "b"), ("a", "bc")]),
    ],
    form=sequence,
    mistakes=[
        Mistake(
            "You take the first pair from the left that any merge fits. The "
            "merge learned first has to go first, wherever it stands.",
            lambda word, merges: _one_at_a_time(word, merges, min),
        ),
        Mistake(
            "Of the merges that fit you take the one learned last. The one "
            "learned first, with the lowest rank, is next: min, not max.",
            lambda word, merges: _one_at_a_time(
                word, merges, lambda fits: max(fits, key=lambda x: x[1])
            ),
        ),
        Mistake(
            "Each merge is applied at one place only. The same pair can "
            "stand in a word several times.",
            _each_rank_once,
        ),
        Mistake(
            "You stop after one merge. Go on until no merge fits.",
            _one_merge,
        ),
        Mistake(
            "You take the longest known piece from the left. That is "
            "WordPiece; BPE repeats its merges in the order it learned them.",
            _longest,
        ),
    ],
    praise="Encoding replays the training: the same merges, in the same order.",
)
