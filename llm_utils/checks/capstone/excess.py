"""Exercise 5 of chapter 17: percent above the entropy.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number

above_entropy = Exercise(
    name="above_entropy",
    asks="write above_entropy(model, world): percent by which a model's nats "
    "exceed the world's, over some stories",
    reference=lambda m, w: 100 * (sum(m) - sum(w)) / sum(w),
    cases=[
        ([15.0], [10.0]),
        ([12.0, 30.0], [10.0, 20.0]),
        ([40.0, 41.0, 99.0], [38.0, 40.0, 60.0]),
        ([10.0, 20.0], [10.0, 20.0]),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-6,
    mistakes=[
        Mistake(
            "That is the mean of the stories' own percentages. A short story "
            "would count as much as a long one: divide two sums.",
            lambda m, w: (
                sum(100 * (a - b) / b for a, b in zip(m, w, strict=True))
                / len(m)
            ),
        ),
        Mistake(
            "That is a share. Percent is a hundred times as much.",
            lambda m, w: (sum(m) - sum(w)) / sum(w),
        ),
        Mistake(
            "Divide by what the world needs, not by what the model needs: "
            "the floor is the unit.",
            lambda m, w: 100 * (sum(m) - sum(w)) / sum(m),
        ),
        Mistake(
            "That is how much it is of the floor. A perfect model has 0 %, "
            "not 100 %.",
            lambda m, w: 100 * sum(m) / sum(w),
        ),
        Mistake(
            "That is the excess in nats a story. Divide by the world's.",
            lambda m, w: (sum(m) - sum(w)) / len(m),
        ),
        Mistake(
            "That is the excess as a perplexity. Nothing is exponentiated.",
            lambda m, w: 100 * (math.exp((sum(m) - sum(w)) / len(m)) - 1),
        ),
    ],
    praise="It does not depend on the tokenizer, and a story's own luck "
    "cancels.",
)
