"""Exercise 10 of chapter 5: even work.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show
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
            "The factor E is missing, or a mean over the experts has taken "
            "it away again: a perfect balance would give 1/E and not 1.",
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
            "The factor is the number of experts, E. Yours is the number of "
            "tokens.",
            lambda probs, chosen: (
                _balance(probs, chosen) * len(probs) / probs.shape[1]
            ),
        ),
        Mistake(
            "You add the probabilities up over the tokens. Take their mean, "
            "or the loss grows with the batch.",
            lambda probs, chosen: _balance(probs, chosen) * len(probs),
        ),
        Mistake(
            "An expert that nobody chose has no place in your count, so the "
            "shapes differ: torch.bincount(..., minlength=E).",
            lambda probs, chosen: (
                (
                    torch.bincount(chosen.flatten())
                    / chosen.numel()
                    * probs.mean(0)
                    * probs.shape[1]
                )
                .sum()
                .item()
            ),
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
