"""Policy gradients: losses that make rewarded answers more likely.

Chapter 16 derives them, from REINFORCE to GRPO. All take log-probabilities of
the tokens of answers, (B, T), and say where there are any by a mask; `rollout`
samples the answers and `policy` is the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

# numbers of tokens (B, T), mask (B, T) -> (): a mean
Average = Callable[[Tensor, Tensor], Tensor]


def by_response(x: Tensor, mask: Tensor) -> Tensor:
    """(B, T), (B, T) -> (): the mean over answers of each one's mean.

    Tokens of long answers count less. Chapter 16; Shao et al. (2024).
    """
    mask = mask.to(x.dtype)
    return ((x * mask).sum(-1) / mask.sum(-1).clamp_min(1)).mean()


def by_token(x: Tensor, mask: Tensor) -> Tensor:
    """(B, T), (B, T) -> (): the mean over all tokens; each counts the same.

    Chapter 16; Yu et al. (2025), equation 8.
    """
    return (x * mask).sum() / mask.sum().clamp_min(1)


def by_length(most: int) -> Average:
    """Each answer's sum over the length that it could have had.

    Neither a long nor a short answer is favored. Chapter 16; Liu et al.
    (2025), section 3.2.
    """
    if most < 1:
        raise ValueError(f"most={most}: an answer has room for 1 token or more")

    def average(x: Tensor, mask: Tensor) -> Tensor:
        return (x * mask).sum() / (len(x) * most)

    return average


def leave_one_out(rewards: Tensor) -> Tensor:
    """(P, G) -> (P, G): each reward less the mean of its group's others.

    A baseline that the answer itself has no part in, so that REINFORCE keeps
    its mean and loses variance. Chapter 16; Kool et al. (2019).
    """
    G = group_size(rewards)
    return (rewards - rewards.mean(-1, keepdim=True)) * (G / (G - 1))


def group_advantages(rewards: Tensor, scale: bool = True) -> Tensor:
    """(P, G) -> (P, G): P prompts, G answers each, compared in their group.

    (reward - mean) / (standard deviation + 1e-4); a group whose rewards are all
    the same says nothing, and gives 0. scale=False leaves the division out.
    Chapter 16; Shao et al. (2024), section 4.1; Liu et al. (2025).
    """
    group_size(rewards)
    gains = rewards - rewards.mean(-1, keepdim=True)
    if not scale:
        return gains
    return gains / (rewards.std(-1, keepdim=True) + 1e-4)


def reinforce_loss(
    log_probs: Tensor, mask: Tensor, advantages: Tensor
) -> Tensor:
    """log p of answers (B, T), advantages (B,) -> ().

    Its gradient is that of the mean reward, turned around: minus the mean of
    advantage * log p(answer). advantages: rewards less a baseline. Chapter 16;
    Williams (1992).
    """
    check(log_probs, mask, advantages)
    return -(advantages * (log_probs * mask).sum(-1)).mean()


def clipped(
    log_probs: Tensor, old: Tensor, advantages: Tensor,
    low: float = 0.2, high: float = 0.2,
) -> Tensor:  # fmt: skip
    """log p now and when sampled (B, T), advantages (B, T) -> (B, T).

    PPO's loss of each token: -min(r * A, clip(r, 1 - low, 1 + high) * A), r
    the ratio of the probabilities. What has moved far enough in the good
    direction has no gradient. Chapter 16; Schulman et al. (2017), equation 7.
    """
    if not (0 <= low <= 1 and high >= 0):
        raise ValueError(f"low={low}, high={high}: a ratio from 0 to infinity")
    ratio = (log_probs - old).exp()
    inside = ratio.clamp(1 - low, 1 + high)
    return -torch.minimum(ratio * advantages, inside * advantages)


def kl_estimate(log_probs: Tensor, ref: Tensor) -> Tensor:
    """log p of drawn tokens, by model and reference -> (B, T), all >= 0.

    Its mean over draws of the model is KL(model || reference). Chapter 16;
    Schulman (2020), the estimator k3.
    """
    gap = ref - log_probs
    return gap.exp() - gap - 1


class PolicyLoss(NamedTuple):
    """A loss to go down, and what it is made of."""

    loss: Tensor  # ()
    kl: Tensor  # (): nats a token, to the reference
    clipped: Tensor  # (): the share of tokens that the clip has stopped


def grpo_loss(
    log_probs: Tensor, old: Tensor, mask: Tensor, advantages: Tensor,
    ref: Tensor | None = None, *, clip: float = 0.2,
    clip_high: float | None = None, beta: float = 0.0,
    average: Average = by_response,
) -> PolicyLoss:  # fmt: skip
    """log p now and when sampled (B, T), mask, advantages (B,) -> (), and more.

    PPO's clipped loss of each token with its answer's advantage, plus beta
    times the divergence from the reference, whose log p are `ref`. clip_high:
    above 1, if not as below. average: `by_response` is GRPO as published.
    Chapter 16; Shao et al. (2024), equation 3.
    """
    check(log_probs, mask, advantages)
    if beta and ref is None:
        raise ValueError(f"beta={beta} needs the reference's log p: give ref")
    high = clip if clip_high is None else clip_high
    A = advantages[:, None].expand_as(log_probs)
    losses = clipped(log_probs, old, A, clip, high)
    kl = torch.zeros_like(log_probs)
    if ref is not None:
        kl = kl_estimate(log_probs, ref)
        losses = losses + beta * kl
    ratio = (log_probs - old).exp().detach()
    stopped = (ratio < 1 - clip) & (A < 0) | (ratio > 1 + high) & (A > 0)
    return PolicyLoss(
        average(losses, mask),
        by_token(kl.detach(), mask),
        by_token(stopped.to(log_probs.dtype), mask),
    )


def group_size(rewards: Tensor) -> int:
    """G of (P, G); ValueError if there is no group."""
    if rewards.dim() != 2 or rewards.shape[1] < 2:
        raise ValueError(
            f"rewards of shape {tuple(rewards.shape)}: give (P, G) with 2 "
            "answers or more to each prompt, which are compared"
        )
    return rewards.shape[1]


def check(log_probs: Tensor, mask: Tensor, advantages: Tensor) -> None:
    """ValueError unless they are of the same answers."""
    if mask.shape != log_probs.shape or advantages.shape != log_probs.shape[:1]:
        raise ValueError(
            f"log p {tuple(log_probs.shape)}, mask {tuple(mask.shape)}, "
            f"advantages {tuple(advantages.shape)}: give (B, T), (B, T), (B,)"
        )
