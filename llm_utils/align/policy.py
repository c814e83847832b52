"""The loop of reinforcement learning: draw answers, reward them, learn.

Chapter 16 builds it. What a step goes down is an `Objective`: `reinforce`,
`ppo` and `grpo` are three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from llm_utils.align.learn import Measures, Stats, learn
from llm_utils.align.log_probs import response_entropy, response_log_probs
from llm_utils.align.rl import (
    Average,
    PolicyLoss,
    by_response,
    group_advantages,
    grpo_loss,
    kl_estimate,
    reinforce_loss,
)
from llm_utils.align.rollout import Ids, Rollout, rollout
from llm_utils.align.sft import endless
from llm_utils.model.gpt import GPT
from llm_utils.train.optim import Optimizer, Schedule
from llm_utils.train.trainer import TrainConfig

Advantages = Callable[[Tensor], Tensor]  # rewards (P, G) -> (P, G)


class Task(NamedTuple):
    """A prompt, and whatever its answers are judged by."""

    prompt: Ids
    key: Any


Reward = Callable[[Task, list[int]], float]  # a task, the ids of an answer


@dataclass(frozen=True)
class Experience:
    """Answers with what they were worth: of B = P * G rows, P-major."""

    rollout: Rollout
    rewards: Tensor  # (P, G)
    advantages: Tensor  # (B,)
    ref: Tensor | None = None  # log p by the reference, (B, T)
    entropy: float = 0.0  # nats a token, when drawn


# log p now (B, T), and what is known of the answers -> the loss
Objective = Callable[[Tensor, Experience], PolicyLoss]


@dataclass(frozen=True)
class Sampling:
    """How a step's answers are drawn, and how often they are learned from."""

    P: int = 8  # prompts a step
    G: int = 8  # answers to each
    n: int = 16  # tokens of an answer at most
    temperature: float = 1.0
    passes: int = 1  # optimizer steps on the same answers
    end: int | None = None  # the id that ends an answer

    def __post_init__(self) -> None:
        if min(self.P, self.n, self.passes) < 1 or self.G < 2:
            raise ValueError(
                f"P={self.P}, G={self.G}, n={self.n}, passes={self.passes}: "
                "all 1 or more, and G 2 or more, which are compared"
            )


def reinforce(log_probs: Tensor, e: Experience) -> PolicyLoss:
    """REINFORCE, its baseline in the advantages; the reference is watched.

    Chapter 16.
    """
    mask = e.rollout.mask
    loss = reinforce_loss(log_probs, mask, e.advantages)
    kl = log_probs.new_zeros(())
    if e.ref is not None:
        kl = (kl_estimate(log_probs.detach(), e.ref) * mask).sum() / mask.sum()
    return PolicyLoss(loss, kl, log_probs.new_zeros(()))


def grpo(
    clip: float = 0.2, clip_high: float | None = None, beta: float = 0.0,
    average: Average = by_response,
) -> Objective:  # fmt: skip
    """`grpo_loss` as an objective; PPO's clip is the one with beta = 0.

    Chapter 16.
    """

    def objective(log_probs: Tensor, e: Experience) -> PolicyLoss:
        return grpo_loss(
            log_probs, e.rollout.log_probs, e.rollout.mask, e.advantages,
            e.ref, clip=clip, clip_high=clip_high, beta=beta, average=average,
        )  # fmt: skip

    return objective


def gather(
    model: GPT, tasks: Sequence[Task], reward: Reward, s: Sampling,
    rng: torch.Generator, advantages: Advantages = group_advantages,
    reference: GPT | None = None,
) -> Experience:  # fmt: skip
    """Draw s.G answers to each task, and judge them. Chapter 16."""
    stop = () if s.end is None else (s.end,)
    prompts = [task.prompt for task in tasks]
    drawn = rollout(model, prompts, s.G, s.n, rng, s.temperature, stop)
    told = iter(drawn.responses)
    rewards = torch.tensor(
        [
            [float(reward(task, next(told))) for _ in range(s.G)]
            for task in tasks
        ]
    )
    drawn = drawn.to(model.tokens.weight.device)
    x, y, row = once(drawn)
    with torch.no_grad():
        spread = response_entropy(model, x, y, temperature=s.temperature)[row]
        ref = None
        if reference is not None:
            ref = response_log_probs(reference, x, y, temperature=s.temperature)
            ref = ref[row]
    A = advantages(rewards).flatten().to(x.device)
    entropy = float(spread.sum() / drawn.mask.sum())
    return Experience(drawn, rewards, A, ref, entropy)


def train_policy(
    model: GPT, tasks: Sequence[Task], reward: Reward, opt: Optimizer,
    schedule: Schedule, cfg: TrainConfig, rng: torch.Generator, s: Sampling,
    objective: Objective | None = None,
    advantages: Advantages = group_advantages, reference: GPT | None = None,
) -> Iterator[Stats]:  # fmt: skip
    """s.P tasks a step, s.G answers to each; GRPO without KL if not given.

    Measures "reward", "spread" (its deviation within a group), "silent" (the
    share of groups whose rewards are all the same, from which nothing is
    learned), "length", "ended", "entropy", "kl" (nats a token, to the
    reference) and "clipped". Chapter 16; Shao et al. (2024), algorithm 1.
    """
    goal = objective or grpo()

    def experiences() -> Iterator[Experience]:
        for some in endless(tasks, s.P, rng):
            e = gather(model, some, reward, s, rng, advantages, reference)
            for _ in range(s.passes):
                yield e

    def loss(e: Experience) -> tuple[Tensor, Measures]:
        x, y, row = once(e.rollout)
        logs = response_log_probs(model, x, y, temperature=s.temperature)
        value, kl, clipped = goal(logs[row], e)
        return value, {**told(e), "kl": kl, "clipped": clipped}

    return learn(model, experiences(), loss, opt, schedule, cfg)


def once(drawn: Rollout) -> tuple[Tensor, Tensor, Tensor]:
    """-> x, y (U, T), each answer once, and its row for each of B, (B,).

    Short answers to one prompt are often the same; `logs[row]` gives each its
    own place again, and adds up their gradients. Chapter 16.
    """
    both = torch.stack((drawn.x, drawn.y), -1)
    kept, row = torch.unique(both, dim=0, return_inverse=True)
    return kept[..., 0].contiguous(), kept[..., 1].contiguous(), row


def told(e: Experience) -> dict[str, float]:
    """What the answers of a step were like."""
    lengths = e.rollout.mask.sum(-1).float()
    same = e.rewards.amax(-1) == e.rewards.amin(-1)
    return {
        "reward": float(e.rewards.mean()),
        "spread": float(e.rewards.std(-1).mean()),
        "silent": float(same.float().mean()),
        "length": float(lengths.mean()),
        "ended": sum(e.rollout.ended) / len(e.rollout.ended),
        "entropy": e.entropy,
    }
