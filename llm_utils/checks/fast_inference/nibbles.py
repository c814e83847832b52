"""Exercises 8 and 9 of chapter 11: two numbers in a byte, and a range.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.tensors import close, show, tensor

_ids: Callable[[object], list[int]] = lambda x: [  # noqa: E731
    int(v) for v in sequence(x)
]


def _pack(
    codes: Sequence[int], low: int = 0, add: int = 0, mask: int = 15
) -> list[int]:
    """Pairs into bytes, with the mistakes as knobs."""
    pairs = list(zip(codes[low::2], codes[1 - low :: 2], strict=False))
    return [(a + add & mask) + 16 * (b + add & mask) for a, b in pairs]


def _unmasked(codes: Sequence[int]) -> list[int]:
    pairs = zip(codes[::2], codes[1::2], strict=False)
    return [a + 16 * b for a, b in pairs]


def _halves(codes: Sequence[int]) -> list[int]:
    half = len(codes) // 2
    pairs = zip(codes[:half], codes[half:], strict=False)
    return [(a & 15) + 16 * (b & 15) for a, b in pairs]


pack_row = Exercise(
    name="pack_row",
    asks="write pack_row(codes), a list of bytes, half as many",
    reference=_pack,
    cases=[
        ([1, 2],),
        ([3, 0, 7, 5],),
        ([-1, 2],),
        ([5, -8],),
        ([-8, 7, -3, -4, 0, 6],),
    ],
    form=_ids,
    mistakes=[
        Mistake(
            "The two halves of each byte are exchanged: the first of a pair "
            "belongs in the lower four bits.",
            partial(_pack, low=1),
        ),
        Mistake(
            "Negative numbers come out wrong: a Python -1 has ones all the "
            "way to the left. Keep the lower four bits of each, x & 15.",
            _unmasked,
        ),
        Mistake(
            "You add 8 first. That is another code, in which 0 is stored as "
            "8; here the lower four bits of the number itself are kept.",
            partial(_pack, add=8),
        ),
        Mistake(
            "You pair the first half of the row with the second. Neighbors "
            "go together.",
            _halves,
        ),
        Mistake(
            "You keep three bits of each number, and lose the sign.",
            partial(_pack, mask=7),
        ),
    ],
    praise="Nothing is lost: to read it, shift a signed byte left and right.",
)


def _range(
    w: Tensor,
    bits: int,
    steps: int = 1,
    offset: bool = True,
    cut: bool = False,
    safe: bool = True,
) -> Tensor:
    """Rounded to even steps from min to max; the mistakes are knobs."""
    low, high = w.min(), w.max()
    s = (high - low) / (2**bits - steps)
    if safe and s == 0:
        return w.clone()
    codes = (w - low) / s
    codes = codes.floor() if cut else codes.round()
    return codes * s + (low if offset else 0.0)


def _symmetric(w: Tensor, bits: int) -> Tensor:
    s = w.abs().max() / (2 ** (bits - 1) - 1)
    return (w / s).round() * s if s > 0 else w.clone()


def _from_zero(w: Tensor, bits: int) -> Tensor:
    s = (w.max() - w.min()) / (2**bits - 1)
    return (w / s).round() * s if s > 0 else w.clone()


rounded_range = Exercise(
    name="rounded_range",
    asks="write rounded_range(w, bits), the weights as they come back",
    reference=_range,
    cases=[
        (torch.tensor([0.0, 1.0, 3.2]), 2),
        (torch.tensor([1.0, 1.4, 2.0, 2.5]), 2),
        (torch.tensor([-0.13, 0.62, 0.31, 0.05, 0.44, 0.29]), 3),
        (torch.tensor([0.3, 0.3, 0.3]), 4),
        (torch.linspace(-1, 2, 23).sin(), 4),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "So many bits write 2 ** bits numbers, and between those lie one "
            "fewer steps: divide the range by 2 ** bits - 1.",
            partial(_range, steps=0),
        ),
        Mistake(
            "That is the chapter's rule, even on both sides of zero. Here the "
            "steps begin at the smallest weight.",
            _symmetric,
        ),
        Mistake(
            "The smallest weight was taken off before rounding and must be "
            "added again.",
            partial(_range, offset=False),
        ),
        Mistake(
            "You cut off. To the nearest step: round.",
            partial(_range, cut=True),
        ),
        Mistake(
            "Your steps begin at zero. Take the smallest weight off first, "
            "so that it lies on a step itself.",
            _from_zero,
        ),
        Mistake(
            "A group whose weights are all equal has a step of zero, and "
            "dividing by it gives nan. Give such a group back as it is.",
            partial(_range, safe=False),
        ),
    ],
    praise="No level is wasted on a side where no weight lies; the price is a "
    "second number for each group.",
)
