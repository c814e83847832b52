"""Exercise 7 of chapter 2: the gradient of a table of logits.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor


def _errors(W: Tensor, x: Tensor, y: Tensor, dim: int = -1) -> Tensor:
    """(N, V): p - y for each pair."""
    p = W.double()[x].softmax(dim)
    return p - F.one_hot(y, W.shape[1])


def _added(W: Tensor, rows: Tensor, errors: Tensor) -> Tensor:
    return torch.zeros_like(W.double()).index_add(0, rows, errors)


def _grad(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return _added(W, x, _errors(W, x, y) / len(x))


def _last_wins(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    grad = torch.zeros_like(W.double())
    for a, error in zip(x.tolist(), _errors(W, x, y), strict=True):
        grad[a] = error / len(x)
    return grad


def _by_row(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Each row divided by its own count, not by that of all pairs."""
    n = torch.bincount(x, minlength=len(W)).clamp(min=1)
    return _added(W, x, _errors(W, x, y)) / n[:, None]


def _no_target(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return _added(W, x, W.double()[x].softmax(-1) / len(x))


def _only_target(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The loss reads one number a pair, so only that one seems to move."""
    errors = _errors(W, x, y) * F.one_hot(y, W.shape[1])
    return _added(W, x, errors / len(x))


def _no_softmax(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    errors = W.double()[x] - F.one_hot(y, W.shape[1])
    return _added(W, x, errors / len(x))


def _every_row(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """errors[:, y] -= 1: all targets taken off in all rows."""
    errors = W.double()[x].softmax(-1)
    errors[:, y] -= 1
    return _added(W, x, errors / len(x))


def _whole_table(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Softmax of all rows, also of tokens that never come."""
    pairs = torch.zeros_like(W.double())
    pairs.index_put_((x, y), torch.ones(len(x)).double(), accumulate=True)
    return (W.double().softmax(-1) - pairs) / len(x)


def _put(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The entry of the target is -1, not p - 1."""
    errors = W.double()[x].softmax(-1)
    errors[torch.arange(len(x)), y] = -1
    return _added(W, x, errors / len(x))


def _one_per_pair(args: tuple[Any, ...], value: Tensor) -> bool:
    W, x, _ = args
    return tuple(value.shape) == (len(x), W.shape[1])


def _case(
    x: list[int], y: list[int], V: int, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    W = torch.randn(V, V, generator=rng)
    return W, torch.tensor(x), torch.tensor(y)


table_grad = Exercise(
    name="table_grad",
    asks="write table_grad(W, x, y), the gradient of the mean loss",
    reference=_grad,
    cases=[
        (torch.zeros(2, 2), torch.tensor([0]), torch.tensor([1])),
        (torch.zeros(2, 2), torch.tensor([0, 1]), torch.tensor([1, 1])),
        (torch.zeros(2, 2), torch.tensor([0, 0]), torch.tensor([1, 0])),
        _case([0, 2, 2], [1, 1, 0], 3, 1),
        _case([0, 2, 0, 2, 0, 1], [1, 1, 1, 0, 2, 1], 4, 2),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "A token that comes twice in x writes to its row twice, and the "
            "second overwrites the first. Watch out: grad[x] += ... does the "
            "same. Add, one pair after another or with index_add_.",
            _last_wins,
        ),
        Mistake(
            "That is the gradient of the sum. The loss is a mean over N "
            "pairs: divide by N.",
            lambda W, x, y: _grad(W, x, y) * len(x),
        ),
        Mistake(
            "The sign is turned: it is p - y. Going down the gradient must "
            "raise the logit of what came.",
            lambda W, x, y: -_grad(W, x, y),
        ),
        Mistake(
            "You divide each row by how often its own token comes. The loss "
            "is one mean over all pairs: divide every row by N.",
            _by_row,
        ),
        Mistake(
            "You forgot the target: from p subtract 1 at the token that came.",
            _no_target,
        ),
        Mistake(
            "Only the logit of what came moves in yours. The softmax shares "
            "one total among all tokens, so the others must go down: their "
            "gradient is p.",
            _only_target,
        ),
        Mistake(
            "You subtract the target from the logits. p is their softmax.",
            _no_softmax,
        ),
        Mistake(
            "Your 1 is taken off in every row: errors[:, y] means all rows. "
            "Each pair has its own: errors[torch.arange(len(x)), y] -= 1.",
            _every_row,
        ),
        Mistake(
            "The rows of tokens that x does not hold move in yours. The loss "
            "never reads them: their gradient is zero, and row a gets its "
            "softmax n(a) times.",
            _whole_table,
        ),
        Mistake(
            "The entry of the target is -1 in yours. It is p - 1: subtract "
            "1, with -=, from what the softmax gave.",
            _put,
        ),
        Mistake(
            "You add each error to the row of y. It belongs to the row that "
            "was read: that of x.",
            lambda W, x, y: _added(W, y, _errors(W, x, y) / len(x)),
        ),
        Mistake(
            "You divide by V, the size of the vocabulary. The mean is over "
            "the N pairs.",
            lambda W, x, y: _grad(W, x, y) * len(x) / len(W),
        ),
        Mistake(
            "You have one row for each pair. The gradient has one for each "
            "token, (V, V): add each error to the row that it was read from.",
            when=_one_per_pair,
        ),
        Mistake(
            "Rows and columns are swapped: the row is the token that is "
            "read, the column the one that is predicted.",
            lambda W, x, y: _grad(W, x, y).T,
        ),
        Mistake(
            "Your softmax runs over the pairs. The logits of one row belong "
            "together: dim=-1.",
            lambda W, x, y: _added(W, x, _errors(W, x, y, 0) / len(x)),
        ),
    ],
    praise="Each pair pulls its own row, by what the model expected less "
    "what came.",
)
