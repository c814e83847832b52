"""Exercises 10 and 11 of chapter 5: even work, and limited room.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import close, other_shape, show, tensor
from llm_utils.model.moe import Routing, balance_loss

# -- balance(probs, chosen) -> number


def _balance(probs: Tensor, chosen: Tensor) -> float:
    weights = torch.ones_like(chosen) / chosen.shape[1]
    return balance_loss(Routing(probs, chosen, weights)).item()


def _load(probs: Tensor, chosen: Tensor) -> Tensor:
    """(E,): how many assignments each expert got."""
    return F.one_hot(chosen, probs.shape[1]).sum((0, 1)).to(probs)


def _unscaled(probs: Tensor, chosen: Tensor) -> float:
    return _balance(probs, chosen) / probs.shape[1]


def _per_token(probs: Tensor, chosen: Tensor) -> float:
    return _balance(probs, chosen) * chosen.shape[1]


def _counted(probs: Tensor, chosen: Tensor) -> float:
    return _balance(probs, chosen) * chosen.numel()


def _probs_twice(probs: Tensor, chosen: Tensor) -> float:
    return probs.shape[1] * probs.mean(0).square().sum().item()


def _load_twice(probs: Tensor, chosen: Tensor) -> float:
    load = _load(probs, chosen) / chosen.numel()
    return len(load) * load.square().sum().item()


def _first_choice(probs: Tensor, chosen: Tensor) -> float:
    return _balance(probs, chosen[:, :1])


def _averaged(probs: Tensor, chosen: Tensor) -> float:
    return _balance(probs, chosen) / probs.shape[1] ** 2


EVEN = torch.full((4, 2), 0.5)
PROBS = torch.tensor(
    [[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.6, 0.1, 0.3], [0.2, 0.7, 0.1]]
)

MORE = torch.tensor(
    [[2.0, 1.0, 0.0, -1.0], [0.0, 3.0, -1.0, 2.0], [1.0, -2.0, 2.5, 0.5]]
)

balance = Exercise(
    name="balance",
    asks="write balance(probs, chosen), a number",
    reference=_balance,
    cases=[
        (EVEN, torch.tensor([[0], [1], [0], [1]])),
        (torch.tensor([[1.0, 0.0]] * 3), torch.zeros(3, 1).long()),
        (PROBS, PROBS.argmax(-1, keepdim=True)),
        (PROBS, PROBS.topk(2).indices),
        (MORE.softmax(-1), MORE.topk(2).indices),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-3,
    show=show,
    mistakes=[
        Mistake(
            "The factor E is missing, so that a perfect balance would give "
            "1/E and not 1.",
            _unscaled,
        ),
        Mistake(
            "Your loads sum to top_k. Divide by the number of assignments, "
            "N * top_k, not by the number of tokens.",
            _per_token,
        ),
        Mistake(
            "You multiply with how many assignments an expert got. Take the "
            "share, or the loss grows with the batch.",
            _counted,
        ),
        Mistake(
            "You use the mean probability twice and the load never. What "
            "counts is where tokens really went.",
            _probs_twice,
        ),
        Mistake(
            "You use the load twice. It is made of counts and has no "
            "gradient: the other factor must be the mean probability.",
            _load_twice,
        ),
        Mistake(
            "You count first choices only. All top_k columns of `chosen` are "
            "work for an expert.",
            _first_choice,
        ),
        Mistake(
            "You take the mean over the experts, and the factor E is "
            "missing. It is E times the sum.",
            _averaged,
        ),
    ],
    praise="1 at an even load, E when one expert takes all.",
)

# -- within_capacity(chosen, n_experts, capacity) -> bool (N, k)


def _placed(
    chosen: Tensor, n_experts: int, capacity: int, order: list[tuple[int, int]]
) -> Tensor:
    """Walk through (token, choice) in this order, as long as there is room."""
    used = [0] * n_experts
    kept = torch.zeros(chosen.shape, dtype=torch.bool)
    for n, k in order:
        expert = int(chosen[n, k])
        if used[expert] < capacity:
            used[expert] += 1
            kept[n, k] = True
    return kept


def _within(chosen: Tensor, n_experts: int, capacity: int) -> Tensor:
    N, k = chosen.shape
    order = [(n, j) for j in range(k) for n in range(N)]
    return _placed(chosen, n_experts, capacity, order)


def _token_by_token(chosen: Tensor, n_experts: int, capacity: int) -> Tensor:
    N, k = chosen.shape
    order = [(n, j) for n in range(N) for j in range(k)]
    return _placed(chosen, n_experts, capacity, order)


def _last_first(chosen: Tensor, n_experts: int, capacity: int) -> Tensor:
    N, k = chosen.shape
    order = [(n, j) for j in range(k) for n in reversed(range(N))]
    return _placed(chosen, n_experts, capacity, order)


def _per_choice(chosen: Tensor, n_experts: int, capacity: int) -> Tensor:
    columns = [_within(c[:, None], n_experts, capacity) for c in chosen.T]
    return torch.cat(columns, 1)


def _all_or_none(chosen: Tensor, n_experts: int, capacity: int) -> Tensor:
    load = torch.bincount(chosen.flatten(), minlength=n_experts)
    return (load <= capacity)[chosen]


within_capacity = Exercise(
    name="within_capacity",
    asks="write within_capacity(chosen, n_experts, capacity), True where an "
    "assignment finds room",
    reference=_within,
    cases=[
        (torch.tensor([[0], [0]]), 2, 1),
        (torch.tensor([[0], [1], [0], [0]]), 2, 2),
        (torch.tensor([[0, 1], [1, 0]]), 2, 1),
        (torch.tensor([[0, 1], [1, 2], [0, 1]]), 3, 1),
        (torch.tensor([[2, 0], [0, 1], [0, 2], [0, 2], [1, 0]]), 3, 2),
        (torch.tensor([[0, 1], [0, 1]]), 2, 4),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You go token by token, so that a token's second choice takes a "
            "place from another's first. All first choices come first, then "
            "all second ones.",
            _token_by_token,
        ),
        Mistake(
            "Your last tokens are served first. Earlier tokens have the "
            "right of way.",
            _last_first,
        ),
        Mistake(
            "Each column has places of its own in your count. First and "
            "second choices share the expert's capacity.",
            _per_choice,
        ),
        Mistake(
            "An expert that is asked too often loses everything. It keeps "
            "the first `capacity` assignments.",
            _all_or_none,
        ),
        Mistake(
            "One too many fits: the places are numbered 0 ... capacity - 1.",
            lambda chosen, n_experts, capacity: _within(
                chosen, n_experts, capacity + 1
            ),
        ),
        Mistake(
            "One too few fits: the places are numbered 0 ... capacity - 1.",
            lambda chosen, n_experts, capacity: _within(
                chosen, n_experts, capacity - 1
            ),
        ),
        Mistake(
            "Everything fits in your experts. How many may one of them take?",
            lambda chosen, n_experts, capacity: torch.ones_like(chosen),
        ),
        Mistake(
            "Yours is the wrong way round: True where there is room.",
            lambda chosen, n_experts, capacity: (
                ~_within(chosen, n_experts, capacity)
            ),
        ),
        other_shape(_within),
    ],
    praise="What finds no room passes the block by: the stream carries it on.",
)
