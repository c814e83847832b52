"""Exercise 8 of chapter 9: a power law that comes to rest above zero.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.scaling.numbers import all_close, numbers, show

Numbers = Sequence[float]
Law = tuple[float, float, float]


def _line(x: Numbers, y: Numbers) -> tuple[float, float]:
    """Slope and height at 0 of the line with the least squared errors."""
    mx, my = sum(x) / len(x), sum(y) / len(y)
    over = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    slope = over / sum((a - mx) ** 2 for a in x)
    return slope, my - slope * mx


def _fit(
    D: Numbers,
    loss: Numbers,
    floors: Numbers,
    pick: str = "best",
    logs: str = "both",
    judge: str = "losses",
) -> Law:
    """The floor that comes closest, with the mistakes as knobs."""
    x = [d if logs == "y" else math.log(d) for d in D]
    lines = []
    for E in floors:
        rest = [v - E for v in loss]
        y = [math.log(v) for v in rest]
        slope, start = _line(x, y)
        ours = [start + slope * a for a in x]
        if judge == "losses":
            ours, y = [math.exp(v) for v in ours], rest
        off = sum((a - b) ** 2 for a, b in zip(ours, y, strict=True))
        lines.append((off, E, math.exp(start), -slope))
    choose = {
        "best": min(lines, key=lambda line: line[0]),
        "worst": max(lines, key=lambda line: line[0]),
        "top": max(lines, key=lambda line: line[1]),
    }
    return choose[pick][1:]


def _turned(D: Numbers, loss: Numbers, floors: Numbers) -> Law:
    """The line the other way round: log D over log(loss - E)."""
    E = _fit(D, loss, floors)[0]
    rest = [math.log(v - E) for v in loss]
    slope, start = _line(rest, [math.log(d) for d in D])
    return E, math.exp(start), -slope


def _only_floor(D: Numbers, loss: Numbers, floors: Numbers) -> Law:
    """E from the best line, B and b from the line without a floor."""
    return (_fit(D, loss, floors)[0], *_fit(D, loss, [0.0])[1:])


def _changed(change: Any) -> Any:
    return lambda *args: change(*_fit(*args))


def _case(E: float, B: float, b: float, tokens: Numbers) -> tuple:
    floors = [0.0, *(E * k / 10 for k in (3, 5, 8, 10, 10.5))]
    return list(tokens), [E + B / d**b for d in tokens], floors


def _noisy() -> tuple:
    """Losses off by a few thousandths, as runs are."""
    tokens = [10 ** (10 + 2 * i / 7) for i in range(8)]
    off = (2, -3, 1, 4, -2, -4, 3, 1)
    loss = [
        (1.9 + 2085 / d**0.366) * (1 + 0.001 * x)
        for d, x in zip(tokens, off, strict=True)
    ]
    return tokens, loss, [0.0, 0.8, 1.2, 1.5, 1.7, 1.8, 1.9, 1.95]


fit_floor = Exercise(
    name="fit_floor",
    asks="write fit_floor(D, loss, floors), which returns three numbers: "
    "E, B and b",
    reference=_fit,
    cases=[
        _case(1.0, 10.0, 0.5, (100, 400, 1600)),
        (*_case(2.0, 30.0, 0.3, (1e4, 3e4, 1e5))[:2], [1.8, 2.0, 2.6]),
        _case(0.5, 300.0, 0.6, (1e4, 1e5, 2e5, 5e5)),
        _case(1.8, 2085.0, 0.37, (1e9, 3e9, 1e10, 2e11)),
        _noisy(),
    ],
    form=numbers(3),
    same=all_close,
    show=show,
    mistakes=[
        Mistake(
            "You fit without a floor: the line through the logs of the "
            "losses themselves. It bends, and its exponent is too small. "
            "Subtract a candidate E before the logarithm.",
            lambda D, loss, floors: _fit(D, loss, [0.0]),
        ),
        Mistake(
            "E is right, but the line is drawn through the losses "
            "themselves. Subtract E before the logarithm here too.",
            _only_floor,
        ),
        Mistake(
            "You take the largest floor. A floor too high bends the line "
            "the other way: take the one that comes closest.",
            partial(_fit, pick="top"),
        ),
        Mistake(
            "You keep the floor with the largest error. The smallest is the "
            "one that comes closest.",
            partial(_fit, pick="worst"),
        ),
        Mistake(
            "You do not judge the floors by the errors of E + B / D ** b. If "
            "you take those of the logarithms, think of this: the higher "
            "the floor, the less is left above it and the more noise its "
            "logarithm has, so a floor of 0 wins.",
            partial(_fit, judge="logs"),
        ),
        Mistake(
            "b is the slope with its sign turned: the line falls, and b is "
            "positive.",
            _changed(lambda E, B, b: (E, B, -b)),
        ),
        Mistake(
            "Your B is its logarithm. The line's height at log D = 0 is "
            "log B: take exp of it.",
            _changed(lambda E, B, b: (E, math.log(B), b)),
        ),
        Mistake(
            "You mix two bases. If the logs are to base 10, B is 10 to the "
            "height of the line; exp belongs to natural logs.",
            _changed(lambda E, B, b: (E, math.exp(math.log10(B)), b)),
        ),
        Mistake(
            "You mix two bases. exp, not 10 ** height, undoes natural logs.",
            _changed(lambda E, B, b: (E, 10 ** math.log(B), b)),
        ),
        Mistake(
            "You took the logarithm of the losses and not of D. A power law "
            "is straight when both are logarithms.",
            partial(_fit, logs="y"),
        ),
        Mistake(
            "Your line has D as a function of the loss. polyfit takes x "
            "first: log D, then log(loss - E).",
            _turned,
        ),
        Mistake(
            "The order is not the one that is asked for: E, B, b.",
            when=lambda args, value: all_close(
                tuple(sorted(value)), tuple(sorted(_fit(*args)))
            ),
        ),
    ],
    praise="Where there are points, a law without a floor looks almost as "
    "good. The two part where you wanted to know.",
)
