"""Tensors in an exercise: read from any form, equal up to rounding, shown.

For checks of the chapters on the model; `forms` has what needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks.exercise import Mistake
from llm_utils.checks.watch import WrongForm

SHOWN = 32  # numbers of a tensor that a message prints; of more, the shape


def tensor(x: Any) -> Tensor:
    """float64 from a tensor, an array, a number or (nested) lists of them."""
    if isinstance(x, (list, tuple)) and x:
        try:
            return torch.stack([tensor(y) for y in x])
        except RuntimeError as error:
            raise WrongForm("a list whose parts differ in shape") from error
    kind = type(x).__name__
    if isinstance(x, (str, bytes, dict, set)) or callable(x):
        raise WrongForm(f"a {kind}; a tensor is asked for")
    try:
        return torch.as_tensor(x).detach().double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise WrongForm(f"a {kind}; a tensor is asked for") from error


def close(a: Tensor, b: Tensor) -> bool:
    """The same shape, and the same numbers but for rounding."""
    return a.shape == b.shape and torch.allclose(
        a, b, rtol=1e-4, atol=1e-5, equal_nan=True
    )


def show(x: Any) -> str:
    """A short tensor in full, a long one by its shape, a function by name."""
    if isinstance(x, Tensor) and x.numel() > SHOWN:
        return f"<a tensor of shape {tuple(x.shape)}>"
    if isinstance(x, Tensor):
        return _numbers(x.tolist())
    return getattr(x, "__name__", None) or ascii(x)


def _numbers(x: Any) -> str:
    if isinstance(x, list):
        return f"[{', '.join(map(_numbers, x))}]"
    # + 0.0: a zero has no sign for the reader
    return f"{x + 0.0:.4g}" if isinstance(x, float) else str(x)


def other_shape(reference: Callable[..., Any]) -> Mistake:
    """For a value of the wrong shape, whatever its numbers are."""
    return Mistake(
        "The shape is not the one that is asked for.",
        when=lambda args, value: (
            tuple(value.shape) != tuple(tensor(reference(*args)).shape)
        ),
    )
