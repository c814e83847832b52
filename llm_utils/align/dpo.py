"""Direct preference optimization: a reward model that is the model itself.

Chapter 15 derives the loss, step by step, from the objective of reinforcement
learning with a KL penalty. Its variants differ in one line each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.align.learn import Measures, Stats, learn
from llm_utils.align.pairs import Pair, pair_collate, sums
from llm_utils.align.sft import endless
from llm_utils.model.gpt import GPT
from llm_utils.train.optim import Optimizer, Schedule
from llm_utils.train.trainer import TrainConfig

# log p of B answers by model (chosen, rejected) and reference (both again)
# -> loss (), margins (B,)
PairLoss = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def dpo_loss(
    pi_chosen: Tensor, pi_rejected: Tensor, ref_chosen: Tensor,
    ref_rejected: Tensor, beta: float = 0.1, smoothing: float = 0.0,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """log p of B answers, 4 x (B,), in nats -> loss (), margins (B,).

    The reward of an answer is beta * log(pi / ref), a margin the difference of
    two rewards, and the loss Bradley and Terry's: -log sigmoid(margin).
    smoothing: the chance that a pair has its labels swapped. beta: how much it
    costs to leave the reference. Derived in chapter 15; Rafailov et al.
    (2023), equation 7; Mitchell (2023) for the smoothing.
    """
    check(pi_chosen, pi_rejected, ref_chosen, ref_rejected)
    margins = beta * ((pi_chosen - ref_chosen) - (pi_rejected - ref_rejected))
    losses = -(1 - smoothing) * F.logsigmoid(margins)
    losses = losses - smoothing * F.logsigmoid(-margins)
    return losses.mean(), margins


def robust_loss(
    pi_chosen: Tensor, pi_rejected: Tensor, ref_chosen: Tensor,
    ref_rejected: Tensor, beta: float = 0.1, smoothing: float = 0.1,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """As `dpo_loss`, but without bias: its mean over swaps is DPO's.

    Smoothing moves the best margin to a finite one; this one only weighs.
    Chapter 15; Chowdhury et al. (2024), equation 12.
    """
    if not 0 <= smoothing < 0.5:
        raise ValueError(f"smoothing={smoothing}: less than half are swapped")
    check(pi_chosen, pi_rejected, ref_chosen, ref_rejected)
    margins = beta * ((pi_chosen - ref_chosen) - (pi_rejected - ref_rejected))
    losses = -(1 - smoothing) * F.logsigmoid(margins)
    losses = losses + smoothing * F.logsigmoid(-margins)
    return losses.mean() / (1 - 2 * smoothing), margins


def ipo_loss(
    pi_chosen: Tensor, pi_rejected: Tensor, ref_chosen: Tensor,
    ref_rejected: Tensor, beta: float = 0.1,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """As `dpo_loss`, but a margin of 1/2 is wanted, and no more than that.

    The square of (log-ratio - 1 / (2 beta)): pairs that are sure do not pull
    for ever. Give it log p per token. Chapter 15; Azar et al. (2024), equation
    17.
    """
    check(pi_chosen, pi_rejected, ref_chosen, ref_rejected)
    ratio = (pi_chosen - ref_chosen) - (pi_rejected - ref_rejected)
    return ((ratio - 1 / (2 * beta)) ** 2).mean(), beta * ratio


def simpo_loss(
    pi_chosen: Tensor, pi_rejected: Tensor, ref_chosen: Tensor,
    ref_rejected: Tensor, beta: float = 2.0, gamma: float = 0.5,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """As `dpo_loss`, without the reference, which is not looked at.

    Give it log p per token: the reward is then what sampling goes by, and long
    answers have no advantage. gamma: the margin wanted. Chapter 15; Meng et
    al. (2024), equation 6.
    """
    check(pi_chosen, pi_rejected, ref_chosen, ref_rejected)
    margins = beta * (pi_chosen - pi_rejected)
    return -F.logsigmoid(margins - gamma).mean(), margins


def train_dpo(
    model: GPT, reference: GPT | None, pairs: Sequence[Pair], B: int,
    opt: Optimizer, schedule: Schedule, cfg: TrainConfig, rng: torch.Generator,
    loss: PairLoss = dpo_loss, mean: bool = False, end: int | None = None,
) -> Iterator[Stats]:  # fmt: skip
    """B pairs a step.

    reference: its log p are taken once, before the first step; None is for
    losses that do not look at it. mean: log p per token, for `ipo_loss` and
    `simpo_loss`. Measures "accuracy", "margin", and "chosen" and "rejected",
    the mean log-ratios to the reference, in nats. Chapter 15.
    """
    pair_collate(pairs, model.cfg.max_len, end)
    device = model.tokens.weight.device
    known = reference_log_probs(reference, pairs, B, mean).to(device)

    def step(batch: list[int]) -> tuple[Tensor, Measures]:
        x, y = pair_collate([pairs[i] for i in batch])
        pi = sums(model, x.to(device), y.to(device), mean=mean).chunk(2)
        ref = known[batch].unbind(1)
        value, margins = loss(*pi, *ref)
        gains = [(p - r).detach().mean() for p, r in zip(pi, ref, strict=True)]
        return value, {
            "accuracy": (margins > 0).float().mean(),
            "margin": margins.detach().mean(),
            "chosen": gains[0],
            "rejected": gains[1],
        }

    batches = endless(range(len(pairs)), B, rng)
    return learn(model, batches, step, opt, schedule, cfg)


@torch.no_grad()
def reference_log_probs(
    reference: GPT | None, pairs: Sequence[Pair], B: int, mean: bool = False
) -> Tensor:
    """N pairs -> (N, 2): log p of the chosen and the rejected answers.

    0 without a reference. Chapter 15.
    """
    if reference is None:
        return torch.zeros(len(pairs), 2)
    device, found = reference.tokens.weight.device, []
    was_training = reference.training
    reference.eval()
    for i in range(0, len(pairs), B):
        x, y = pair_collate(pairs[i : i + B])
        both = sums(reference, x.to(device), y.to(device), mean=mean)
        found.append(torch.stack(both.chunk(2), 1))
    reference.train(was_training)
    return torch.cat(found)


def check(*logs: Tensor) -> None:
    """ValueError unless all are (B,), of the same B."""
    shapes = [tuple(x.shape) for x in logs]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        raise ValueError(
            f"log-probabilities of shapes {shapes}: give one number an answer, "
            "(B,), four times"
        )
