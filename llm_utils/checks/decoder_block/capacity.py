"""Exercise 11 of chapter 5: limited room.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor

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
        (torch.tensor([[0, 1], [0, 2]]), 3, 1),
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
            "A token whose first choice finds no room loses its second one "
            "as well. Each assignment is judged by itself.",
            lambda chosen, n_experts, capacity: _within(
                chosen, n_experts, capacity
            ).cumprod(-1),
        ),
        Mistake(
            "You read the answers back in another order than you asked: the "
            "queue is (k, N), all first choices before any second one.",
            lambda chosen, n_experts, capacity: (
                _within(chosen, n_experts, capacity)
                .T.flatten()
                .view(chosen.shape)
            ),
        ),
        Mistake(
            "You keep one count for all experts. Each has its own room.",
            lambda chosen, n_experts, capacity: _within(
                torch.zeros_like(chosen), n_experts, capacity
            ),
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
