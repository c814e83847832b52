"""Several numbers at once: read from any form, compared, shown.

For the checks of chapter 9, whose answers are times, bytes and shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from llm_utils.checks import tensors
from llm_utils.checks.forms import number, sequence
from llm_utils.checks.watch import WrongForm

_COUNTS = {2: "two numbers", 3: "three numbers"}


def numbers(count: int) -> Callable[[Any], tuple[float, ...]]:
    """A form for so many numbers, in a tuple, a list, an array."""
    wants = _COUNTS[count]

    def read(x: Any) -> tuple[float, ...]:
        if isinstance(x, (int, float)) or getattr(x, "ndim", 1) == 0:
            raise WrongForm(f"one number; {wants} are asked for")
        values = sequence(x)
        if len(values) != count:
            raise WrongForm(f"{len(values)} values; {wants} are asked for")
        return tuple(map(number, values))

    return read


def close(a: float, b: float) -> bool:
    """Equal to about three digits: a rounded answer is a right one."""
    return math.isclose(a, b, rel_tol=2e-3, abs_tol=1e-12)


def all_close(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(map(close, a, b))


def show(x: Any) -> str:
    """1,234 as it is, 1.234e+15 short; tuples in parentheses."""
    if isinstance(x, torch.Tensor):
        return tensors.show(x)
    if isinstance(x, tuple):
        return f"({', '.join(map(show, x))})"
    if isinstance(x, list):
        return f"[{', '.join(map(show, x))}]"
    if isinstance(x, (bool, str)) or callable(x):
        return getattr(x, "__name__", None) or ascii(x)
    if x == int(x) and abs(x) < 1e6:
        return str(int(x))
    return f"{x:.4g}"
