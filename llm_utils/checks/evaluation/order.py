"""Exercise 8 of chapter 12: is the order of a test file remembered?

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _p(
    nats: float,
    others: Sequence[float],
    added: int = 1,
    ties: bool = True,
    far: bool = False,
    low: bool = False,
) -> float:
    """p of the file's own order among shuffled ones; knobs for mistakes."""
    hits = sum(x > nats or (ties and x == nats) for x in others)
    if low:
        hits = sum(x <= nats for x in others)
    if far:
        mean = sum(others) / len(others)
        hits = sum(abs(x - mean) >= abs(nats - mean) for x in others)
    return (hits + added) / (len(others) + added)


order_p = Exercise(
    name="order_p",
    asks="write order_p(nats, others): p that the order of the file is no "
    "better than a shuffled one",
    reference=_p,
    cases=[
        (-5.0, [-6.0]),
        (-5.0, [-4.0]),
        (-5.0, [-6.0, -4.0, -7.0]),
        (-5.0, [-6.0, -5.0, -7.0, -8.0]),
        (-9.0, [-6.0, -5.0, -7.0, -8.0]),
        (-1.0, [-6.0, -5.0, -7.0, -8.0, -6.5, -7.5, -5.5, -8.5, -9.0]),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-9,
    mistakes=[
        Mistake(
            "Your p can be 0. The order of the file is one of the possible "
            "orders itself: count it, above and below.",
            partial(_p, added=0),
        ),
        Mistake(
            "You count the orders that are *less* likely. Surprising is "
            "when hardly any shuffled order is as likely as the file's own.",
            partial(_p, low=True),
        ),
        Mistake(
            "A shuffled order that is exactly as likely counts as well: at "
            "least as likely, >=.",
            partial(_p, ties=False),
        ),
        Mistake(
            "Both sides are counted. An order that is unusually *unlikely* "
            "is no sign of memory: one side only.",
            partial(_p, far=True),
        ),
    ],
    praise="No training text is needed, only probabilities, and p cannot be "
    "fooled by a test that is easy.",
)
