"""Exercises 8 and 9 of chapter 4: texts longer than those of training.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.model.positions import rope_frequencies


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-4)


# -- unfinished_pairs(d_head, base, length) -> how many


def _wavelengths(d_head: int, base: float) -> list[float]:
    return (2 * math.pi / rope_frequencies(d_head, base).double()).tolist()


def _unfinished(d_head: int, base: float, length: int) -> int:
    return sum(w > length for w in _wavelengths(d_head, base))


def _half_exponent(d_head: int, base: float, length: int) -> int:
    pairs = range(d_head // 2)
    return sum(2 * math.pi * base ** (i / d_head) > length for i in pairs)


unfinished_pairs = Exercise(
    name="unfinished_pairs",
    asks="write unfinished_pairs(d_head, base, length), a number of pairs",
    reference=_unfinished,
    cases=[
        (2, 10_000.0, 6),
        (2, 10_000.0, 7),
        (4, 10_000.0, 100),
        (8, 100.0, 20),
        (64, 10_000.0, 512),
        (128, 500_000.0, 8192),
    ],
    form=number,
    same=_near,
    mistakes=[
        Mistake(
            "A full turn is 2 pi radians: a pair of frequency theta needs "
            "2 pi / theta positions for it, not 1 / theta.",
            lambda d_head, base, length: sum(
                w / (2 * math.pi) > length for w in _wavelengths(d_head, base)
            ),
        ),
        Mistake(
            "You count the pairs that do finish a turn.",
            lambda d_head, base, length: (
                d_head // 2 - _unfinished(d_head, base, length)
            ),
        ),
        Mistake(
            "You count columns. A pair is two of them.",
            lambda d_head, base, length: 2 * _unfinished(d_head, base, length),
        ),
        Mistake(
            "The frequencies are base ** (-2i / D) for the D/2 pairs. Yours "
            "have i / D, and fall half as fast.",
            _half_exponent,
        ),
        Mistake(
            "There are D/2 pairs, i = 0 ... D/2 - 1. You count D of them.",
            lambda d_head, base, length: sum(
                2 * math.pi * base ** (2 * i / d_head) > length
                for i in range(d_head)
            ),
        ),
        Mistake(
            "You do not use `base`: a larger one makes slower pairs.",
            lambda d_head, base, length: _unfinished(d_head, 10_000.0, length),
        ),
        Mistake(
            "A full turn is 2 pi radians. You count half turns, pi / f.",
            lambda d_head, base, length: _unfinished(d_head, base, 2 * length),
        ),
        Mistake(
            "A full turn is 2 pi, since f is in radians per position. You "
            "count in degrees.",
            lambda d_head, base, length: sum(
                w * 360 / (2 * math.pi) > length
                for w in _wavelengths(d_head, base)
            ),
        ),
        Mistake(
            "You multiply by the frequency. A fast pair needs few positions "
            "for a turn: 2 pi / f.",
            lambda d_head, base, length: sum(
                (2 * math.pi) ** 2 / w > length
                for w in _wavelengths(d_head, base)
            ),
        ),
        Mistake(
            "That is a share of the pairs. Count them.",
            lambda d_head, base, length: (
                _unfinished(d_head, base, length) / (d_head // 2)
            ),
        ),
    ],
    praise="These pairs have only seen a part of their circle.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: there is no table of rows to run out of. An "
        "angle can be computed for any position.",
        "B": "B cannot be it: a rotation keeps the length of a vector at any "
        "position, so no score can exceed the product of two lengths.",
        "D": "D is true, and harmless: the fast pairs have been round many "
        "times in training, so another round brings no new angle.",
    },
    "What a model has never seen, it has never learned to read.",
)

# -- ntk_base(base, d_head, factor) -> the new base


def _ntk_base(base: float, d_head: int, factor: float) -> float:
    return base * factor ** (d_head / (d_head - 2))


ntk_base = Exercise(
    name="ntk_base",
    asks="write ntk_base(base, d_head, factor), the new base",
    reference=_ntk_base,
    cases=[
        (10_000.0, 4, 1.0),
        (10_000.0, 4, 2.0),
        (10_000.0, 64, 4.0),
        (500_000.0, 128, 8.0),
    ],
    form=number,
    same=_near,
    mistakes=[
        Mistake(
            "With base * factor the slowest pair turns a little too fast "
            "still: its exponent is (D - 2) / D, not 1. Solve for the base "
            "that makes it exactly `factor` times slower.",
            lambda base, d_head, factor: base * factor,
        ),
        Mistake(
            "Your exponent is upside down: it undoes the (D - 2) / D of the "
            "slowest pair.",
            lambda base, d_head, factor: (
                base * factor ** ((d_head - 2) / d_head)
            ),
        ),
        Mistake(
            "The last pair is i = D/2 - 1, so its exponent is 2i / D = "
            "(D - 2) / D. Yours has D - 1.",
            lambda base, d_head, factor: (
                base * factor ** (d_head / (d_head - 1))
            ),
        ),
        Mistake(
            "You take the last pair for i = D - 1. There are D/2 pairs, and "
            "the last is i = D/2 - 1.",
            lambda base, d_head, factor: (
                base * factor ** (d_head / (2 * d_head - 2))
            ),
        ),
        Mistake(
            "Only the factor gets the exponent. With factor 1 nothing may "
            "change.",
            lambda base, d_head, factor: (
                (base * factor) ** (d_head / (d_head - 2))
            ),
        ),
        Mistake(
            "Only the factor gets the exponent. With factor 1 nothing may "
            "change.",
            lambda base, d_head, factor: (
                base ** (d_head / (d_head - 2)) * factor
            ),
        ),
        Mistake(
            "Your exponent is a whole number: // drops what is behind the "
            "point. It is D / (D - 2).",
            lambda base, d_head, factor: (
                base * factor ** (d_head // (d_head - 2))
            ),
        ),
        Mistake(
            "Your pairs turn faster. A larger base makes them slower.",
            lambda base, d_head, factor: (
                base / factor ** (d_head / (d_head - 2))
            ),
        ),
        Mistake(
            "That is how many times larger the base gets. Multiply it by the "
            "old one.",
            lambda base, d_head, factor: factor ** (d_head / (d_head - 2)),
        ),
    ],
    praise="The fastest pair turns as before, the slowest `factor` times "
    "slower, the rest in between.",
)
