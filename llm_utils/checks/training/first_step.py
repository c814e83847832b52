"""Exercise 2 of chapter 8: where one step of AdamW takes five weights.

Each `Mistake` is a wrong answer: what readers really write down.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_after = Foretold((0.9, 0.9, 0.95, 1.0, 1.05), abs_tol=0.002)

first_step = _after.exercise(
    "first_step",
    "numbers",
    [
        Mistake(
            "Those are changes. The question asks where the weights are "
            "after the step, and all of them start at 1.",
            when=lambda args, value: (
                _after.near(abs(value[0]), 0.1)
                and _after.near(abs(value[4]), 0.05)
            ),
        ),
        Mistake(
            "A is what plain gradient descent does: w - lr * g. AdamW "
            "divides the gradient's mean by the root of its square's mean; "
            "in the first step these are g and |g|.",
            when=_after.has(0, 0.9999),
        ),
        Mistake(
            "A went up. The gradient is positive, so the weight goes down.",
            when=_after.has(0, 1.1),
        ),
        Mistake(
            "A without the bias correction. Both averages begin at 0 and "
            "lack the same share of their gradients that the correction "
            "gives back: m is 0.1 g, and 0.1 g / 0.1 is g.",
            when=_after.has(0, 1 - 0.1 * 0.1 / 0.05**0.5),
        ),
        Mistake(
            "A is not right. In the first step m is g and the root of v is "
            "|g|, both corrected. What is left of g when you divide?",
            when=_after.wrong_at(0),
        ),
        Mistake(
            "B is what plain gradient descent does with the clipped "
            "gradient: 1 - 0.1 * 0.5. AdamW divides the size out again.",
            when=_after.has(1, 0.95),
        ),
        Mistake(
            "B is not right. Clipping makes the gradient smaller, and what "
            "does AdamW do in its first step with the size of a gradient?",
            when=_after.wrong_at(1),
        ),
        Mistake(
            "In C the gradient is 0, and still the weight moves: the W in "
            "AdamW pulls at every weight, gradient or not.",
            when=_after.has(2, 1.0),
        ),
        Mistake(
            "C decays by the whole 0.5. The decay is multiplied by the "
            "learning rate first.",
            when=_after.has(2, 0.5),
        ),
        Mistake(
            "C is Adam with the decay added to the gradient: g = 0.5, of "
            "which only the sign is left. In AdamW the decay goes past the "
            "averages.",
            when=_after.has(2, 0.9),
        ),
        Mistake(
            "C is not right. Without a gradient the weight is multiplied by "
            "1 - lr * decay.",
            when=_after.wrong_at(2),
        ),
        Mistake(
            "D decays, you say. The decay is multiplied by the learning "
            "rate, and that is 0.",
            when=_after.has(3, 0.5, 0.95),
        ),
        Mistake(
            "D is not right. Both parts of a step are multiplied by the "
            "learning rate; only the averages change.",
            when=_after.wrong_at(3),
        ),
        Mistake(
            "E goes the wrong way: its gradient is negative, so the step is "
            "upwards.",
            when=_after.has(4, 0.85),
        ),
        Mistake("E without the decay.", when=_after.has(4, 1.1)),
        Mistake(
            "E takes a step twice as large because the gradient is -2. Of "
            "its size nothing is left in the first step, only its sign.",
            when=_after.has(4, 1.15, 1.2),
        ),
        Mistake(
            "In E you add the decay. It pulls towards 0, so it is "
            "subtracted: 1 - 0.1 * 0.5, and then the step.",
            when=_after.has(4, 1.15, 1.155),
        ),
        Mistake(
            "In E the decay is taken from the weight after the step. It is "
            "the old weight that shrinks: 0.95 * 1, and then the step.",
            when=_after.has(4, 1.045),
        ),
        Mistake(
            "E is not right. Two things happen: the decay takes 0.05 off, "
            "and the step of 0.1 goes against the sign of the gradient.",
            when=_after.wrong_at(4),
        ),
    ],
    "In its first step AdamW knows signs only: every weight moves by "
    "the learning rate, whatever its gradient.",
)
