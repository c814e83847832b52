"""Exercise 3 of chapter 16: the advantages of GRPO.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import other_shape, show, tensor


def _advantages(
    rewards: Tensor,
    dims: tuple[int, ...] = (1,),
    spread: str = "sample",
    center: bool = True,
    sign: int = 1,
) -> Tensor:
    """(P, G) -> (P, G), the mistakes as knobs."""
    mean = rewards.mean(dims, keepdim=True)
    gains = sign * (rewards - mean if center else rewards)
    if spread == "none":
        return gains
    if spread == "variance":
        return gains / (rewards.var(dims, keepdim=True) + 1e-4)
    std = rewards.std(dims, spread != "all", keepdim=True)
    return gains / std if spread == "bare" else gains / (std + 1e-4)


def _same(a: Tensor, b: Tensor) -> bool:
    """Equal but for what is added to the deviation against zeros."""
    return a.shape == b.shape and torch.allclose(
        a, b, rtol=5e-3, atol=1e-3, equal_nan=True
    )


advantages = Exercise(
    name="advantages",
    asks="write advantages(rewards): (P, G) -> (P, G), GRPO's",
    reference=_advantages,
    cases=[
        (torch.tensor([[0.0, 2], [3, 4]]).double(),),
        (torch.tensor([[1.0, 0, 0, 0], [1, 1, 0, 1]]).double(),),
        (torch.tensor([[1.0, 0, 0], [5, 5, 8]]).double(),),
        (torch.tensor([[1.0, 0, 1, 0, 0], [1, 1, 1, 1, 1]]).double(),),
    ],
    form=tensor,
    same=_same,
    show=show,
    mistakes=[
        Mistake(
            "The mean and deviation are those of the whole batch. Each prompt "
            "is a group of its own: an easy question must not make the "
            "answers to a hard one look bad.",
            partial(_advantages, dims=(0, 1)),
        ),
        Mistake(
            "That compares answers to different prompts, down the columns. "
            "The answers to one prompt stand in a row.",
            partial(_advantages, dims=(0,)),
        ),
        Mistake(
            "A group whose rewards are all the same gives no number: 0 / 0. "
            "Add 1e-4 to the deviation, and it gives 0.",
            partial(_advantages, spread="bare"),
        ),
        Mistake(
            "The deviation has G below the sum of squares; GRPO's has G - 1, "
            "which is what torch.std does unless told otherwise.",
            partial(_advantages, spread="all"),
        ),
        Mistake(
            "Divide by the deviation of the group as well.",
            partial(_advantages, spread="none"),
        ),
        Mistake(
            "That divides by the variance. Take its square root.",
            partial(_advantages, spread="variance"),
        ),
        Mistake(
            "The mean of the group is not taken off, so that nothing is ever "
            "pushed down.",
            partial(_advantages, center=False),
        ),
        Mistake(
            "The sign is turned: better than the mean is positive.",
            partial(_advantages, sign=-1),
        ),
        other_shape(_advantages),
    ],
    praise="Add 7 to all rewards of a row, or double them: nothing changes.",
)
