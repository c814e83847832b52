"""Exercise 7 of chapter 11: the speed of writing, and what limits it.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number


def _speed(
    weights: float, cache: float, B: int, W: float,
    shared: str = "weights", each: bool = False, added: bool = True,
) -> float:  # fmt: skip
    """Tokens a second of B texts, with the mistakes as knobs."""
    texts = {"weights": (1, B), "nothing": (B, B), "all": (1, 1)}[shared]
    moved = weights * texts[0] + (cache * texts[1] if added else 0)
    return (1 if each else B) * W / moved


tokens_a_second = Exercise(
    name="tokens_a_second",
    asks="write tokens_a_second(weights, cache, B, W), one number",
    reference=_speed,
    cases=[
        (8.0, 2.0, 1, 100.0),
        (8.0, 2.0, 4, 100.0),
        (16e9, 1e9, 8, 3.35e12),
        (16e9, 0.27e9, 64, 3.35e12),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3),
    mistakes=[
        Mistake(
            "That is the speed of each text. All of them together are asked "
            "for.",
            partial(_speed, each=True),
        ),
        Mistake(
            "You read the weights for each text. One reading serves all.",
            partial(_speed, shared="nothing"),
        ),
        Mistake(
            "You read one cache. Each text has its own.",
            partial(_speed, shared="all"),
        ),
        Mistake(
            "The caches have to be read as well, once for each token.",
            partial(_speed, added=False),
        ),
        Mistake(
            "That is the time of a step, in seconds. Tokens a second are "
            "asked for.",
            lambda w, c, B, W: (w + B * c) / W,
        ),
        Mistake(
            "You multiply bytes by bytes a second. Divide the bandwidth by "
            "the bytes that a step moves.",
            lambda w, c, B, W: B * W * (w + B * c),
        ),
    ],
    praise="With many texts it comes near W / cache: then only the caches "
    "count.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: the weights are read once a step, whatever the "
        "number of texts is. Their part of each token's time gets smaller.",
        "B": "B cannot be it: nothing here computes. The formula has bytes "
        "and a bandwidth in it, and no FLOPs.",
        "D": "D cannot be it: the bandwidth is a constant of the formula.",
    },
    "So the memory of a device is worth more than its arithmetic to whoever "
    "serves long texts.",
)
