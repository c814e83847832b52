"""Exercise 1 of chapter 17: how many tokens a budget buys.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number

tokens_in_budget = Exercise(
    name="tokens_in_budget",
    asks="write tokens_in_budget(speed, minutes, n_params, extra): the tokens "
    "that training sees",
    reference=lambda speed, minutes, n_params, extra: (
        speed * 60 * minutes / (6 * n_params * (1 + extra))
    ),
    cases=[
        (6e6, 1, 1000, 0.0),
        (30e9, 2, 250_000, 0.1),
        (50e9, 0.5, 1_200_000, 0.2),
        (989e12, 600, 124_000_000, 0.15),
    ],
    form=number,
    same=lambda a, b: abs(a - b) <= 0.001 * abs(b) + 0.6,
    mistakes=[
        Mistake(
            "The speed is per second, and the budget in minutes: times 60.",
            lambda s, m, n, x: s * m / (6 * n * (1 + x)),
        ),
        Mistake(
            "Two FLOPs a parameter is the way forward. The way back takes "
            "four more.",
            lambda s, m, n, x: s * 60 * m / (2 * n * (1 + x)),
        ),
        Mistake(
            "A parameter costs six FLOPs for each token, not one.",
            lambda s, m, n, x: s * 60 * m / (n * (1 + x)),
        ),
        Mistake(
            "Looking back makes a token dearer by the share `extra`: it "
            "belongs below the line as 1 + extra.",
            lambda s, m, n, x: s * 60 * m / (6 * n),
        ),
        Mistake(
            "Looking back makes a token dearer, so there are fewer of them.",
            lambda s, m, n, x: s * 60 * m * (1 + x) / (6 * n),
        ),
    ],
    praise="Time and speed stand above the line, parameters below it.",
)
