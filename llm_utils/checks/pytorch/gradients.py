"""Exercises 5 and 7 of appendix B: one weight fitted, and a broken loop.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.tensors import close, show, tensor


def _fit(
    x: Tensor,
    y: Tensor,
    steps: int,
    keep: float = 0.0,
    rate: float = 0.1,
    total: bool = False,
) -> Tensor:
    """keep: the share of the old gradient that stays."""
    w, g = torch.zeros(()), torch.zeros(())
    for _ in range(steps):
        slope = 2 * (w * x - y) * x
        g = keep * g + (slope.sum() if total else slope.mean())
        w = w - rate * g
    return w


def _tensor(*values: float) -> Tensor:
    return torch.tensor(values)


fit = Exercise(
    name="fit",
    asks="write fit(x, y, steps), the weight after gradient descent",
    reference=_fit,
    cases=[
        (_tensor(1.0), _tensor(2.0), 1),
        (_tensor(1.0, 2.0), _tensor(2.0, 4.0), 1),
        (_tensor(1.0, 2.0), _tensor(2.0, 4.0), 2),
        (_tensor(1.0, -1.0, 0.5), _tensor(-3.0, 3.0, -1.5), 5),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Gradients pile up: backward() adds to w.grad. Set w.grad to None "
            "after each step.",
            lambda x, y, steps: _fit(x, y, steps, keep=1.0),
        ),
        Mistake(
            "You climb: the gradient points uphill, so subtract it.",
            lambda x, y, steps: _fit(x, y, steps, rate=-0.1),
        ),
        Mistake(
            "Your loss is the sum of the squares; take their mean.",
            lambda x, y, steps: _fit(x, y, steps, total=True),
        ),
        Mistake(
            "One step too few.",
            lambda x, y, steps: _fit(x, y, steps - 1),
        ),
        Mistake(
            "One step too many.",
            lambda x, y, steps: _fit(x, y, steps + 1),
        ),
        Mistake(
            "Your weight has not moved. Inside no_grad, change it in place: "
            "w -= 0.1 * w.grad. A new name on the left is a new tensor.",
            lambda x, y, steps: torch.zeros(()),
        ),
    ],
    praise="Forward, backward, step, clear: every training loop of the book.",
)

explanation = choice(
    "C",
    {
        "A": "The rate is large for some problems and small for others; here "
        "it is the same in the loop that works. Look for a line that cuts "
        "the graph.",
        "B": "Squares of differences have the same mean in either order. The "
        "graph ends before that.",
        "D": "zero_grad before backward is as good as after the step. Only "
        "between backward and step would it lose the gradient.",
    },
    "detach() gives the numbers without their history: the loss is computed, "
    "and there is no way back from it to the weights.",
)
