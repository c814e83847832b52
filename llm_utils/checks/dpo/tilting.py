"""Exercise 6 of chapter 15: the best policy, for a reward and a beta.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _tilted(
    ref: Tensor,
    rewards: Tensor,
    beta: float,
    times: bool = False,
    known: bool = True,
    even: bool = True,
    sign: int = 1,
    added: bool = False,
) -> Tensor:
    """ref * exp(rewards / beta) / Z, with the mistakes as knobs."""
    power = sign * (rewards * beta if times else rewards / beta)
    if added:
        return (ref + power.softmax(-1)) / 2
    weights = torch.exp(power - power.max())
    if known:
        weights = ref * weights
    if not even:
        return ref * torch.exp(power)
    return weights / weights.sum()


def _case(beta: float, *pairs: tuple[float, float]) -> tuple[object, ...]:
    p, r = torch.tensor(pairs).double().unbind(1)
    return p, r, beta


tilted = Exercise(
    name="tilted",
    asks="write tilted(ref, rewards, beta): (n,), (n,) -> (n,)",
    reference=_tilted,
    cases=[
        _case(1.0, (0.5, 1.0), (0.5, 0.0)),
        _case(0.5, (0.7, 0.0), (0.2, 1.0), (0.1, 2.0)),
        _case(2.0, (0.25, 3.0), (0.25, -1.0), (0.4, 0.0), (0.1, 2.0)),
        _case(0.01, (0.6, 9.0), (0.3, 9.05), (0.1, 0.0)),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You multiply by beta. A large beta holds the policy at its "
            "reference, so the reward is divided by it.",
            partial(_tilted, times=True),
        ),
        Mistake(
            "The reference is missing: what it never says, the best policy "
            "does not say either.",
            partial(_tilted, known=False),
        ),
        Mistake(
            "These do not sum to 1: divide by their sum, which is Z.",
            partial(_tilted, even=False),
        ),
        Mistake(
            "The sign is turned: a higher reward makes an answer likelier.",
            partial(_tilted, sign=-1),
        ),
        Mistake(
            "That is a mean of two policies. The formula is a product: ref "
            "times exp(reward / beta).",
            partial(_tilted, added=True),
        ),
        Mistake(
            "exp overflows where beta is small. Only differences of rewards "
            "matter: subtract the largest first.",
            when=lambda args, value: not bool(value.isfinite().all()),
        ),
        other_shape(_tilted),
    ],
    praise="With two lines of algebra more this is DPO: solve it for the "
    "reward.",
)
