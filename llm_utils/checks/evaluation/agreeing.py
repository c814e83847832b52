"""Exercise 7 of chapter 12: agreement, less what chance would give.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number

Labels = Sequence[str]


def _seen(a: Labels, b: Labels) -> float:
    return sum(x == y for x, y in zip(a, b, strict=True)) / len(a)


def _chance(a: Labels, b: Labels) -> float:
    n = len(a)
    return sum(list(a).count(x) / n * (list(b).count(x) / n) for x in set(a))


def _kappa(
    a: Labels,
    b: Labels,
    chance: Callable[[Labels, Labels], float] = _chance,
    scale: bool = True,
) -> float:
    low = chance(a, b)
    return (_seen(a, b) - low) / ((1 - low) if scale else 1)


agreement = Exercise(
    name="agreement",
    asks="write agreement(a, b), Cohen's kappa of two lists of labels",
    reference=_kappa,
    cases=[
        (["x", "y"], ["x", "y"]),
        (["x", "y"], ["y", "x"]),
        (list("AABB"), list("ABAB")),
        (list("AAAAAAAB"), list("AAAAAABA")),
        (list("AABBCCAB"), list("AABBCABB")),
        (list("ABCABC"), list("ABCBCA")),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-6,
    mistakes=[
        Mistake(
            "That is the plain share of agreement. Two judges that say A "
            "nearly always agree nearly always, by chance: take that away.",
            _seen,
        ),
        Mistake(
            "You take chance away and do not divide. The best that is left "
            "is 1 - chance, and it should count as 1.",
            lambda a, b: _kappa(a, b, scale=False),
        ),
        Mistake(
            "Chance is not one over the number of labels: a judge may say "
            "one of them more often. Use how often each of the two says it.",
            lambda a, b: _kappa(a, b, lambda x, y: 1 / len({*x, *y})),
        ),
        Mistake(
            "Chance is how often both say the same: for each label the "
            "share of the first, times the share of the *second*.",
            lambda a, b: _kappa(
                a,
                b,
                lambda x, y: sum(
                    (list(x).count(v) / len(x)) ** 2 for v in set(x)
                ),
            ),
        ),
        Mistake("That is the agreement by chance alone.", _chance),
    ],
    praise="People who compare answers do not reach 1 with each other either.",
)
