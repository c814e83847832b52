"""Exercise 8 of chapter 5: dropout, with its noise handed over.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _dropout(x: Tensor, noise: Tensor, p: float, training: bool) -> Tensor:
    return x * (noise >= p) / (1 - p) if training else x + 0


X = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
NOISE = torch.tensor([[0.1, 0.6, 0.3, 0.9]])
WIDE = torch.arange(12.0).view(3, 4) - 5
MORE = torch.arange(12.0).mul(5).remainder(12).div(12).view(3, 4)

dropout = Exercise(
    name="dropout",
    asks="repair dropout(x, noise, p, training)",
    reference=_dropout,
    cases=[
        (X, NOISE, 0.5, False),
        (X, NOISE, 0.0, True),
        (X, NOISE, 0.5, True),
        (X, NOISE, 0.25, True),
        (WIDE, MORE, 0.1, True),
        (WIDE, MORE, 0.1, False),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "It still drops numbers in use, so the same prompt gets another "
            "answer each time. When training is False, return x as it is.",
            lambda x, noise, p, training: _dropout(x, noise, p, True),
        ),
        Mistake(
            "In training the sum gets smaller by p, and in use it does not: "
            "the next layer meets larger numbers than it was trained on. "
            "Divide what is kept by 1 - p.",
            lambda x, noise, p, training: (
                x * (noise >= p) if training else x + 0
            ),
        ),
        Mistake(
            "Neither slip is repaired: it drops in use, too, and what is "
            "kept in training is not divided by 1 - p.",
            lambda x, noise, p, training: x * (noise >= p),
        ),
        Mistake(
            "You scale in use, by 1 - p. That is a dropout as well, the "
            "oldest one; asked for is the one that costs nothing in use: "
            "divide in training instead.",
            lambda x, noise, p, training: (
                x * (noise >= p) if training else x * (1 - p)
            ),
        ),
        Mistake(
            "You keep where the noise is below p. There you should drop: a "
            "share p of the numbers goes.",
            lambda x, noise, p, training: (
                x * (noise < p) / (1 - p) if training else x + 0
            ),
        ),
        Mistake(
            "You multiply what is kept by 1 - p. It has to make up for what "
            "is missing: divide.",
            lambda x, noise, p, training: (
                x * (noise >= p) * (1 - p) if training else x + 0
            ),
        ),
        Mistake(
            "You divide by p, the share that goes. What is kept is a share "
            "of 1 - p.",
            lambda x, noise, p, training: (
                x * (noise >= p) / p if training else x + 0
            ),
        ),
        Mistake(
            "You return the mask. It says which numbers of x stay: multiply.",
            lambda x, noise, p, training: (
                (noise >= p) / (1 - p) if training else x + 0
            ),
        ),
        Mistake(
            "You scale in use, too. What is divided in training needs "
            "nothing in use.",
            lambda x, noise, p, training: (
                x * (noise >= p) / (1 - p) if training else x / (1 - p)
            ),
        ),
        Mistake(
            "The switch is the wrong way round: it drops in use, and not in "
            "training.",
            lambda x, noise, p, training: _dropout(x, noise, p, not training),
        ),
        other_shape(_dropout),
    ],
    praise="On average each number stays what it was, in training and in use.",
)
