"""Exercise 5 of chapter 12: a test of pairs, with three lines wrong.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import comb

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number

Scores = Sequence[int]


def _test(
    a: Scores,
    b: Scores,
    ties: bool = False,
    sides: int = 2,
    least: bool = True,
    top: int = 1,
    cap: bool = True,
) -> float:
    """p of the two-sided sign test, with the mistakes as knobs."""
    more = sum(x > y for x, y in zip(a, b, strict=True))
    less = sum(x < y for x, y in zip(a, b, strict=True))
    n = len(a) if ties else more + less
    k = min(more, less) if least else more
    p = sides * sum(comb(n, i) for i in range(k + top)) / 2**n
    return min(1.0, p) if cap else p


def _pair(both: int, none: int, only_a: int, only_b: int) -> tuple[list, list]:
    """Answers of two models by how many of each kind there are."""
    a = [1] * both + [0] * none + [1] * only_a + [0] * only_b
    b = [1] * both + [0] * none + [0] * only_a + [1] * only_b
    return a, b


sign_test = Exercise(
    name="sign_test",
    asks="write sign_test(a, b): broken_test, with its three lines repaired",
    reference=_test,
    cases=[
        _pair(0, 0, 3, 0),
        _pair(0, 0, 0, 4),
        _pair(2, 1, 3, 1),
        _pair(5, 5, 1, 6),
        _pair(70, 14, 10, 6),
        _pair(3, 3, 2, 2),
        _pair(4, 4, 0, 0),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-6,
    show=lambda x: (
        str(x)
        if not isinstance(x, list) or len(x) < 12
        else f"[{len(x)} answers]"
    ),
    mistakes=[
        Mistake(
            "All three lines are still as they were.",
            partial(_test, ties=True, sides=1, least=False, cap=False),
        ),
        Mistake(
            "Items on which both agree are thrown as coins too. They say "
            "nothing about which one is better: n counts the others.",
            partial(_test, ties=True),
        ),
        Mistake(
            "One side only. A split that is as uneven the other way round "
            "would have surprised you as much: twice the tail.",
            partial(_test, sides=1),
        ),
        Mistake(
            "The tail begins at the number of wins of the first model. If "
            "it won more often than not, this is no tail but nearly "
            "everything: take the smaller of the two numbers.",
            partial(_test, least=False),
        ),
        Mistake(
            "Your tail leaves out the split that was seen. p is the chance "
            "of one at least this uneven: range(k + 1).",
            partial(_test, top=0),
        ),
        Mistake(
            "A probability above 1: with an even split the two tails share "
            "the middle. Cap it at 1.",
            partial(_test, cap=False),
        ),
    ],
    praise="This is McNemar's test in its exact form.",
)
