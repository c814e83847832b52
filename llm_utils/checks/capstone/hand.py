"""Exercise 2 of chapter 17: a race on paper.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_hand = Foretold((1600, 0.2, 0.5, 50, 0.45), rel_tol=0.01)

by_hand = _hand.exercise(
    "by_hand",
    "numbers",
    [
        Mistake(
            "A: 80 seconds at 50 ms a step. Mind the thousand in a "
            "millisecond.",
            when=_hand.has(0, 1.6, 4000, 4),
        ),
        Mistake(
            "B is what is left, not what was used: the schedule has 400 of "
            "its 2,000 steps to go.",
            when=_hand.has(1, 0.8),
        ),
        Mistake(
            "B is not 0. The schedule falls to zero at step 2,000, and the "
            "clock stops before.",
            when=_hand.has(1, 0.0),
        ),
        Mistake(
            "C: half of the *time* is used, and the rate falls with the time, "
            "whatever the steps.",
            when=_hand.has(2, 0.6, 0.4),
        ),
        Mistake(
            "D divides by the wrong side. The excess is measured in units of "
            "what the world itself needs.",
            when=_hand.has(3, 33.3, 33.33, 150),
        ),
        Mistake(
            "D is a percentage.",
            when=_hand.has(3, 0.5),
        ),
        Mistake(
            "E: two tricks that know nothing of each other multiply.",
            when=_hand.has(4, 0.35, 0.65, 0.55),
        ),
        Mistake("A is not right. It is 80 / 0.05.", when=_hand.wrong_at(0)),
        Mistake(
            "B is not right. It is (2000 - A) / 2000.", when=_hand.wrong_at(1)
        ),
        Mistake("C is not right. It is 1 - 40 / 80.", when=_hand.wrong_at(2)),
        Mistake(
            "D is not right. It is 100 * (60 - 40) / 40.",
            when=_hand.wrong_at(3),
        ),
        Mistake("E is not right. It is 0.75 * 0.6.", when=_hand.wrong_at(4)),
    ],
    "By the clock the rate does not ask how fast the machine is.",
)
