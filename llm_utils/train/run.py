"""One run from recipe to model: it resumes by itself, and stops when told.

Chapter 8 starts it as `python -m llm_utils train`. Under torchrun every
worker runs it (chapter 9); the first one saves, evaluates and logs.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from llm_utils.model.gpt import GPT
from llm_utils.model.moe import MoE, total_balance_loss
from llm_utils.model.zoo import build
from llm_utils.text.saved import PathLike, write_json
from llm_utils.train import checkpoint
from llm_utils.train.batches import MemmapBatches, TokenFile, count_rows
from llm_utils.train.optim import Optimizer
from llm_utils.train.progress import (
    JsonlLog,
    Log,
    as_row,
    progress,
    tensorboard,
)
from llm_utils.train.recipe import Recipe
from llm_utils.train.source import Prepared, prepare
from llm_utils.train.trainer import (
    Batch,
    StepStats,
    evaluate,
    sum_over_workers,
    train,
)


class Worker(NamedTuple):
    """This process: number `rank` of `size`. `distributed.init` gives one."""

    rank: int
    size: int
    device: torch.device


def run(
    recipe: Recipe, folder: PathLike, worker: Worker, bar: bool = True
) -> float | None:
    """Train by a recipe; nats per token on held-out text, None if stopped.

    `folder` gets data, checkpoints, log.jsonl and recipe.json. What it holds
    already is gone on from: the same call after a crash ends with the same
    weights, to the bit. Chapter 8.
    """
    job = set_up(recipe, Path(folder), worker)
    model: nn.Module = job.model
    if worker.size > 1:
        model = DistributedDataParallel(job.model)
    cfg, schedule = recipe.train, recipe.optim.rates(recipe.train.steps)
    stats = train(
        model, job.batches, job.opt, schedule, cfg, job.start,
        balance(job.model),
    )  # fmt: skip
    if bar and worker.rank == 0:
        stats = progress(stats, cfg.steps, job.start)
    reseed(recipe, job.start, worker)
    with stop_signals() as caught:
        for s in stats:
            stop = anyone(caught, worker.device) > 0
            if worker.rank == 0:
                job.after(s, stop)
            reseed(recipe, s.step, worker)
            if stop:
                return None
    return job.measure()


def set_up(recipe: Recipe, folder: Path, worker: Worker) -> Job:
    """Data, model, optimizer and batches, as the last checkpoint left them."""
    if worker.rank == 0:
        prepare(recipe.data, folder / "data", recipe.run.seed)
        write_json(folder / "recipe.json", "recipe", 1, recipe.as_dict())
    if worker.size > 1:
        dist.barrier()
    data = prepare(recipe.data, folder / "data", recipe.run.seed)
    rng = torch.Generator().manual_seed(recipe.run.seed)
    model = build_model(recipe, data.tokenizer.vocab_size, rng)
    model.to(worker.device)
    opt = recipe.optim.optimizer(model)
    batches = make_batches(recipe, data, rng, worker)
    saved = folder / "checkpoints"
    start = checkpoint.resume(saved, model, opt, batches, None)
    logs = make_logs(recipe, folder, start) if worker.rank == 0 else []
    return Job(recipe, folder, data, model, opt, batches, logs, start)


@dataclass(frozen=True)
class Job:
    """All that one run has in its hands."""

    recipe: Recipe
    folder: Path
    data: Prepared
    model: GPT
    opt: Optimizer
    batches: MemmapBatches
    logs: list[Log]
    start: int

    def after(self, s: StepStats, stop: bool) -> None:
        """Evaluate, log and save, where the recipe says so."""
        every, last = self.recipe.run, s.step == self.recipe.train.steps
        row: dict[str, float] = as_row(s)
        if last or s.step % every.eval_every == 0:
            row["validation"] = self.measure()
        for log in self.logs:
            log(row)
        if last or stop or s.step % every.save_every == 0:
            checkpoint.save(
                self.folder / "checkpoints", self.model, self.opt,
                self.batches, None, s.step, every.keep,
            )  # fmt: skip

    def measure(self) -> float:
        """Nats per token on the held-out text, from its beginning."""
        rows = held_out(self.data.held_out, self.recipe)
        return round(evaluate(self.model, rows, self.recipe.train.dtype), 6)


def build_model(recipe: Recipe, vocab_size: int, rng: torch.Generator) -> GPT:
    """A preset, with the recipe's sizes and the tokenizer's vocabulary."""
    sizes = {"vocab_size": vocab_size, **recipe.model}
    return build(sizes.pop("preset"), rng, **sizes)


def make_batches(
    recipe: Recipe, data: Prepared, rng: torch.Generator, worker: Worker
) -> MemmapBatches:
    """This worker's share of the batches."""
    size, over = divmod(recipe.data.batch_size, worker.size)
    if over or not size:
        raise ValueError(
            f"batch_size={recipe.data.batch_size} rows for {worker.size} "
            "workers: choose a multiple"
        )
    return MemmapBatches(
        data.train, size, recipe.data.T, rng,
        rank=worker.rank, world_size=worker.size,
    )  # fmt: skip


def held_out(path: Path, recipe: Recipe) -> Iterator[Batch]:
    """Batches of the held-out file in order, each token a target once."""
    tokens, T, B = TokenFile(path), recipe.data.T, recipe.data.batch_size
    n = count_rows(tokens.shape, T)
    n = min(n, recipe.run.eval_rows or n)
    for first in range(0, n, B):
        rows = min(B, n - first)
        ids = torch.from_numpy(tokens.read(first * T, rows * T + 1))
        yield ids[:-1].view(rows, T), ids[1:].view(rows, T)


def balance(model: GPT) -> Callable[[], Tensor] | None:
    """A mixture's balance loss, at the usual weight; None for others."""
    if not any(isinstance(m, MoE) for m in model.modules()):
        return None
    return lambda: 0.01 * total_balance_loss(model)


def make_logs(recipe: Recipe, folder: Path, start: int) -> list[Log]:
    """Where rows go: always to log.jsonl."""
    logs: list[Log] = [JsonlLog(folder / "log.jsonl", start)]
    if recipe.run.tensorboard:
        logs.append(tensorboard(folder / "tensorboard", start))
    return logs


def reseed(recipe: Recipe, step: int, worker: Worker) -> None:
    """Give dropout, which draws from torch's own generator, this step's seed.

    So a resumed run drops what the uninterrupted one would have, on however
    many workers, and no two workers drop the same.
    """
    torch.manual_seed((recipe.run.seed * 1009 + step) * 1009 + worker.rank)


def anyone(caught: list[int], device: torch.device) -> int:
    """How many workers were told to stop: all of them have to agree."""
    return int(sum_over_workers(torch.tensor(len(caught), device=device)))


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Ctrl-C, or a scheduler's SIGTERM, ends the run after this step.

    The list is empty until then. A second Ctrl-C stops at once; the last
    checkpoint stays whole even so.
    """
    caught: list[int] = []

    def note(number: int, frame: Any) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        print("\nstopping after this step; once more to stop at once")

    before = {
        s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
