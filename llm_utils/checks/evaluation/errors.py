"""Exercise 2 of chapter 12: five standard errors, predicted.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_points = Foretold((5.0, 3.0, 1.5, 3.0, 2.5), abs_tol=0.06)

errors = _points.exercise(
    "errors",
    "standard errors in points",
    [
        Mistake(
            "Those are shares. Points are hundredths: 0.05 is 5 points.",
            lambda: [0.05, 0.03, 0.015, 0.03, 0.025],
        ),
        Mistake(
            "Those are intervals of 95 %, about two standard errors wide to "
            "each side. One standard error is asked for.",
            lambda: [9.8, 5.88, 2.94, 5.88, 4.9],
        ),
        Mistake(
            "Those are variances: the root is missing.",
            lambda: [25.0, 9.0, 2.25, 9.0, 6.25],
        ),
        Mistake(
            "A is not right. p (1 - p) is 0.25, and its root, 0.5, is to be "
            "divided by the root of 100.",
            when=_points.wrong_at(0),
        ),
        Mistake(
            "B is not right. p (1 - p) is smaller near the ends: 0.9 * 0.1 "
            "is 0.09, and its root is 0.3.",
            when=_points.wrong_at(1),
        ),
        Mistake(
            "C is not right. Four times the items of B halve its error, and "
            "do not quarter it.",
            when=_points.wrong_at(2),
        ),
        Mistake(
            "D is not right. The second time each item gives the answer of "
            "the first: a hundred pieces of evidence, not two hundred.",
            when=_points.wrong_at(3),
        ),
        Mistake(
            "E is not right. Of 400 differences 100 are +1 or -1 and the "
            "mean is near 0: the root of 100 / 400, divided by the root of "
            "400.",
            when=_points.wrong_at(4),
        ),
    ],
    "Four numbers of five come from a square root; the fifth from looking at "
    "pairs.",
)
