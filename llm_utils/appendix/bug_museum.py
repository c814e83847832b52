"""Training runs with one bug each, planted through the trainer's own seams.

Appendix D shows them; the loop is that of chapter 8, untouched. A bug is a
small function that spoils a sound `Setup`, and most are one line long:
`bugs` holds them.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from statistics import fmean
from typing import Any

import torch
from torch import nn

from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import build
from llm_utils.train.optim import AdamW, Optimizer, Schedule, decay_groups
from llm_utils.train.packing import pad
from llm_utils.train.schedules import warmup_cosine
from llm_utils.train.tiny_runs import Words
from llm_utils.train.trainer import (
    Batch,
    Diverged,
    TrainConfig,
    evaluate,
    train,
)

STEPS, ROWS, PEAK, HELD = 300, 16, 0.01, 64
MEAN_OF, EVERY = 3, 15  # steps that one point stands for; between looks
TABLE = "bug_museum.csv"


@dataclass(frozen=True)
class Setup:
    """All that a run is made of, as `train` and `evaluate` take it."""

    words: Words
    model: nn.Module
    batches: Iterator[Batch]
    opt: Optimizer
    schedule: Schedule
    held: list[Batch]


@dataclass
class Curves:
    """What a run leaves: {step: nats per word}.

    train is what the loop itself reports, a mean of `MEAN_OF` steps (of one,
    at step 1); held is measured on stories that were never trained on.
    """

    train: dict[int, float] = field(default_factory=dict)
    held: dict[int, float] = field(default_factory=dict)


def batches(words: Words, seed: int) -> Iterator[Batch]:
    """Whole stories, padded; new ones at every step."""
    stories = words.world.stories(10**9, seed)
    while True:
        yield pad([words.encode(next(stories)) for _ in range(ROWS)])


def held_out(words: Words) -> list[Any]:
    return list(words.world.stories(HELD, 10**6))


def floor(words: Words) -> float:
    """The true entropy of the held-out stories, in nats per word."""
    stories = held_out(words)
    n = sum(len(words.encode(story)) - 1 for story in stories)
    return -sum(story.log_prob for story in stories) / n


def tiny(words: Words, seed: int = 0) -> GPT:
    """Two Llama blocks: a step takes some hundredths of a second."""
    rng = torch.Generator().manual_seed(seed)
    return build(
        "tiny-llama", rng, vocab_size=words.vocab_size, d_model=48,
        n_layers=2, n_kv_heads=4, d_ff=128,
    )  # fmt: skip


def optimizer(model: nn.Module) -> AdamW:
    return AdamW(decay_groups(model), lr=PEAK)


def sound(words: Words, seed: int = 0) -> Setup:
    """A run without a bug."""
    model = tiny(words, seed)
    return Setup(
        words,
        model,
        batches(words, seed + 1),
        optimizer(model),
        warmup_cosine(PEAK, STEPS, warmup=STEPS // 10),
        [pad([words.encode(story) for story in held_out(words)])],
    )


def run(setup: Setup, stop: int = STEPS) -> Curves:
    """Train up to step `stop`, or as far as the numbers are finite."""
    curves, some = Curves(), []
    curves.held[0] = evaluate(setup.model, setup.held)
    cfg = TrainConfig(steps=stop)
    steps = train(setup.model, setup.batches, setup.opt, setup.schedule, cfg)
    try:
        for stats in steps:
            some.append(stats.loss)
            if stats.step == 1:
                curves.train[1] = stats.loss
            if stats.step % MEAN_OF == 0:
                curves.train[stats.step] = fmean(some[-MEAN_OF:])
            if stats.step % EVERY == 0:
                held = evaluate(setup.model, setup.held)
                curves.held[stats.step] = held
    except Diverged:
        pass  # the curves end here
    return curves


def stored() -> dict[tuple[str, int], Curves]:
    """{(name of the bug, seed): its curves}, from `benchmarks/bug_museum.py`.

    The name of a run without a bug is "sound".
    """
    path = files("llm_utils") / "assets" / TABLE
    found: dict[tuple[str, int], Curves] = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        curves = found.setdefault((row["bug"], int(row["seed"])), Curves())
        for kind in ("train", "held"):
            if row[kind]:
                getattr(curves, kind)[int(row["step"])] = float(row[kind])
    return found


def numbered(names: list[str], seed: int = 4) -> dict[int, str]:
    """The exhibits in an order that says nothing: {1: name, 2: name ...}."""
    shuffled = sorted(names)
    random.Random(seed).shuffle(shuffled)
    return dict(enumerate(shuffled, 1))
