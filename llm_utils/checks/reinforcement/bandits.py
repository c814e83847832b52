"""Exercise 1 of chapter 16: the exact gradient of a bandit's mean reward.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _gradient(p: Tensor, r: Tensor) -> Tensor:
    return p * (r - p @ r)


def _case(n: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(n)
    p = torch.randn(n, generator=rng).double().softmax(0)
    return p, torch.randint(-2, 5, (n,), generator=rng).double()


policy_gradient = Exercise(
    name="policy_gradient",
    asks="write policy_gradient(p, r): the derivative of the mean reward by "
    "each logit, (n,)",
    reference=_gradient,
    cases=[
        (torch.tensor([0.75, 0.25]).double(), torch.tensor([1.0, 3]).double()),
        (
            torch.tensor([0.5, 0.25, 0.25]).double(),
            torch.tensor([2.0, 0, 6]).double(),
        ),
        _case(4),
        _case(6),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The mean reward is missing: an answer goes up only if it is "
            "worth more than the mean.",
            lambda p, r: p * r,
        ),
        Mistake(
            "That is the advantage. A rare answer is also rarely drawn: "
            "multiply by its probability.",
            lambda p, r: r - p @ r,
        ),
        Mistake(
            "The mean is that of the list. Each answer counts as often as it "
            "is drawn: weigh by p.",
            lambda p, r: p * (r - r.mean()),
        ),
        Mistake(
            "The sign is turned: the reward is to go up.",
            lambda p, r: -_gradient(p, r),
        ),
        Mistake(
            "That is the derivative by the probability itself. All logits "
            "move all probabilities, through the softmax.",
            lambda p, r: r,
        ),
        Mistake(
            "That is p (1 - p) r, as if raising one answer took nothing from "
            "the others.",
            lambda p, r: p * (1 - p) * r,
        ),
        other_shape(_gradient),
    ],
    praise="The parts sum to zero: what one answer gains, others lose.",
)
