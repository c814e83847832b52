"""Exercise 1 of appendix B: strides, axes and broadcasting, predicted.

Each `Mistake` is a wrong answer: what readers really write down.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_told = Foretold((12.0, 4.0, 24.0, 25.0, 4.0))

shapes = _told.exercise(
    "shapes",
    "numbers",
    [
        Mistake(
            "A is the size of the axis. The stride is how many numbers of "
            "memory lie between x[0] and x[1]: one whole 3 by 4 block.",
            when=_told.has(0, 2.0),
        ),
        Mistake(
            "A counts bytes. Strides count numbers, whatever their dtype.",
            when=_told.has(0, 48.0, 96.0),
        ),
        Mistake(
            "A is the stride of another axis. One step along the last axis "
            "is 1 number, along the middle 4, along the first 12.",
            when=_told.has(0, 1.0, 4.0),
        ),
        Mistake(
            "A is not right. Between x[0] and x[1] lies a whole 3 by 4 block.",
            when=_told.wrong_at(0),
        ),
        Mistake(
            "B is not right. transpose(0, 2) exchanges the first axis with "
            "the last: (2, 3, 4) becomes (4, 3, 2).",
            when=_told.wrong_at(1),
        ),
        Mistake(
            "In C nothing grows. From the right: 4 meets 1, 3 meets 3, and 2 "
            "meets nothing; the result is (2, 3, 4) again.",
            when=_told.wrong_at(2),
        ),
        Mistake(
            "In D you subtract place by place. (5,) is read as (1, 5), and "
            "against (5, 1) both axes grow: every number meets every other.",
            when=_told.has(3, 5.0, 0.0),
        ),
        Mistake(
            "D is not right. (5,) against (5, 1) gives (5, 5).",
            when=_told.wrong_at(3),
        ),
        Mistake(
            "In E the mask leaves the shape. x[x >= 20] takes out the numbers "
            "where it is True, in a row: 20, 21, 22 and 23.",
            when=_told.has(4, 24.0),
        ),
        Mistake(
            "E is not right. Of 0 to 23, count those that are 20 or more.",
            when=_told.wrong_at(4),
        ),
    ],
    "Say the shape before you run the line, and most errors never happen.",
)
