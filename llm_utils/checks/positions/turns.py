"""Exercise 2 of chapter 4: turning a pair of numbers.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor

# -- turn(pair, position, frequency) -> pair

Pair = tuple[float, float]


def _turn(pair: Pair, angle: float) -> Pair:
    (x, y), c, s = pair, math.cos(angle), math.sin(angle)
    return x * c - y * s, x * s + y * c


def _overwritten(pair: Pair, position: int, frequency: float) -> Pair:
    (x, y), angle = pair, position * frequency
    x = x * math.cos(angle) - y * math.sin(angle)
    y = x * math.sin(angle) + y * math.cos(angle)
    return x, y


def _no_minus(pair: Pair, position: int, frequency: float) -> Pair:
    (x, y), angle = pair, position * frequency
    c, s = math.cos(angle), math.sin(angle)
    return x * c + y * s, x * s + y * c


turn = Exercise(
    name="turn",
    asks="write turn(pair, position, frequency), a pair of numbers",
    reference=lambda pair, position, frequency: _turn(
        pair, position * frequency
    ),
    cases=[
        ((1.0, 0.0), 0, 0.5),
        ((1.0, 0.0), 1, 0.5),
        ((0.0, 1.0), 2, 0.5),
        ((3.0, -2.0), 4, 0.1),
        ((1.0, 2.0), 7, 1.0),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You turn clockwise. A positive angle turns (1, 0) towards "
            "(0, 1): the minus belongs to the first number's sine.",
            lambda pair, position, frequency: _turn(
                pair, -position * frequency
            ),
        ),
        Mistake(
            "The position is missing: you turn by the frequency alone, so "
            "every position is turned alike. The angle is their product.",
            lambda pair, position, frequency: _turn(pair, frequency),
        ),
        Mistake(
            "The frequency is missing: the angle is position * frequency.",
            lambda pair, position, frequency: _turn(pair, position),
        ),
        Mistake(
            "You use the new x for the new y. Both are made of the old two: "
            "compute them first, or assign both at once.",
            _overwritten,
        ),
        Mistake(
            "One minus is missing, and what you have is no rotation: it "
            "changes the length of the pair.",
            _no_minus,
        ),
        Mistake(
            "You turn by degrees. The angle is in radians, and so are "
            "math.sin and math.cos.",
            lambda pair, position, frequency: _turn(
                pair, math.radians(position * frequency)
            ),
        ),
        Mistake(
            "Yours has two minuses. That mirrors a pair instead of turning "
            "it: (0, 1) at the angle 0 becomes (0, -1).",
            lambda pair, position, frequency: (
                _turn(pair, position * frequency)[0],
                -_turn(pair[::-1], position * frequency)[0],
            ),
        ),
        Mistake(
            "The angle is position * frequency as it is, in radians. Yours "
            "is larger by 2 pi.",
            lambda pair, position, frequency: _turn(
                pair, 2 * math.pi * position * frequency
            ),
        ),
        Mistake(
            "You add position and frequency. The angle is their product.",
            lambda pair, position, frequency: _turn(pair, position + frequency),
        ),
        Mistake(
            "Sine and cosine have changed places: an angle of 0 should leave "
            "the pair as it is.",
            lambda pair, position, frequency: (
                pair[0] * math.sin(position * frequency)
                - pair[1] * math.cos(position * frequency),
                pair[0] * math.cos(position * frequency)
                + pair[1] * math.sin(position * frequency),
            ),
        ),
    ],
    praise="The length stays, the direction now says where the pair stood.",
)
