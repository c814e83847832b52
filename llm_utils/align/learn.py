"""The training loop for any loss: chapter 8's, less the next token.

Chapter 14 uses it for a classifier, the chapters after it for preferences and
rewards. What a loss has measured on the way comes out with each step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, TypeVar

from torch import Tensor, nn

from llm_utils.train.optim import Optimizer, Schedule, clip_grad_norm, set_lr
from llm_utils.train.trainer import Diverged, TrainConfig, autocast

Item = TypeVar("Item")
Measures = Mapping[str, Tensor | float]
Loss = Callable[[Item], tuple[Tensor, Measures]]  # a batch -> (), and more


@dataclass(frozen=True)
class Stats:
    """What one step was like; `measures` are those of the loss."""

    step: int  # steps taken, this one included
    loss: float
    lr: float
    grad_norm: float  # before clipping
    seconds: float
    measures: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.measures[name]

    def row(self) -> dict[str, float]:
        """All of it, flat: for a log or a table."""
        flat = {k: v for k, v in vars(self).items() if k != "measures"}
        return {**flat, **self.measures}


class Lost(Diverged):
    """A loss or a gradient is no number; the weights are those before it."""

    def __init__(self, step: int, what: str, batch: Any, lr: float) -> None:
        self.step, self.batch = step, batch
        ArithmeticError.__init__(
            self,
            f"step {step}: {what}; the step was not taken. The batch is "
            f"error.batch. The learning rate was {lr:.3g}: go back to the last "
            "checkpoint with half of it, or look for a probability of 0",
        )


def learn(
    model: nn.Module, batches: Iterator[Item], loss: Loss[Item],
    opt: Optimizer, schedule: Schedule, cfg: TrainConfig, start: int = 0,
) -> Iterator[Stats]:  # fmt: skip
    """Take the steps from `start` to cfg.steps, and yield after each.

    The gradient is that of the mean of the losses of cfg.accumulate batches,
    which should be of one size. Raises Lost where it is no number, and
    ValueError where the batches end too soon. Chapter 14.
    """
    if cfg.compile:
        raise ValueError("compile=True: a loss of your own is not compiled")
    device = next(model.parameters()).device
    model.train()
    for step in range(start, cfg.steps):
        began = time.perf_counter()
        lr = schedule(step)
        set_lr(opt, lr)
        opt.zero_grad()
        total, seen = 0.0, list[dict[str, float]]()
        for _ in range(cfg.accumulate):
            batch = next_of(batches, step)
            with autocast(device, cfg.dtype):
                part, measures = loss(batch)
            (part / cfg.accumulate).backward()
            total += float(part.detach()) / cfg.accumulate
            seen.append({k: float(v) for k, v in measures.items()})
        norm = float(clip_grad_norm(model.parameters(), cfg.clip))
        if not isfinite(total) or not isfinite(norm):
            what = f"the loss is {total}, its gradient's norm {norm}"
            raise Lost(step + 1, what, batch, lr)
        opt.step()
        means = {k: sum(m[k] for m in seen) / len(seen) for k in seen[0]}
        took = time.perf_counter() - began
        yield Stats(step + 1, total, lr, norm, took, means)


def next_of(batches: Iterator[Item], step: int) -> Item:
    """The next batch; ValueError if there is none."""
    try:
        return next(batches)
    except StopIteration as error:
        raise ValueError(
            f"the batches ended in step {step + 1}: give an iterator that goes "
            "on, such as `endless`, or fewer steps"
        ) from error
