"""Exercise 8 of chapter 16: the baseline with the least noise.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show


def _best(p: Tensor, r: Tensor, sizes: Tensor) -> Tensor:
    return (p * r * sizes**2).sum() / (p * sizes**2).sum()


def _case(n: int) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(40 + n)
    p = torch.randn(n, generator=rng).double().softmax(0)
    r = torch.randint(-2, 5, (n,), generator=rng).double()
    return p, r, 0.5 + 2 * torch.rand(n, generator=rng).double()


best_baseline = Exercise(
    name="best_baseline",
    asks="write best_baseline(p, r, sizes): the one number with the least "
    "noise",
    reference=_best,
    cases=[
        tuple(torch.tensor(x).double() for x in ((0.5, 0.5), (0, 1), (1, 2))),
        _case(3),
        _case(5),
        _case(8),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-6,
    show=show,
    mistakes=[
        Mistake(
            "That is the mean reward: a good baseline, and not the best one. "
            "Answers with a long gradient make more noise, and must weigh "
            "more.",
            lambda p, r, sizes: (p * r).sum(),
        ),
        Mistake(
            "The weights are the lengths of the gradients. Noise is a mean of "
            "squares: square them.",
            lambda p, r, sizes: (p * r * sizes).sum() / (p * sizes).sum(),
        ),
        Mistake(
            "The weights do not sum to 1: divide by the mean of the squared "
            "lengths.",
            lambda p, r, sizes: (p * r * sizes**2).sum(),
        ),
        Mistake(
            "How often an answer is drawn is missing: weigh by p as well.",
            lambda p, r, sizes: (r * sizes**2).sum() / (sizes**2).sum(),
        ),
        Mistake(
            "That is a plain mean of the rewards, whatever they weigh.",
            lambda p, r, sizes: r.mean(),
        ),
    ],
    praise="In practice the mean reward is near it, and costs nothing.",
)
