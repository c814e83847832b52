"""Exercise 5 of chapter 7: which of the texts that resemble each other stay.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence

Pairs = list[tuple[int, int]]


def _keep(
    n: int,
    similar: Pairs,
    turn: bool = True,
    sort: bool = True,
    ask: bool = True,
) -> list[int]:
    """The numbers kept, with its mistakes as knobs."""
    pairs = [(min(p), max(p)) for p in similar] if turn else list(similar)
    if sort:
        pairs.sort(key=lambda pair: pair[1])
    dropped: set[int] = set()
    for i, j in pairs:
        if not (ask and i in dropped):
            dropped.add(j)
    return [k for k in range(n) if k not in dropped]


def _clusters(n: int, similar: Pairs) -> list[int]:
    """The first of each group that hangs together."""
    root = list(range(n))
    for _ in range(n):
        for i, j in similar:
            root[i] = root[j] = min(root[i], root[j])
    return [k for k in range(n) if root[k] == k]


def _one_way(n: int, similar: Pairs) -> list[int]:
    """Each text asks for pairs that name the earlier one first."""
    stay: list[int] = []
    for k in range(n):
        if not any((i, k) in similar for i in stay):
            stay.append(k)
    return stay


def _none(n: int, similar: Pairs) -> list[int]:
    return [k for k in range(n) if not any(k in pair for pair in similar)]


def _last(n: int, similar: Pairs) -> list[int]:
    turned = [(n - 1 - i, n - 1 - j) for i, j in similar]
    return sorted(n - 1 - k for k in _keep(n, turned))


def _numbers(x: object) -> list[int]:
    """Numbers in a list; a set of them, which has no order, is sorted."""
    return sequence(sorted(x) if isinstance(x, (set, frozenset)) else x)


keep = Exercise(
    name="keep",
    asks="write keep(n, similar), the numbers of the texts that stay",
    reference=_keep,
    cases=[
        (2, []),
        (2, [(0, 1)]),
        (2, [(1, 0)]),
        (2, [(0, 1), (1, 0)]),
        (3, [(0, 1), (1, 2)]),
        (3, [(1, 2), (0, 1)]),
        (4, [(0, 2), (1, 2), (2, 3)]),
        (4, [(0, 3), (1, 2), (2, 3)]),
        (5, [(0, 1), (0, 2), (1, 2), (2, 1)]),
        (5, [(0, 3), (3, 1), (1, 4)]),
        (5, [(0, 4), (4, 1), (1, 2), (2, 3), (3, 4)]),
    ],
    form=_numbers,
    mistakes=[
        Mistake(
            "All the bugs are still there. Take the pairs (0, 1) and (1, 0), "
            "and see what is left of texts 0 and 1.",
            partial(_keep, turn=False, sort=False, ask=False),
        ),
        Mistake(
            "You take the second of a pair for the later one. A pair may "
            "come either way round: compare the two numbers.",
            partial(_keep, turn=False, sort=False),
        ),
        Mistake(
            "You take the second of a pair for the later one. A pair may "
            "come either way round: compare the two numbers.",
            partial(_keep, turn=False),
        ),
        Mistake(
            "A text is dropped for its likeness to one that was dropped "
            "itself, and then nothing like it is left. Ask whether the "
            "earlier one is kept.",
            partial(_keep, ask=False),
        ),
        Mistake(
            "You go through the pairs as they come. Whether the earlier text "
            "of a pair stays must be settled before you ask: sort by the "
            "later one.",
            partial(_keep, sort=False),
        ),
        Mistake(
            "You keep one text of everything that hangs together. Text 2 is "
            "like text 1 and text 1 like text 0, but that does not make 2 "
            "like 0: when 1 is gone, nothing says what 2 said.",
            _clusters,
        ),
        Mistake(
            "You drop both texts of a pair. One of them has to stay.",
            _none,
        ),
        Mistake(
            "You keep the last of the texts that resemble each other. "
            "Keep the first.",
            _last,
        ),
        Mistake(
            "You look a pair up one way round only, the earlier text first. "
            "It may stand there the other way.",
            _one_way,
        ),
        Mistake(
            "You drop the first of a pair, and keep the copy. Keep the first.",
            lambda n, similar: sorted({*range(n)} - {min(p) for p in similar}),
        ),
        Mistake(
            "Nothing is dropped.",
            lambda n, similar: list(range(n)),
        ),
        Mistake(
            "Those are the texts that go. Return the ones that stay.",
            lambda n, similar: sorted({*range(n)} - {*_keep(n, similar)}),
        ),
    ],
    praise="No two that stay are alike, and all that goes is like something "
    "that stays.",
)
