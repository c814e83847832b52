"""Exercises 2 and 3 of chapter 1: count the pairs, merge one of them.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import counts, sequence
from llm_utils.text import bpe

Words = Mapping[tuple[Any, ...], int]

# -- count_pairs(words) -> {pair: how often}


def _count(
    words: Words, pairs: Callable[[Any], Any] = pairwise
) -> Counter[Any]:
    out: Counter[Any] = Counter()
    for word, n in words.items():
        for pair in pairs(word):
            out[pair] += n
    return out


def _each_word_once(words: Words) -> Counter[Any]:
    return _count(dict.fromkeys(words, 1))


def _last_word_wins(words: Words) -> dict[Any, int]:
    return {pair: n for word, n in words.items() for pair in pairwise(word)}


def _apart(word: Sequence[Any]) -> list[Any]:
    """Pairs of one word that do not overlap with an equal pair before."""
    out, free = [], 0
    for i, pair in enumerate(pairwise(word)):
        if pair[0] != pair[1] or i >= free:
            out.append(pair)
            free = i + 2
    return out


def _stranger(args: tuple[Any, ...], value: Mapping[Any, int]) -> bool:
    """Some pair stands in no word."""
    return bool(set(value) - set(_count(args[0])))


count_pairs = Exercise(
    name="count_pairs",
    asks="write count_pairs(words), which counts the pairs of neighbors",
    reference=bpe.count_pairs,
    cases=[
        ({("a", "b"): 1},),
        ({("a", "b"): 3},),
        ({("b", "a"): 1},),
        ({("a", "a", "a"): 1},),
        ({("a",): 7},),
        ({},),
        ({("a", "b"): 1, ("c", "d"): 1},),
        ({("a", "b", "c"): 2, ("b", "c"): 5},),
        ({("b", "a", "n", "a", "n", "a"): 1},),
        ({tuple("the"): 5, tuple("then"): 2, tuple("her"): 4},),
        ({(104, 101): 2, (101, 104, 101): 3},),
    ],
    form=counts,
    mistakes=[
        Mistake(
            "You count every word once. A word that occurs n times adds n to "
            "each of its pairs.",
            _each_word_once,
        ),
        Mistake(
            "You set a count where you should add to it: what an earlier "
            "word gave is lost. Write counts[pair] += n.",
            _last_word_wins,
        ),
        Mistake(
            "The last pair of every word is missing. A word of four symbols "
            "has three pairs, and the last one starts at the third.",
            lambda words: _count(words, lambda w: [*pairwise(w)][:-1]),
        ),
        Mistake(
            "You sort or swap the two symbols. ('a', 'b') and ('b', 'a') are "
            "different pairs: a merge joins them in this order only.",
            lambda words: _count(
                words, lambda w: (tuple(sorted(p)) for p in pairwise(w))
            ),
        ),
        Mistake(
            "In 'aaa' the pair ('a', 'a') stands twice, at places 0 and 1. "
            "Counting looks at every place; only merging has to choose.",
            lambda words: _count(words, _apart),
        ),
        Mistake(
            "A pair that stands twice in one word counts twice. A set of the "
            "word's pairs forgets that.",
            lambda words: _count(words, lambda w: set(pairwise(w))),
        ),
        Mistake(
            "Your keys are strings. Keep a pair a tuple, ('t', 'h'): from "
            "'the' alone nobody can tell t + he from th + e.",
            when=lambda args, value: any(isinstance(key, str) for key in value),
        ),
        Mistake(
            "You count pairs that stand in no word. Pairs do not cross the "
            "border between two words: look at each word alone.",
            when=_stranger,
        ),
    ],
    praise="These few lines are all the statistics that BPE ever takes.",
)

# -- merge(ids, pair, new_id) -> ids


def _first_only(ids: Any, pair: Any, new: Any) -> list[Any]:
    for i, two in enumerate(pairwise(ids)):
        if two == pair:
            return [*ids[:i], new, *ids[i + 2 :]]
    return list(ids)


def _overlapping(ids: Any, pair: Any, new: Any) -> list[Any]:
    out, inside = [], False
    for i, symbol in enumerate(ids):
        here = tuple(ids[i : i + 2]) == pair
        if here:
            out.append(new)
        elif not inside:
            out.append(symbol)
        inside = here
    return out


def _no_skip(ids: Any, pair: Any, new: Any) -> list[Any]:
    places = range(len(ids))
    return [new if tuple(ids[i : i + 2]) == pair else ids[i] for i in places]


def _last_lost(ids: Any, pair: Any, new: Any) -> list[Any]:
    out, i = [], 0
    while i < len(ids) - 1:
        here = (ids[i], ids[i + 1]) == pair
        out.append(new if here else ids[i])
        i += 2 if here else 1
    return out


merge = Exercise(
    name="merge",
    asks="write merge(ids, pair, new_id), which replaces every pair",
    reference=bpe.merge,
    cases=[
        (ids, pair, 9)
        for ids, pair in (
            ([1, 2], (1, 2)),
            ([1, 2, 3], (1, 2)),
            ([3, 1, 2], (1, 2)),
            ([2, 1], (1, 2)),
            ([1, 1, 1], (1, 1)),
            ([5], (1, 2)),
            ([], (1, 2)),
            ([1, 2, 1, 2], (1, 2)),
            ([1, 1, 1, 1, 1], (1, 1)),
            ([1, 2, 2, 1, 2, 3], (1, 2)),
            ([4, 1, 2, 1], (1, 2)),
        )
    ],
    form=sequence,
    mistakes=[
        Mistake(
            "You merge overlapping pairs twice: in [1, 1, 1] the middle 1 "
            "goes into two new ids. Once a symbol is merged it is gone: step "
            "over both.",
            _overlapping,
        ),
        Mistake(
            "You merge from the right. Where pairs overlap, as in [1, 1, 1], "
            "the left one is merged first.",
            lambda ids, pair, new: bpe.merge(ids[::-1], pair[::-1], new)[::-1],
        ),
        Mistake(
            "The last element is lost when it is not part of a pair. The "
            "loop has to visit it too, though no pair starts there.",
            _last_lost,
        ),
        Mistake(
            "Only the first hit is merged. Go on to the end of the list.",
            _first_only,
        ),
        Mistake(
            "The second half of the pair stays behind the new id. After a "
            "merge, move on by two places.",
            _no_skip,
        ),
        Mistake(
            "You merge the pair in either order. (1, 2) is not (2, 1).",
            lambda ids, pair, new: bpe.merge(
                bpe.merge(ids, pair, new), pair[::-1], new
            ),
        ),
    ],
    praise="Training and encoding are this one step, again and again.",
)
