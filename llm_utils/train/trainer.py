"""The training loop: a generator that yields what happened, step by step.

The caller logs, plots, saves and stops (`progress`, `checkpoint`, `run`).
Chapter 8 derives it; under torchrun it is the same loop (chapter 9).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from llm_utils.text.next_token import perplexity, token_log_probs
from llm_utils.train.optim import Optimizer, Schedule, clip_grad_norm, set_lr

Batch = tuple[Tensor, Tensor]  # x (B, T) and y (B, T), -100 = no target
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class TrainConfig:
    """How a step is taken; what is trained, and on what, come beside it."""

    steps: int
    accumulate: int = 1  # batches per step
    clip: float = 1.0  # largest norm of the gradient; inf: no clipping
    dtype: str = "float32"  # "bfloat16": autocast, weights stay float32
    compile: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1 or self.accumulate < 1 or not self.clip > 0:
            raise ValueError(
                f"steps={self.steps}, accumulate={self.accumulate}, "
                f"clip={self.clip}: all must be positive"
            )
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype={self.dtype!r}: choose from {[*DTYPES]}")


@dataclass(frozen=True)
class StepStats:
    """What one step was like."""

    step: int  # steps taken, this one included
    loss: float  # nats per token, before the step
    lr: float
    grad_norm: float  # before clipping
    tokens: int  # targets that counted, over all batches and workers
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds

    @property
    def perplexity(self) -> float:
        return perplexity(self.loss)


class Diverged(ArithmeticError):
    """A loss or a gradient is no number; the weights are those before it."""

    def __init__(self, step: int, what: str, batch: Batch, lr: float) -> None:
        self.step, self.batch = step, batch
        super().__init__(
            f"step {step}: {what}; the step was not taken. The batch is "
            f"error.batch, its first ids are {batch[0].flatten()[:8].tolist()}."
            f" The learning rate was {lr:.3g}: go back to the last checkpoint "
            "with half of it or a longer warm-up. If it happens at the first "
            "step, look for a row without any target, or a wrong mask"
        )


def train(
    model: nn.Module,
    batches: Iterator[Batch],
    opt: Optimizer,
    schedule: Schedule,
    cfg: TrainConfig,
    start: int = 0,
    extra: Callable[[], Tensor] | None = None,
) -> Iterator[StepStats]:
    """Take the steps from `start` to cfg.steps, and yield after each.

    Every target counts the same, in whichever of the cfg.accumulate batches
    of a step (and on whichever worker) it stands. extra: asked after each
    forward pass for a loss to be added, such as a mixture's balance loss.
    Raises Diverged, and ValueError where the batches end too soon. Chapter 8.
    """
    device = next(model.parameters()).device
    forward = torch.compile(model) if cfg.compile else model
    model.train()
    for step in range(start, cfg.steps):
        began = time.perf_counter()
        lr = schedule(step)
        set_lr(opt, lr)
        parts = [take(batches, device, step) for _ in range(cfg.accumulate)]
        opt.zero_grad()
        losses, tokens = backward(forward, parts, cfg.dtype, extra)
        norm = float(clip_grad_norm(model.parameters(), cfg.clip))
        check_finite(step + 1, losses, norm, parts, lr)
        opt.step()
        loss = float(sum_over_workers(losses.sum()))
        seconds = time.perf_counter() - began
        yield StepStats(step + 1, loss, lr, norm, tokens, seconds)


def backward(
    model: Callable[[Tensor], Tensor],
    parts: list[Batch],
    dtype: str = "float32",
    extra: Callable[[], Tensor] | None = None,
) -> tuple[Tensor, int]:
    """Add the gradient of the mean loss over all targets of all batches.

    -> each batch's share of that loss, and the number of targets. A sum over
    targets is divided by the number of all of them: the mean of the batches'
    means would favor targets in half-empty batches. Chapter 8.
    """
    counts = torch.stack([(y != -100).sum() for _, y in parts])
    n = sum_over_workers(counts.sum())
    hold = getattr(model, "no_sync", nullcontext)  # DDP: average once, at last
    losses = []
    for i, (x, y) in enumerate(parts):
        with hold() if i + 1 < len(parts) else nullcontext():
            with autocast(x.device, dtype):
                logits = model(x)
            loss = -token_log_probs(logits, y).sum() / n
            losses.append(loss.detach())
            if extra is not None:
                loss = loss + extra() * counts[i] / n
            (loss * n_workers()).backward()  # DDP divides by it
    return torch.stack(losses), int(n)


@torch.no_grad()
def evaluate(
    model: nn.Module, batches: Iterable[Batch], dtype: str = "float32"
) -> float:
    """Nats per token over all targets of finitely many batches. Chapter 8."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    nats = torch.zeros((), dtype=torch.float64)
    n = 0
    for x, y in batches:
        with autocast(device, dtype):
            logits = model(x.to(device))
        nats -= token_log_probs(logits, y.to(device)).double().sum().cpu()
        n += int((y != -100).sum())
    model.train(was_training)
    if not n:
        raise ValueError("no targets to evaluate on: are the batches empty?")
    return float(nats / n)


def autocast(device: torch.device, dtype: str) -> torch.autocast:
    """Matrix products in this dtype; weights and sums stay float32."""
    return torch.autocast(
        device.type, DTYPES[dtype], enabled=dtype != "float32"
    )


def take(batches: Iterator[Batch], device: torch.device, step: int) -> Batch:
    """The next batch, on the model's device."""
    try:
        x, y = next(batches)
    except StopIteration as error:
        raise ValueError(
            f"the batches ended in step {step + 1}: give an iterator that goes "
            "on, such as MemmapBatches, or fewer steps"
        ) from error
    return x.to(device, non_blocking=True), y.to(device, non_blocking=True)


def check_finite(
    step: int, losses: Tensor, norm: float, parts: list[Batch], lr: float
) -> None:
    """Raise Diverged where a loss or the gradient is nan or infinite."""
    bad = losses.isfinite().logical_not().nonzero().flatten().tolist()
    if bad or not math.isfinite(norm):
        what = f"the loss is {float(losses.sum())}, its gradient's norm {norm}"
        raise Diverged(step, what, parts[bad[0] if bad else -1], lr)


def n_workers() -> int:
    """How many processes train together: 1 unless torchrun started more."""
    running = dist.is_available() and dist.is_initialized()
    return dist.get_world_size() if running else 1


def sum_over_workers(x: Tensor) -> Tensor:
    """The sum of this number over all workers."""
    if n_workers() > 1:
        dist.all_reduce(x)
    return x
