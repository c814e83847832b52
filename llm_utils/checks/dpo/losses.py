"""Exercise 3 of chapter 15: the loss of DPO, a number a pair.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _losses(
    pi_chosen: Tensor,
    pi_rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    beta: float,
    sign: int = 1,
    scaled: str = "all",
    ref: int = 1,
    logs: bool = True,
) -> Tensor:
    """-log sigmoid(margin), with the mistakes as knobs."""
    ours = pi_chosen - pi_rejected
    theirs = ref * (ref_chosen - ref_rejected)
    if scaled == "all":
        margin = beta * (ours - theirs)
    elif scaled == "ours":
        margin = beta * ours - theirs
    else:
        margin = ours - theirs
    margin = sign * margin
    return -F.logsigmoid(margin) if logs else -torch.sigmoid(margin)


def _case(B: int, beta: float, big: int = 1) -> tuple[object, ...]:
    rng = torch.Generator().manual_seed(B)
    logs = (
        -torch.randint(4, 40, (B,), generator=rng).double() * big
        for _ in range(4)
    )
    return (*logs, beta)


dpo_losses = Exercise(
    name="dpo_losses",
    asks="write dpo_losses(pi_chosen, pi_rejected, ref_chosen, ref_rejected, "
    "beta): 4 x (B,) -> (B,)",
    reference=_losses,
    cases=[
        (*tuple(torch.tensor([x]).double() for x in (-5, -6, -7, -6)), 0.1),
        _case(2, 0.5),
        _case(4, 0.1),
        _case(3, 0.2, big=400),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The sign of the margin is turned: the loss should fall when the "
            "chosen answer becomes likelier.",
            partial(_losses, sign=-1),
        ),
        Mistake(
            "beta is missing: the margin is beta times the difference of the "
            "two log-ratios.",
            partial(_losses, scaled="none"),
        ),
        Mistake(
            "beta multiplies the model's part only. The reward is beta times "
            "the whole log-ratio, log pi - log ref.",
            partial(_losses, scaled="ours"),
        ),
        Mistake(
            "The reference is missing: what counts is by how much each answer "
            "has become likelier.",
            partial(_losses, ref=0),
        ),
        Mistake(
            "The reference is added. Its log-probabilities are subtracted, "
            "chosen from chosen and rejected from rejected.",
            partial(_losses, ref=-1),
        ),
        Mistake(
            "That is minus the chance itself. The loss is minus its "
            "logarithm; F.logsigmoid has it in one.",
            partial(_losses, logs=False),
        ),
        Mistake(
            "That is one number. Return the loss of each pair; the mean comes "
            "later.",
            when=lambda args, value: value.ndim == 0,
        ),
        Mistake(
            "Where a pair is far off, the loss is infinite or no number. The "
            "sigmoid has become 0 before its logarithm is taken: use "
            "F.logsigmoid.",
            lambda *args: -torch.log(torch.exp(-_losses(*args))),
        ),
        other_shape(_losses),
    ],
    praise="Ten lines with the docstring, and TRL's trainer computes the same.",
)
