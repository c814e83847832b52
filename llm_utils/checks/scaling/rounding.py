"""Exercise 2 of chapter 9: five sums in bfloat16, predicted.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_rounded = Foretold((129, 256, 258, 260, 256))

sums = _rounded.exercise(
    "sums",
    "sums as bfloat16 has them",
    [
        Mistake(
            "Those are the exact sums. With 7 bits of fraction not every "
            "whole number above 256 exists.",
            lambda: [129, 257, 258, 259, 1000],
        ),
        Mistake(
            "You cut off what does not fit. A sum is rounded to the nearest "
            "number that exists, and 259 is as near to 260 as to 258.",
            lambda: [129, 256, 258, 258, 256],
        ),
        Mistake(
            "You always round a half up. A sum in the middle goes to the "
            "neighbor whose last bit is 0, sometimes up, sometimes down.",
            when=lambda args, value: value[:4] == [129, 258, 258, 260],
        ),
        Mistake(
            "The middle goes to the neighbor whose last bit is 0. You have "
            "the two cases the wrong way round: 256 ends in 0, 258 in 1.",
            when=lambda args, value: value[:4] == [129, 258, 258, 258],
        ),
        Mistake(
            "A is not right. From 128 to 256 neighbors are 128 / 128 "
            "= 1 apart, so 129 is one of them.",
            when=_rounded.wrong_at(0),
        ),
        Mistake(
            "C is not right. From 256 to 512 neighbors are 2 apart, "
            "so 258 is one of them.",
            when=_rounded.wrong_at(2),
        ),
        Mistake(
            "B is not right. 257 lies in the middle between 256 and "
            "258; which of them has a 0 as its last bit?",
            when=_rounded.wrong_at(1),
        ),
        Mistake(
            "D is not right. 259 lies in the middle between 258 and "
            "260; which of them has a 0 as its last bit?",
            when=_rounded.wrong_at(3),
        ),
        Mistake(
            "The sums are right, and the counter E is not. It goes on from "
            "each rounded result: what happens when it meets 256?",
            when=_rounded.wrong_at(4),
        ),
    ],
    "A counter that stands still at 256 raises no error. So do not "
    "add up in 16 bits: not losses, not counts, and not weights.",
)
