"""Exercises 4 and 5 of chapter 3: heads cut apart, and heads shared.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.model import attention

# -- split_heads(x, n_heads): (B, T, C) -> (B, H, T, D)


def _only_view(x: Tensor, n_heads: int) -> Tensor:
    B, T, C = x.shape
    return x.reshape(B, n_heads, T, C // n_heads)


def _no_transpose(x: Tensor, n_heads: int) -> Tensor:
    B, T, C = x.shape
    return x.reshape(B, T, n_heads, C // n_heads)


def _interleaved(x: Tensor, n_heads: int) -> Tensor:
    """Head h takes every n_heads-th feature."""
    B, T, C = x.shape
    return x.reshape(B, T, C // n_heads, n_heads).permute(0, 3, 1, 2)


def _swapped(x: Tensor, n_heads: int) -> Tensor:
    """(B, H, D, T): one transpose too far."""
    return attention.split_heads(x, n_heads).mT


def _over_batch(x: Tensor, n_heads: int) -> Tensor:
    return attention.split_heads(x, n_heads).flatten(0, 1)


def _not_shaped(args: tuple[Any, ...], value: Tensor) -> bool:
    x, H = args
    B, T, C = x.shape
    return tuple(value.shape) != (B, H, T, C // H)


def _not_shared(args: tuple[Any, ...], value: Tensor) -> bool:
    k, H = args
    B, _, S, D = k.shape
    return tuple(value.shape) != (B, H, S, D)


def _count(*shape: int) -> Tensor:
    return torch.arange(torch.Size(shape).numel()).view(shape).float()


split_heads = Exercise(
    name="split_heads",
    asks="repair split_heads(x, n_heads), so that a head of position t holds "
    "numbers of position t only",
    reference=attention.split_heads,
    cases=[
        (_count(1, 1, 4), 2),
        (_count(1, 2, 2), 1),
        (_count(1, 2, 4), 2),
        (_count(1, 3, 4), 2),
        (_count(2, 3, 6), 3),
        (_count(3, 4, 8), 2),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You still cut the flat row of numbers into H pieces, whatever "
            "position they belong to. First split C into H times D, then "
            "move the axis H before T: a transpose, which view cannot be.",
            _only_view,
        ),
        Mistake(
            "The split is right; the axes are (B, T, H, D). Move H before T "
            "with transpose(1, 2), so that each head is a matrix (T, D).",
            _no_transpose,
        ),
        Mistake(
            "Head h takes every H-th number. No position leaks, and a model "
            "could be trained like that, but it is not the order of real "
            "weights: head h holds D numbers in a row, view(B, T, H, D).",
            _interleaved,
        ),
        Mistake(
            "One transpose too many: the last two axes are (D, T), and they "
            "should be (T, D).",
            _swapped,
        ),
        Mistake(
            "The numbers are right, but heads and batch are one axis. Keep "
            "four: (B, H, T, D).",
            _over_batch,
        ),
        Mistake(
            "The shape is not (B, H, T, D). Print the shape after each step: "
            "which two axes have to change places?",
            when=_not_shaped,
        ),
    ],
    praise="view renames places and moves nothing; only a transpose changes "
    "which axis comes first.",
)

# -- share_heads(k, n_heads): (B, K, S, D) -> (B, H, S, D)


def _tiled(k: Tensor, n_heads: int) -> Tensor:
    return k.repeat(1, n_heads // k.shape[1], 1, 1)


def _along_keys(k: Tensor, n_heads: int) -> Tensor:
    return k.repeat_interleave(n_heads // k.shape[1], dim=2)


def _along_numbers(k: Tensor, n_heads: int) -> Tensor:
    return k.repeat_interleave(n_heads // k.shape[1], dim=3)


def _too_many(k: Tensor, n_heads: int) -> Tensor:
    return k.repeat_interleave(n_heads, dim=1)


def _reshaped(k: Tensor, n_heads: int) -> Tensor:
    """Tiled along D, then called heads: the numbers of a head mix."""
    B, K, S, D = k.shape
    return k.repeat(1, 1, 1, n_heads // K).reshape(B, n_heads, S, D)


share_heads = Exercise(
    name="share_heads",
    asks="write share_heads(k, n_heads), which gives each query head its key "
    "head",
    reference=attention.repeat_heads,
    cases=[
        (_count(1, 1, 1, 2), 2),
        (_count(1, 2, 1, 1), 2),
        (_count(1, 2, 1, 1), 4),
        (_count(1, 2, 2, 1), 4),
        (_count(2, 3, 2, 2), 6),
        (_count(1, 2, 3, 2), 8),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You repeat the whole row of heads, 0 1 0 1. Query heads that "
            "share stand side by side: 0 0 1 1, each head H / K times "
            "(repeat_interleave, not repeat).",
            _tiled,
        ),
        Mistake(
            "You repeat along the keys: each position comes several times. "
            "Repeat along the axis of heads, dim=1.",
            _along_keys,
        ),
        Mistake(
            "You repeat along the last axis: the keys become longer. Repeat "
            "along the axis of heads, dim=1.",
            _along_numbers,
        ),
        Mistake(
            "You repeat each head H times. H heads there should be in all, "
            "so each of the K comes H / K times.",
            _too_many,
        ),
        Mistake(
            "You repeat each head K times, and there are K of them. H heads "
            "there should be in all, so each comes H / K times.",
            lambda k, n_heads: k.repeat_interleave(k.shape[1], dim=1),
        ),
        Mistake(
            "The shape is not (B, H, S, D). Only the axis of heads grows, "
            "dim=1; without a dim, repeat_interleave makes one long row.",
            when=_not_shared,
        ),
        Mistake(
            "The shape is right, but a reshape has mixed the numbers of "
            "positions. Repeat along the axis of heads itself.",
            _reshaped,
        ),
    ],
    praise="What is shared is stored once: the K heads are all that a model "
    "has to remember of its past.",
)
