"""Exercise 8 of chapter 14: the best correction of a given rank.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import show, tensor
from llm_utils.checks.watch import WrongForm

Pair = tuple[Tensor, Tensor]  # B (out, r), A (r, in)


def _best(
    delta: Tensor,
    r: int,
    weak: bool = False,
    strength: int = 1,
    turned: bool = False,
) -> Pair:
    """From the singular value decomposition, with the mistakes as knobs."""
    U, s, Vh = torch.linalg.svd(delta.double(), full_matrices=False)
    keep = slice(len(s) - r, None) if weak else slice(r)
    rows = Vh.T[:r] if turned else Vh[keep]
    return U[:, keep] * s[keep] ** strength, rows


def _first_rows(delta: Tensor, r: int) -> Pair:
    return torch.eye(len(delta)).double()[:, :r], delta[:r].double()


def _form(x: Any) -> Pair:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise WrongForm(f"a {type(x).__name__}; a pair (B, A) is asked for")
    B, A = tensor(x[0]), tensor(x[1])
    if B.dim() != 2 or A.dim() != 2 or B.shape[1] != A.shape[0]:
        raise WrongForm(
            f"B of shape {tuple(B.shape)} and A of {tuple(A.shape)}; B must "
            "have as many columns as A has rows"
        )
    return B, A


def _same(a: Pair, b: Pair) -> bool:
    """The same rank and the same product: the factors are not unique."""
    x, y = a[0] @ a[1], b[0] @ b[1]
    return (
        a[1].shape[0] == b[1].shape[0]
        and x.shape == y.shape
        and torch.allclose(x, y, atol=1e-4)
    )


def _shown(x: Any) -> str:
    if isinstance(x, tuple):
        return f"a product of rank {len(x[1])}: {show(x[0] @ x[1])}"
    return show(x)


def _case(n_out: int, n_in: int, r: int) -> tuple[Tensor, int]:
    rng = torch.Generator().manual_seed(n_out * n_in)
    return torch.randint(-5, 6, (n_out, n_in), generator=rng).double(), r


best_correction = Exercise(
    name="best_correction",
    asks="write best_correction(delta, r), which returns B (out, r) and A "
    "(r, in)",
    reference=_best,
    cases=[_case(2, 2, 1), _case(3, 3, 1), _case(4, 4, 2), _case(3, 5, 2)],
    form=_form,
    same=_same,
    show=_shown,
    mistakes=[
        Mistake(
            "You keep the weakest directions. svd sorts them, the strongest "
            "first.",
            partial(_best, weak=True),
        ),
        Mistake(
            "The strengths are missing: multiply B's columns, or A's rows, "
            "by the singular values.",
            partial(_best, strength=0),
        ),
        Mistake(
            "The strengths come in twice, once with B and once with A.",
            partial(_best, strength=2),
        ),
        Mistake(
            "You copy the first r rows of delta and drop the others. There "
            "is a better sum of r directions.",
            _first_rows,
        ),
        Mistake(
            "torch.linalg.svd returns V transposed already: its first r rows "
            "are what you want.",
            lambda delta, r: (
                _best(delta, r, turned=True)
                if delta.shape[0] == delta.shape[1]
                else _best(delta, r)
            ),
        ),
        Mistake(
            "That is no correction of rank r: B must have r columns.",
            when=lambda args, value: value[0].shape[1] != args[1],
        ),
    ],
    praise="No correction of this rank comes nearer: Eckart and Young, 1936.",
)
