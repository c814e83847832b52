"""Exercise 6 of chapter 14: rows for tokens that nobody has met.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor


def _grown(table: Tensor, k: int) -> Tensor:
    return torch.cat((table, table.mean(0).expand(k, -1)))


def _with(row: Tensor, table: Tensor, k: int) -> Tensor:
    return torch.cat((table, row.expand(k, -1)))


def _case(V: int, C: int, k: int) -> tuple[Tensor, int]:
    rng = torch.Generator().manual_seed(V + C)
    return torch.randint(-6, 7, (V, C), generator=rng).double(), k


new_rows = Exercise(
    name="new_rows",
    asks="write new_rows(table, k): (V, C) -> (V + k, C)",
    reference=_grown,
    cases=[_case(2, 2, 1), _case(3, 2, 2), _case(5, 4, 3), _case(4, 4, 1)],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The new rows are zeros. Their logit is 0 everywhere, and the "
            "logits of tokens that do not fit are far below it.",
            lambda table, k: _with(torch.zeros(table.shape[1]), table, k),
        ),
        Mistake(
            "The new rows are the sum of the old ones. Divide by how many "
            "they are.",
            lambda table, k: _with(table.sum(0), table, k),
        ),
        Mistake(
            "The new rows repeat the last old one. The model would take the "
            "new tokens for that one.",
            lambda table, k: _with(table[-1], table, k),
        ),
        Mistake(
            "The new rows stand before the old ones, and every old id has "
            "moved. They come behind.",
            lambda table, k: _grown(table, k).roll(k, 0),
        ),
        Mistake(
            "Those are the new rows alone. Return the whole table, the old "
            "rows first.",
            lambda table, k: table.mean(0).expand(k, -1),
        ),
        Mistake(
            "The shape is not (V + k, C).",
            when=lambda args, value: (
                tuple(value.shape) != (len(args[0]) + args[1], len(args[0].T))
            ),
        ),
        Mistake(
            "The old rows have changed. They must stay as they are.",
            when=lambda args, value: not close(value[: len(args[0])], args[0]),
        ),
    ],
    praise="The mean of the rows has the mean of the logits, which is far "
    "below those of the tokens that fit.",
)
