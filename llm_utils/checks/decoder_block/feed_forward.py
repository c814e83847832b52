"""Exercises 3 and 4 of chapter 5: the gated layer, and its width.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import close, other_shape, show, tensor

# -- swiglu(x, gate, up, down) -> (..., C)


def _swiglu(x: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
    return (F.silu(x @ gate) * (x @ up)) @ down


def _some(rows: int, columns: int, start: float) -> Tensor:
    numbers = torch.arange(start, start + rows * columns)
    return (2 * numbers.sin()).view(rows, columns)


swiglu = Exercise(
    name="swiglu",
    asks="write swiglu(x, gate, up, down): (..., C) -> (..., C)",
    reference=_swiglu,
    cases=[
        tuple(torch.tensor([[y]]) for y in (1.0, 2.0, 3.0, 1.0)),
        (
            torch.tensor([[1.0, -1.0]]),
            torch.tensor([[1.0, 0.5], [2.0, -1.0]]),
            torch.tensor([[0.5, 1.0], [-1.0, 2.0]]),
            torch.tensor([[1.0, 0.0], [0.0, 2.0]]),
        ),
        (_some(3, 2, 1), _some(2, 5, 7), _some(2, 5, 17), _some(5, 2, 27)),
        (
            _some(6, 4, 1).view(2, 3, 4),
            *(_some(4, 6, 30), _some(4, 6, 60), _some(6, 4, 90)),
        ),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Gate and up have changed places: the SiLU goes around x @ gate. "
            "A fresh network would train as well like this; one with loaded "
            "weights would talk nonsense.",
            lambda x, gate, up, down: _swiglu(x, up, gate, down),
        ),
        Mistake(
            "Your gate is a sigmoid. That is the older GLU; SiLU is "
            "y * sigmoid(y).",
            lambda x, gate, up, down: (
                (torch.sigmoid(x @ gate) * (x @ up)) @ down
            ),
        ),
        Mistake(
            "Your gate is a GELU: that layer is called GEGLU. SwiGLU's is "
            "SiLU, y * sigmoid(y).",
            lambda x, gate, up, down: (F.gelu(x @ gate) * (x @ up)) @ down,
        ),
        Mistake(
            "Your gate is a GELU: that layer is called GEGLU. SwiGLU's is "
            "SiLU, y * sigmoid(y).",
            lambda x, gate, up, down: (
                (F.gelu(x @ gate, approximate="tanh") * (x @ up)) @ down
            ),
        ),
        Mistake(
            "Your gate is a ReLU: that layer is called ReGLU. SwiGLU's is "
            "SiLU, y * sigmoid(y).",
            lambda x, gate, up, down: (torch.relu(x @ gate) * (x @ up)) @ down,
        ),
        Mistake(
            "You multiply by the transposes. nn.Linear keeps its matrix as "
            "(out, in); these come as (in, out), so x @ gate is all.",
            lambda x, gate, up, down: F.linear(
                F.silu(F.linear(x, gate)) * F.linear(x, up), down
            ),
        ),
        Mistake(
            "You add x to the result. The block does that; the layer returns "
            "only what is to be added.",
            lambda x, gate, up, down: x + _swiglu(x, gate, up, down),
        ),
        Mistake(
            "`up` is not used: there is a gate, and nothing that it opens for.",
            lambda x, gate, up, down: F.silu(x @ gate) @ down,
        ),
        Mistake(
            "You add what the gate should multiply.",
            lambda x, gate, up, down: (F.silu(x @ gate) + x @ up) @ down,
        ),
        Mistake(
            "The SiLU goes around the gate's half alone, before the two are "
            "multiplied.",
            lambda x, gate, up, down: F.silu((x @ gate) * (x @ up)) @ down,
        ),
        Mistake(
            "Both halves go through the SiLU. One of them stays linear.",
            lambda x, gate, up, down: (
                (F.silu(x @ gate) * F.silu(x @ up)) @ down
            ),
        ),
        Mistake(
            "There is no SiLU: two linear maps are multiplied.",
            lambda x, gate, up, down: ((x @ gate) * (x @ up)) @ down,
        ),
        Mistake(
            "The gate is not used: that is a plain feed-forward layer.",
            lambda x, gate, up, down: F.silu(x @ up) @ down,
        ),
        other_shape(_swiglu),
    ],
    praise="Each hidden number has a gate of its own, and the gate reads x.",
)

# -- matched_width(d_model, multiple) -> d_ff


def _width(d_model: int, multiple: int) -> int:
    return multiple * math.ceil(8 * d_model / (3 * multiple))


matched_width = Exercise(
    name="matched_width",
    asks="write matched_width(d_model, multiple), a number",
    reference=_width,
    cases=[(3, 1), (6, 1), (32, 16), (48, 8), (64, 16), (768, 64), (4096, 256)],
    form=number,
    mistakes=[
        Mistake(
            "That is the MLP's own width, 4 * d_model. With three matrices "
            "instead of two it would cost half as much again.",
            lambda d_model, multiple: 4 * d_model,
        ),
        Mistake(
            "You halved the width, as if there were four matrices. Three of "
            "them hold 3 * C * F numbers; the MLP holds 8 * C * C.",
            lambda d_model, multiple: (
                multiple * math.ceil(2 * d_model / multiple)
            ),
        ),
        Mistake(
            "You round down. Asked for is the first multiple that is not "
            "smaller than 8/3 * d_model.",
            lambda d_model, multiple: (
                multiple * (8 * d_model // (3 * multiple))
            ),
        ),
        Mistake(
            "You round to the nearest multiple. Asked for is the first one "
            "that is not smaller.",
            lambda d_model, multiple: (
                multiple * round(8 * d_model / (3 * multiple))
            ),
        ),
        Mistake(
            "The width is not rounded up to a multiple yet.",
            lambda d_model, multiple: 8 * d_model / 3,
        ),
        Mistake(
            "The width is rounded up, but not to a multiple.",
            lambda d_model, multiple: math.ceil(8 * d_model / 3),
        ),
        Mistake(
            "That is how many multiples it takes. Times `multiple`, and it is "
            "the width.",
            lambda d_model, multiple: math.ceil(8 * d_model / 3 / multiple),
        ),
        Mistake(
            "You took two thirds of d_model. The MLP's width, of which it is "
            "two thirds, is 4 * d_model.",
            lambda d_model, multiple: (
                multiple * math.ceil(2 * d_model / 3 / multiple)
            ),
        ),
        Mistake(
            "The width is rounded down, and not to a multiple.",
            lambda d_model, multiple: 8 * d_model // 3,
        ),
        Mistake(
            "You always add a multiple, even where 8/3 * d_model is one "
            "already.",
            lambda d_model, multiple: (
                multiple * (8 * d_model // (3 * multiple) + 1)
            ),
        ),
    ],
    praise="4096 with multiples of 256 gives 11,008: the width of Llama's "
    "first 7B model.",
)
