"""Exercise 1 of chapter 9: the days and the dollars of a run.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.scaling.numbers import all_close, numbers, show


def _cost(
    N: float,
    D: float,
    devices: int,
    peak: float,
    share: float,
    price: float,
    each: float = 6,
    speed: str = "share",
    alone: bool = False,
    billed: str = "all",
    day: float = 86_400,
) -> tuple[float, float]:
    """Days and dollars, with the mistakes as knobs."""
    rate = {"share": peak * share, "peak": peak, "slow": peak / share}[speed]
    device_hours = each * N * D / rate / 3600
    days = device_hours * 3600 / day / (1 if alone else devices)
    hours = {
        "all": device_hours,
        "one": device_hours / devices,
        "twice": device_hours * devices,
        "days": device_hours / 24,
    }[billed]
    return days, hours * price


run_cost = Exercise(
    name="run_cost",
    asks="write run_cost(N, D, devices, peak, share, price), which returns "
    "two numbers: days and dollars",
    reference=_cost,
    cases=[
        (1e9, 1e10, 4, 1e14, 0.5, 2.0),
        (124e6, 2.5e9, 1, 989e12, 0.4, 2.5),
        (7e9, 1.4e11, 64, 989e12, 0.4, 3.0),
        (70e9, 1.4e12, 512, 312e12, 0.45, 1.5),
    ],
    form=numbers(2),
    same=all_close,
    show=show,
    mistakes=[
        Mistake(
            "You count the forward pass only, two FLOPs for each parameter. "
            "The backward pass makes two products for each one: six in all.",
            partial(_cost, each=2),
        ),
        Mistake(
            "You count the backward pass only. With the forward pass it is "
            "six FLOPs for each parameter and token.",
            partial(_cost, each=4),
        ),
        Mistake(
            "You count one FLOP for each parameter and token. It is six: a "
            "multiplication and an addition, forward once, backward twice.",
            partial(_cost, each=1),
        ),
        Mistake(
            "You let the devices run at their peak. Only `share` of it is "
            "put to use.",
            partial(_cost, speed="peak"),
        ),
        Mistake(
            "The share makes your run shorter. A device of which half is "
            "used takes twice as long: divide by peak * share.",
            partial(_cost, speed="slow"),
        ),
        Mistake(
            "The days are those of one device. All of them work at once.",
            partial(_cost, alone=True),
        ),
        Mistake(
            "The dollars are those of one device. Each of them has to be "
            "paid for every hour.",
            partial(_cost, billed="one"),
        ),
        Mistake(
            "You pay for the devices twice. Hours of one device, if it did "
            "all the work, are device hours already.",
            partial(_cost, billed="twice"),
        ),
        Mistake(
            "You pay for a day what is the price of an hour.",
            partial(_cost, billed="days"),
        ),
        Mistake(
            "You pay for one device, and for a day what is the price of an "
            "hour.",
            lambda *args: (_cost(*args)[0], _cost(*args)[0] * args[-1]),
        ),
        Mistake(
            "The first number is hours. Days are asked for.",
            partial(_cost, day=3600),
        ),
        Mistake(
            "The first number is seconds. Days are asked for.",
            partial(_cost, day=1),
        ),
        Mistake(
            "The two numbers are exchanged: days first, then dollars.",
            lambda *args: _cost(*args)[::-1],
        ),
    ],
    praise="More devices make a run shorter and not cheaper: the dollars do "
    "not depend on their number, as long as the share holds.",
)
