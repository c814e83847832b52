"""Exercises 5 and 7 of chapter 5: how the stream grows.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show, tensor

# -- three sizes, predicted

SIZES = [3.0, 5.0, math.sqrt(2)]


def _sizes_agree(a: Tensor, b: Tensor) -> bool:
    """To one decimal, which is what paper gives."""
    return a.shape == b.shape and bool(((a - b).abs() < 0.05).all())


def _right_up_to(k: int) -> Callable[[Any, Any], bool]:
    right = torch.tensor(SIZES[:k]).double()
    return lambda args, value: _sizes_agree(value[:k], right)


stream_sizes = Exercise(
    name="stream_sizes",
    asks="write down the three sizes, in order, as a list",
    reference=lambda: SIZES,
    form=tensor,
    same=_sizes_agree,
    mistakes=[
        Mistake(
            "Three sizes are asked for.",
            when=lambda args, value: tuple(value.shape) != (3,),
        ),
        Mistake(
            "You added the sizes. Independent vectors seldom point the same "
            "way: it is their mean squares that add up, and the root comes "
            "last.",
            lambda: [9.0, 25.0, 1 + 24 / math.sqrt(24)],
        ),
        Mistake(
            "Those are mean squares. The size is their root.",
            lambda: [9.0, 25.0, 2.0],
        ),
        Mistake(
            "The first two are mean squares. The size is their root, as in "
            "your third.",
            lambda: [9.0, 25.0, math.sqrt(2)],
        ),
        Mistake(
            "A block adds twice: once attention, once the feed-forward "
            "layer. Four blocks are eight additions.",
            lambda: [math.sqrt(5), math.sqrt(13), math.sqrt(1.5)],
        ),
        Mistake(
            "You forgot what was there before the first block: the stream "
            "begins with a mean square of 1.",
            lambda: [math.sqrt(8), math.sqrt(24), 1.0],
        ),
        Mistake(
            "The first two are right. In the third, each of the 24 additions "
            "is smaller by sqrt(24), so its mean square by 24. What do they "
            "come to together, and what was there before?",
            when=_right_up_to(2),
        ),
        Mistake(
            "The first is right. The second has 24 additions instead of 8, "
            "and nothing else is new.",
            when=_right_up_to(1),
        ),
        Mistake(
            "The first is off already. Write down the mean square before, "
            "what each of the eight additions contributes, and take the root "
            "of the sum.",
            when=lambda args, value: True,
        ),
    ],
    praise="The roots of 1 + 8, of 1 + 24 and of 1 + 1.",
)

# -- relative_change(before, after) -> number


def _rms(x: Tensor) -> float:
    return x.double().square().mean().sqrt().item()


relative_change = Exercise(
    name="relative_change",
    asks="write relative_change(before, after), a number",
    reference=lambda before, after: _rms(after - before) / _rms(before),
    cases=[
        (torch.tensor([[3.0, 4.0]]), torch.tensor([[3.0, 4.0]])),
        (torch.tensor([[3.0, 4.0]]), torch.tensor([[6.0, 4.0]])),
        (torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.ones(2, 2)),
        (torch.tensor([[3.0, 4.0]]), torch.tensor([[-4.0, 3.0]])),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-6),
    show=show,
    mistakes=[
        Mistake(
            "That is how large the stream is afterwards, compared with "
            "before. Asked for is the change: after - before.",
            lambda before, after: _rms(after) / _rms(before),
        ),
        Mistake(
            "That is by how much the size grew. A vector can keep its size "
            "and change completely: take the size of after - before.",
            lambda before, after: _rms(after) / _rms(before) - 1,
        ),
        Mistake(
            "That is the size of the change. Divide it by the size of what "
            "was there before.",
            lambda before, after: _rms(after - before),
        ),
        Mistake(
            "You divide by the size after the block. What was there before "
            "is the measure.",
            lambda before, after: _rms(after - before) / _rms(after),
        ),
        Mistake(
            "You divide number by number. Take the size of the whole change "
            "and the size of all that was there, then divide.",
            lambda before, after: _rms((after - before) / before),
        ),
        Mistake(
            "You divide number by number. Take the size of the whole change "
            "and the size of all that was there, then divide.",
            lambda before, after: (
                ((after - before) / before).abs().mean().item()
            ),
        ),
        Mistake(
            "You take the mean of the absolute values. Size is the root mean "
            "square, in both places.",
            lambda before, after: (
                (after - before).abs().mean() / before.abs().mean()
            ).item(),
        ),
        Mistake(
            "That is in percent. A share of 1 is all that was there.",
            lambda before, after: 100 * _rms(after - before) / _rms(before),
        ),
        Mistake(
            "Those are mean squares: the root is missing.",
            lambda before, after: (_rms(after - before) / _rms(before)) ** 2,
        ),
        Mistake(
            "You take the mean of the differences, in which ups and downs "
            "cancel. Square first.",
            lambda before, after: (
                (after - before).mean().item() / before.mean().item()
            ),
        ),
    ],
    praise="1 would mean that a block adds as much as was there.",
)

explanation = choice(
    "B",
    {
        "A": "A cannot be it: all blocks draw their weights in the same way. "
        "Look at what the last one writes: it is as large as the "
        "first's.",
        "C": "C cannot be it: nothing was trained, and no gradient computed.",
        "D": "D cannot be it: the norm makes every vector the same size, so "
        "the last block reads as much as the first.",
    },
    "The same spoonful in an ever larger soup.",
)
