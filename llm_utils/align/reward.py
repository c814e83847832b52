"""A reward model: a number for an answer, learned from which of two won.

Chapter 15 derives it, from Bradley and Terry's model of a contest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.align.classify import Classifier, pad_rows
from llm_utils.align.learn import Measures, Stats, learn
from llm_utils.align.pairs import Pair, pair_collate
from llm_utils.align.sft import endless
from llm_utils.model.gpt import GPT
from llm_utils.train.optim import Optimizer, Schedule
from llm_utils.train.trainer import TrainConfig


class RewardModel(Classifier):
    """x (B, T), lengths (B,) -> (B,): the reward of prompt and answer.

    Only differences mean something: the loss does not fix where 0 is.
    Derived in chapter 15; Ouyang et al. (2022), section 3.5.
    """

    def __init__(self, body: GPT, rng: torch.Generator | None = None) -> None:
        super().__init__(body, 1, rng)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return super().forward(x, lengths)[:, 0]


def bradley_terry_loss(
    chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0
) -> Tensor:
    """rewards (B,), (B,) -> (): -log p(chosen wins), in nats, the mean.

    p = sigmoid(chosen - rejected - margin). margin: by how much it should win.
    Chapter 15; Bradley and Terry (1952); Touvron et al. (2023b), equation 2.
    """
    return -F.logsigmoid(chosen - rejected - margin).mean()


def train_reward(
    model: RewardModel, pairs: Sequence[Pair], B: int, opt: Optimizer,
    schedule: Schedule, cfg: TrainConfig, rng: torch.Generator,
    end: int | None = None,
) -> Iterator[Stats]:  # fmt: skip
    """B pairs a step; measures "accuracy" and "margin". Chapter 15."""
    pair_collate(pairs, model.body.cfg.max_len, end)
    device = model.head.device

    def loss(batch: list[Pair]) -> tuple[Tensor, Measures]:
        rows = [[*p.prompt, *p.chosen] for p in batch]
        rows += [[*p.prompt, *p.rejected] for p in batch]
        x, lengths = pad_rows(rows)
        chosen, rejected = model(x.to(device), lengths.to(device)).chunk(2)
        gain = (chosen - rejected).detach()
        right = (gain > 0).float().mean()
        return (
            bradley_terry_loss(chosen, rejected),
            {"accuracy": right, "margin": gain.mean()},
        )

    return learn(model, endless(pairs, B, rng), loss, opt, schedule, cfg)
