"""Exercise 1 of chapter 15: the chance that one answer beats another.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from math import exp, log1p

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), of any x."""
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


win_chance = Exercise(
    name="win_chance",
    asks="write win_chance(a, b): the chance that an answer of reward a beats "
    "one of reward b",
    reference=lambda a, b: _sigmoid(a - b),
    cases=[
        (1.0, 0.0),
        (2.0, 2.0),
        (0.5, 3.0),
        (-1.5, -0.5),
        (4.0, 1.0),
        (12.0, 10.5),
        (900.0, 0.0),
        (0.0, 900.0),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-6,
    mistakes=[
        Mistake(
            "That is the chance of the other answer. The larger a is, the "
            "surer the first one wins.",
            lambda a, b: _sigmoid(b - a),
        ),
        Mistake(
            "Rewards are logarithms of strengths and may be negative: take "
            "exp(a) and exp(b) first, and then the share.",
            lambda a, b: a / (a + b) if a + b else 0.5,
        ),
        Mistake(
            "That is the logarithm of the chance. The loss wants that; here "
            "the chance itself is asked for.",
            lambda a, b: _log(a - b),
        ),
        Mistake(
            "exp overflows for large rewards. Only the difference a - b "
            "matters, so take exp of something that is not positive.",
            lambda a, b: exp(a) / (exp(a) + exp(b)),
        ),
        Mistake(
            "exp overflows where the difference is large and negative. There "
            "use exp(d) / (1 + exp(d)), with d = a - b.",
            lambda a, b: 1 / (1 + exp(b - a)),
        ),
    ],
    praise="Only the difference counts: add 7 to all rewards, and nothing "
    "changes.",
)


def _log(x: float) -> float:
    return -log1p(exp(-x)) if x >= 0 else x - log1p(exp(x))
