"""Exercise 5 of chapter 4: from one form of RoPE to the other.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor

# -- half_split_rows(weight, n_heads) -> the same rows in another order


def _rows(weight: Tensor, n_heads: int) -> Tensor:
    rows = weight.unflatten(0, (n_heads, -1, 2))  # (H, D / 2, 2, C)
    return rows.transpose(1, 2).flatten(0, 2)


def _rows_back(weight: Tensor, n_heads: int) -> Tensor:
    rows = weight.unflatten(0, (n_heads, 2, -1))
    return rows.transpose(1, 2).flatten(0, 2)


def _odd_first(weight: Tensor, n_heads: int) -> Tensor:
    rows = weight.unflatten(0, (n_heads, -1, 2)).flip(2)
    return rows.transpose(1, 2).flatten(0, 2)


def _columns(weight: Tensor, n_heads: int) -> Tensor:
    return torch.cat((weight[:, 0::2], weight[:, 1::2]), 1)


def _weight(rows: int, columns: int) -> Tensor:
    return torch.arange(float(rows * columns)).view(rows, columns)


half_split_rows = Exercise(
    name="half_split_rows",
    asks="write half_split_rows(weight, n_heads): the rows of (H * D, C), put "
    "into the order that rope expects",
    reference=_rows,
    cases=[
        (_weight(4, 1), 1),
        (_weight(6, 1), 1),
        (_weight(8, 1), 2),
        (_weight(12, 2), 2),
        (_weight(8, 3), 1),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "That is the way back: from halves to neighbors. Row 2i of a "
            "head should become its row i.",
            _rows_back,
        ),
        Mistake(
            "You order the rows across all heads, so that heads swap rows. "
            "Each head's D rows stay together: order them within the head.",
            lambda weight, n_heads: _rows(weight, 1),
        ),
        Mistake(
            "The halves have changed places: the even rows, which were first "
            "in their pairs, make up the first half.",
            _odd_first,
        ),
        Mistake(
            "You order the columns, which are what a projection reads. What "
            "it writes, a head's vector, are its rows.",
            _columns,
        ),
        Mistake(
            "You cut the rows into pieces of n_heads rows. A head is a piece "
            "of D rows: view(n_heads, D, C), in this order.",
            lambda weight, n_heads: (
                weight.unflatten(0, (-1, 2, n_heads))
                .transpose(0, 1)
                .flatten(0, 2)
            ),
        ),
        Mistake(
            "The rows are as they came.", lambda weight, n_heads: weight.clone()
        ),
        other_shape(_rows),
    ],
    praise="Same model, same scores: only the names of the columns changed.",
)
