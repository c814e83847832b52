"""Exercise 6 of chapter 9: which weights stand still in bfloat16, and why.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.checks.scaling.numbers import close, show
from llm_utils.checks.watch import WrongForm


def _share(
    w: Tensor, step: float, dtype: torch.dtype = torch.bfloat16
) -> Tensor:
    b = w.to(dtype)
    return ((b.double() - step).to(dtype) == b).double().mean()


def _rounded_late(w: Tensor, step: float) -> Tensor:
    """The weight is in float32 and is rounded for the comparison."""
    return ((w - step).bfloat16() == w.bfloat16()).double().mean()


def _against_whole(w: Tensor, step: float) -> Tensor:
    return ((w.bfloat16() - step) == w).double().mean()


def _one(x: Any) -> float:
    if isinstance(x, Tensor) and x.numel() != 1:
        raise WrongForm(
            f"a tensor of shape {tuple(x.shape)}; one number is asked for"
        )
    return number(x)


def _spread(n: int, scale: float) -> Tensor:
    """n numbers of many sizes, the same each time."""
    x = torch.linspace(-1, 1, n, dtype=torch.float64)
    return (x * x.abs() * scale).float()


stuck_share = Exercise(
    name="stuck_share",
    asks="write stuck_share(w, step), a number from 0 to 1",
    reference=_share,
    cases=[
        (torch.tensor([1.0, 0.01]), 0.001),
        (torch.tensor([4.0, 1.0, 0.5, 0.1]), 0.003),
        (torch.tensor([1.003, 1.004, 0.3, 0.001]), 0.0012),
        (torch.tensor([1.0, 0.02]), 0.0002),
        (_spread(300, 1.0), 0.0007),
        (_spread(30, 0.1).view(5, 6), 0.0001),
    ],
    form=_one,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You find none that stands still. In float32 every one of these "
            "steps arrives, and none of them is zero in bfloat16: keep the "
            "weight in bfloat16 and ask what becomes of it.",
            partial(_share, dtype=torch.float32),
        ),
        Mistake(
            "That is float16. It has three more bits of fraction than "
            "bfloat16, so fewer weights stand still.",
            partial(_share, dtype=torch.float16),
        ),
        Mistake(
            "Your weight is in float32 until the comparison. A weight that "
            "is *kept* in bfloat16 is rounded before the step, and its "
            "result once more.",
            _rounded_late,
        ),
        Mistake(
            "You compare with the weight in float32. It was rounded when it "
            "became bfloat16, and that is no step: compare with the rounded "
            "one.",
            _against_whole,
        ),
        Mistake(
            "That is the share that moves. Which share stands still?",
            lambda w, step: 1 - _share(w, step),
        ),
        Mistake(
            "That is a percentage. A share is a number from 0 to 1.",
            lambda w, step: 100 * _share(w, step),
        ),
        Mistake(
            "That is how many stand still. Divide by the number of weights.",
            lambda w, step: w.numel() * _share(w, step),
        ),
    ],
    praise="A weight stands still when its step is below 1/512 to 1/256 of "
    "its size.",
)

explanation = choice(
    "B",
    {
        "A": "A cannot be it: here all weights are given the same step, "
        "whatever their gradients are.",
        "C": "C cannot be it: bfloat16 has the range of float32, and a step "
        "of 0.00001 is one of its numbers to within half a percent.",
        "D": "D cannot be it: nothing adds up. The result of a lost step is "
        "the old weight, to the last bit, and so is that of the next one.",
    },
    "Precision is relative: a short fraction loses what is small beside the "
    "weight, not what is small.",
)
