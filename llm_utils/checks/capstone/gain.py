"""Exercise 8 of chapter 17: the gain of a trick, seed by seed.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log, sqrt
from statistics import mean, pstdev, stdev

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number, sequence
from llm_utils.checks.watch import WrongForm

Scores = Sequence[float]


def _pair(x: object) -> list[float]:
    values = [number(v) for v in sequence(x)]
    if len(values) != 2:
        raise WrongForm(f"{len(values)} numbers; gain and error are asked for")
    return values


def _logs(a: Scores, b: Scores) -> list[float]:
    return [log(x / y) for x, y in zip(a, b, strict=True)]


def _with(error: Callable[[Scores, Scores], float]) -> Callable[..., object]:
    return lambda a, b: (mean(_logs(a, b)), error(a, b))


def _unpaired(a: Scores, b: Scores) -> float:
    va, vb = (stdev([log(x) for x in s]) ** 2 / len(s) for s in (a, b))
    return sqrt(va + vb)


def _se(a: Scores, b: Scores) -> float:
    return stdev(_logs(a, b)) / sqrt(len(a))


paired_gain = Exercise(
    name="paired_gain",
    asks="write paired_gain(without, with_it): the mean log factor over seeds "
    "and its standard error",
    reference=_with(_se),
    cases=[
        ([20.0, 40.0], [10.0, 20.0]),
        ([60.0, 90.0, 70.0], [40.0, 70.0, 50.0]),
        ([100.0, 120.0, 90.0, 110.0], [99.0, 121.0, 88.0, 111.0]),
    ],
    form=_pair,
    same=lambda a, b: all(abs(x - y) < 1e-9 for x, y in zip(a, b, strict=True)),
    mistakes=[
        Mistake(
            "The error is that of two independent groups. Each seed was run "
            "both ways: take the factor of each seed, and the spread of "
            "those.",
            _with(_unpaired),
        ),
        Mistake(
            "That is the spread of the seeds. The error of their mean is "
            "smaller by the root of their number.",
            _with(lambda a, b: stdev(_logs(a, b))),
        ),
        Mistake(
            "The spread divides by n. The mean was taken from the same n "
            "numbers, so it is n - 1.",
            _with(lambda a, b: pstdev(_logs(a, b)) / sqrt(len(a))),
        ),
        Mistake(
            "The sign is the wrong way round. A trick that lowers the excess "
            "has a gain above 0.",
            lambda a, b: (-mean(_logs(a, b)), _se(a, b)),
        ),
        Mistake(
            "That is the difference of the scores. Factors are asked for: "
            "take logarithms first.",
            lambda a, b: (
                mean(x - y for x, y in zip(a, b, strict=True)),
                stdev([x - y for x, y in zip(a, b, strict=True)])
                / sqrt(len(a)),
            ),
        ),
        Mistake(
            "The gain is a factor. Its logarithm is asked for, which is 0 "
            "where nothing is gained.",
            lambda a, b: (exp(mean(_logs(a, b))), _se(a, b)),
        ),
    ],
    praise="Pairs take the seed's own luck out, as the score took the story's.",
)
