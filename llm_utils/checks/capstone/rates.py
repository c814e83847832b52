"""Exercise 3 of chapter 17: a learning rate by the clock.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _right(
    used: float, budget: float, peak: float, warmup: float, decay: float
) -> float:
    u = used / budget
    return peak * max(0.0, min(u / warmup, 1.0, (1 - u) / decay))


rate_at = Exercise(
    name="rate_at",
    asks="write rate_at(used, budget, peak, warmup, decay): the learning rate "
    "after so many seconds",
    reference=_right,
    cases=[
        (0.0, 1.0, 1.0, 0.5, 0.5),
        (1.0, 1.0, 1.0, 0.5, 0.5),
        (10.0, 40.0, 0.01, 0.5, 0.25),
        (20.0, 40.0, 0.01, 0.02, 0.9),
        (38.0, 40.0, 0.02, 0.1, 0.5),
        (10.0, 60.0, 0.02, 0.1, 0.5),
        (61.0, 60.0, 0.02, 0.1, 0.5),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-9,
    mistakes=[
        Mistake(
            "warmup and decay are shares of the budget: divide the seconds "
            "by the budget first.",
            lambda t, b, p, w, d: p * max(0.0, min(t / w, 1.0, (b - t) / d)),
        ),
        Mistake(
            "After the end the rate is negative, and a step would go uphill. "
            "A last step may end late: stop at 0.",
            lambda t, b, p, w, d: p * min(t / b / w, 1.0, (1 - t / b) / d),
        ),
        Mistake(
            "The fall begins at once and not over the share `decay`: divide "
            "what is left by decay.",
            lambda t, b, p, w, d: p * max(0.0, min(t / b / w, 1.0, 1 - t / b)),
        ),
        Mistake(
            "The rate never falls: what is left of the time belongs into the "
            "minimum, too.",
            lambda t, b, p, w, d: p * min(t / b / w, 1.0),
        ),
        Mistake(
            "There is no warm-up in it: the rate begins at 0 and reaches its "
            "peak after the share `warmup`.",
            lambda t, b, p, w, d: p * max(0.0, min(1.0, (1 - t / b) / d)),
        ),
        Mistake(
            "Warm-up and fall are two lines, and the lower one counts: take "
            "the minimum, not the product.",
            lambda t, b, p, w, d: (
                p * min(t / b / w, 1.0) * max(0.0, 1 - t / b) / d
            ),
        ),
    ],
    praise="It ends at zero with the clock, on any machine.",
)
