"""Exercises 2 and 3 of appendix B: a comparison that broadcasts, and a mask.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _one_hot(ids: Tensor, V: int) -> Tensor:
    return (ids[:, None] == torch.arange(V)).double()


one_hot = Exercise(
    name="one_hot",
    asks="write one_hot(ids, V), a table (T, V) with a single 1 in each row",
    reference=_one_hot,
    cases=[
        (torch.tensor([0]), 2),
        (torch.tensor([1]), 3),
        (torch.tensor([2, 0]), 3),
        (torch.tensor([1, 1, 3]), 4),
        (torch.tensor([4, 0, 2, 4, 1]), 6),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Rows and columns are swapped: one row for each id, one column "
            "for each entry of the vocabulary. Put None behind ids.",
            lambda ids, V: _one_hot(ids, V).T,
        ),
        Mistake(
            "You count from 1. Id 0 is the first column.",
            lambda ids, V: _one_hot(ids - 1, V),
        ),
        Mistake(
            "Each row has ones up to the id. Equal, ==, and not >= or >.",
            lambda ids, V: (ids[:, None] >= torch.arange(V)).double(),
        ),
        Mistake(
            "A mask the wrong way round: 1 where they are equal, 0 elsewhere.",
            lambda ids, V: 1 - _one_hot(ids, V),
        ),
        Mistake(
            "All rows are added up into one. Keep a row for each id.",
            lambda ids, V: _one_hot(ids, V).sum(0),
        ),
        other_shape(_one_hot),
    ],
    praise="The comparison (T, 1) == (V,) made T times V answers at once.",
)


def _masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum(-1) / mask.sum(-1)


def _rows(*rows: list[float]) -> Tensor:
    return torch.tensor(rows)


masked_mean = Exercise(
    name="masked_mean",
    asks="write masked_mean(x, mask): (B, T) and (B, T) to (B,)",
    reference=_masked_mean,
    cases=[
        (_rows([2.0, 4.0]), torch.tensor([[True, True]])),
        (_rows([2.0, 4.0]), torch.tensor([[True, False]])),
        (
            _rows([1.0, 3.0, 9.0], [5.0, 7.0, 8.0]),
            torch.tensor([[True, True, False], [False, False, True]]),
        ),
        (
            _rows([1.0, -1.0, 2.0, 6.0], [0.0, 4.0, 4.0, 4.0]),
            torch.tensor([[1, 0, 1, 1], [1, 1, 0, 1]]).bool(),
        ),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You divide by all T places. Divide by how many count, "
            "mask.sum(-1); zeros that stand in are no data.",
            lambda x, mask: (x * mask).mean(-1),
        ),
        Mistake(
            "The mask selects what is to be left out. True means: counts.",
            lambda x, mask: (x * ~mask).sum(-1) / (~mask).sum(-1).clamp(min=1),
        ),
        Mistake(
            "That is one mean over the whole table: x[mask] forgets which row "
            "a number came from. Give one mean for each row.",
            lambda x, mask: x[mask].mean(),
        ),
        Mistake(
            "You average over the batch. The last axis, -1, is time.",
            lambda x, mask: (x * mask).sum(0) / mask.sum(0).clamp(min=1),
        ),
        Mistake(
            "That is the sum. Divide by how many count in each row.",
            lambda x, mask: (x * mask).sum(-1),
        ),
        Mistake(
            "The mask is not used: the mean is over all of the row.",
            lambda x, mask: x.mean(-1),
        ),
        other_shape(_masked_mean),
    ],
    praise="The same two lines average a loss over the targets that count.",
)
