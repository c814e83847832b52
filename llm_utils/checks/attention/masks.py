"""Exercise 1 of chapter 3: the mask of several texts in one row.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.model.attention import causal_mask


def _same(docs: Tensor) -> Tensor:
    return docs[:, None] == docs


def _mask(docs: Tensor) -> Tensor:
    return _same(docs) & causal_mask(len(docs))


def _strict(docs: Tensor) -> Tensor:
    return _same(docs) & causal_mask(len(docs)).tril(-1)


def _not_later(docs: Tensor) -> Tensor:
    return (docs[:, None] >= docs) & causal_mask(len(docs))


def _bias(args: tuple[Any, ...], value: Tensor) -> bool:
    """Zeros, and large negative numbers where it is forbidden."""
    mask = _mask(args[0])
    fits = value.shape == mask.shape and not value[mask].any()
    return fits and bool((value[~mask] < -1).all())


document_mask = Exercise(
    name="document_mask",
    asks="write document_mask(docs), a mask of shape (T, T)",
    reference=_mask,
    cases=[
        (torch.tensor([0]),),
        (torch.tensor([0, 0]),),
        (torch.tensor([0, 1]),),
        (torch.tensor([0, 0, 1]),),
        (torch.tensor([0, 0, 1, 1]),),
        (torch.tensor([5, 2, 2, 9]),),
        (torch.tensor([0, 0, 0, 1, 1, 2, 2, 2]),),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Every token sees every token of its document, also those that "
            "come later. Keep the past: key <= query.",
            _same,
        ),
        Mistake(
            "The mask is causal, but a token still sees into the documents "
            "before its own. Keep only keys with the same number in docs.",
            lambda docs: causal_mask(len(docs)),
        ),
        Mistake(
            "Rows and columns are swapped: row t says what query t may see, "
            "so row 0 has a single True, and the last one the most.",
            lambda docs: _mask(docs).T,
        ),
        Mistake(
            "Inverted. True means: may look.",
            lambda docs: ~_mask(docs),
        ),
        Mistake(
            "The shape is not (T, T): one row for each query, with one entry "
            "for each key, and no other axes. docs[:, None] == docs has it.",
            when=lambda args, value: tuple(value.shape) != 2 * (len(args[0]),),
        ),
        Mistake(
            "A token may look at itself, too. Else the first one of each "
            "document has nothing to look at, and its softmax divides 0 by "
            "0: key <= query, not <.",
            _strict,
        ),
        Mistake(
            "That is what is added to the scores, 0 or minus infinity. "
            "Return the mask itself: True where a query may look.",
            when=_bias,
        ),
        Mistake(
            "Your two conditions are joined by 'or'. Both must hold, the same "
            "text and not the future: & in place of |.",
            lambda docs: _same(docs) | causal_mask(len(docs)),
        ),
        Mistake(
            "Earlier documents are let in: both numbers in docs have to be "
            "equal, ==, and >= is not enough.",
            _not_later,
        ),
        Mistake(
            "You compare neighbors only. Two tokens belong together if their "
            "numbers in docs are equal, however far apart they are.",
            lambda docs: _mask(docs) & causal_mask(len(docs), window=2),
        ),
    ],
    praise="Packed rows train as if each document stood alone, and no "
    "position is wasted on padding.",
)
