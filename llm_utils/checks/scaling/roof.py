"""Exercise 4 of chapter 9: the least time that a matrix product takes.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number, sequence
from llm_utils.checks.scaling import numbers
from llm_utils.checks.watch import WrongForm

WALLS = ("arithmetic", "memory")


def _time(
    m: int,
    k: int,
    n: int,
    F: float,
    W: float,
    size: int,
    each: float = 2,
    join: Callable[..., float] = max,
    moved: str = "all",
    turned: bool = False,
) -> tuple[float, str]:
    """Seconds and the wall, with the mistakes as knobs."""
    count = {
        "all": m * k + k * n + m * n,
        "read": m * k + k * n,
        "weights": k * n,
        "product": m * k * n,
    }[moved]
    times = each * m * k * n / F, size * count / W
    wall = WALLS[(times[0] < times[1]) != turned]
    return join(*times), wall


def _least(a: float, b: float) -> float:
    return min(a, b)


def _sum(a: float, b: float) -> float:
    return a + b


def _timed(x: Any) -> tuple[float, str]:
    """(seconds, wall) from any two of that kind."""
    if isinstance(x, (int, float, str)):
        raise WrongForm(
            f"a {type(x).__name__}; two values are asked for, seconds and a "
            "word"
        )
    values = sequence(x)
    if len(values) != 2 or not isinstance(values[1], str):
        raise WrongForm("something else; seconds and a word are asked for")
    return number(values[0]), values[1].strip().lower()


def _same(a: tuple[float, str], b: tuple[float, str]) -> bool:
    return numbers.close(a[0], b[0]) and a[1] == b[1]


product_time = Exercise(
    name="product_time",
    asks="write product_time(m, k, n, F, W, size), which returns the seconds "
    "and 'arithmetic' or 'memory'",
    reference=_time,
    cases=[
        (2, 3, 4, 10.0, 10.0, 1),
        (2, 3, 4, 100.0, 1.0, 2),
        (8, 8, 8, 10.0, 40.0, 4),
        (1, 4096, 4096, 989e12, 3.35e12, 2),
        (512, 4096, 4096, 989e12, 3.35e12, 2),
    ],
    form=_timed,
    same=_same,
    show=numbers.show,
    mistakes=[
        Mistake(
            "You count one FLOP for each pair of numbers. A multiplication "
            "and an addition are two: 2 m k n.",
            partial(_time, each=1),
        ),
        Mistake(
            "You add both times. Arithmetic and memory work side by side, so "
            "at best the slower one hides the other: take the larger.",
            partial(_time, join=_sum),
        ),
        Mistake(
            "You take the shorter time. The product is done when both are: "
            "take the larger.",
            partial(_time, join=_least),
        ),
        Mistake(
            "You forget to write the result: m n numbers move as well.",
            partial(_time, moved="read"),
        ),
        Mistake(
            "You move the second matrix only. The first one is read too, and "
            "the result is written.",
            partial(_time, moved="weights"),
        ),
        Mistake(
            "You fetch two numbers anew for each multiplication. A number "
            "that has been fetched is used many times: each matrix moves "
            "once.",
            partial(_time, moved="product"),
        ),
        Mistake(
            "You count numbers, and W is in bytes. Each number has `size` "
            "of them.",
            lambda m, k, n, F, W, size: _time(m, k, n, F, W, 1),
        ),
        Mistake(
            "The seconds are right and the word is not. The wall is the one "
            "that takes longer.",
            partial(_time, turned=True),
        ),
        Mistake(
            "You divide the wrong way round: seconds are work divided by "
            "speed.",
            lambda *args: (1 / _time(*args)[0], _time(*args)[1]),
        ),
        Mistake(
            "The word is 'arithmetic' or 'memory'.",
            when=lambda args, value: value[1] not in WALLS,
        ),
    ],
    praise="One row costs as much as a hundred, as long as memory is the "
    "wall: a batch is nearly free until the roof bends.",
)
