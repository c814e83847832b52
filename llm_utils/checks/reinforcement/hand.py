"""Exercise 2 of chapter 16: a group of four and two clipped tokens, predicted.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_hand = Foretold((1.5, -0.5, 1.0, -1.8, 0.75), rel_tol=0.02)

by_hand = _hand.exercise(
    "by_hand",
    "numbers",
    [
        Mistake(
            "A divides by the deviation with G. GRPO's has G - 1 below the "
            "sum of squares.",
            when=_hand.has(0, 1.732),
        ),
        Mistake(
            "A is not divided by the deviation of the group, 0.5.",
            when=_hand.has(0, 0.75),
        ),
        Mistake(
            "A is the reward itself. Take the mean of the group off first.",
            when=_hand.has(0, 1.0, 2.0),
        ),
        Mistake(
            "B has no sign: the three are worse than the mean.",
            when=_hand.has(1, 0.5),
        ),
        Mistake(
            "B is zero only if wrong answers were not pushed down.",
            when=_hand.has(1, 0.0),
        ),
        Mistake(
            "C is less the mean of all four. Leave the answer itself out: the "
            "others have the mean 0.",
            when=_hand.has(2, 0.75),
        ),
        Mistake(
            "D is not clipped. A good token at 1.5 is past 1.2, and gains no "
            "more.",
            when=_hand.has(3, -2.25),
        ),
        Mistake(
            "D is the objective, which is to go up. The loss has a minus.",
            when=_hand.has(3, 1.8),
        ),
        Mistake(
            "E is clipped. The minimum takes the smaller of -0.75 and -0.6: a "
            "bad token that has become likelier is pushed down, however far "
            "it has gone.",
            when=_hand.has(4, 0.6),
        ),
        Mistake(
            "E is the objective, which is to go up. The loss has a minus.",
            when=_hand.has(4, -0.75),
        ),
        Mistake(
            "A is not right. It is (1 - 0.25) / 0.5.",
            when=_hand.wrong_at(0),
        ),
        Mistake(
            "B is not right. It is (0 - 0.25) / 0.5.",
            when=_hand.wrong_at(1),
        ),
        Mistake(
            "C is not right. It is 1 less the mean of 0, 0 and 0.",
            when=_hand.wrong_at(2),
        ),
        Mistake(
            "D is not right. It is -min(1.5 * A, 1.2 * A), with A = 1.5.",
            when=_hand.wrong_at(3),
        ),
        Mistake(
            "E is not right. It is -min(1.5 * B, 1.2 * B), with B = -0.5.",
            when=_hand.wrong_at(4),
        ),
    ],
    "D has no gradient and E has one: the clip stops only what went the right "
    "way.",
)
