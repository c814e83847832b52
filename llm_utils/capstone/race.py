"""The race: train until the time is used up, and not a step longer.

Chapter 17 derives it. The learning rate is a function of the time used, so a
faster recipe takes more steps and still ends where its schedule ends.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Protocol

import torch
from torch import nn

from llm_utils.capstone.recipe import BLOCKS, TICKS, DataConfig, Recipe
from llm_utils.model.gpt import GPT, writers
from llm_utils.model.hf_tokenizer_read import tokenizer_from_hf
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.accounting import flops_per_token
from llm_utils.train.batches import Batch, pack
from llm_utils.train.muon import Muon, Together
from llm_utils.train.optim import AdamW, Optimizer, Schedule
from llm_utils.train.packing import pad
from llm_utils.train.trainer import TrainConfig, train

END = "<|endoftext|>"
POOL = 512  # stories that are told at once, then cut into batches


class Clock(Protocol):
    """What the race asks of a clock."""

    def seconds(self) -> float: ...
    def work(self, tokens: int) -> None: ...


class WallClock:
    """Real seconds since it was made."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.now, self.start = now, now()

    def seconds(self) -> float:
        return self.now() - self.start

    def work(self, tokens: int) -> None:
        """Real time passes by itself."""


class WorkClock:
    """A clock that ticks with the tokens: the same run on every machine."""

    def __init__(self, seconds_per_token: float = 1.0) -> None:
        self.seconds_per_token, self.tokens = seconds_per_token, 0

    def seconds(self) -> float:
        return self.tokens * self.seconds_per_token

    def work(self, tokens: int) -> None:
        self.tokens += tokens


@dataclass(frozen=True)
class Moment:
    """One step of a race."""

    seconds: float  # used when it was done
    tokens: int  # targets so far
    loss: float  # nats per token, before the step
    lr: float


@dataclass(frozen=True)
class Run:
    """What a race left behind."""

    model: GPT
    tokenizer: ByteBPE
    moments: list[Moment]

    @property
    def flops(self) -> float:
        """Of the model, on rows as long as a usual story."""
        each = flops_per_token(self.model, 110, causal=True)
        return each * self.moments[-1].tokens


def race(
    recipe: Recipe, budget: float, seed: int = 0, clock: Clock | None = None
) -> Run:
    """Train for `budget` seconds of the clock; it runs from the first line.

    Making the model and telling the stories count. No step is begun that
    would not be done in time if it took as long as the longest of the last
    twenty; one that takes longer still overruns, and the last moment says by
    how much. ValueError if there is no time for two steps. Chapter 17.
    """
    clock = clock or WallClock()
    if not budget > 0:
        raise ValueError(f"a budget of {budget} seconds: give more than 0")
    tokenizer, rng = load_tokenizer(), torch.Generator().manual_seed(seed)
    model = make_model(recipe, tokenizer.vocab_size, rng)
    batches = watched(story_batches(tokenizer, recipe.data, seed), clock)
    steps = train(
        model, batches, make_optimizer(recipe, model),
        timed(recipe.rates(), clock, budget),
        TrainConfig(sys.maxsize, clip=recipe.optim.clip),
    )  # fmt: skip
    moments = list[Moment]()
    before, took, tokens = clock.seconds(), deque[float](maxlen=20), 0
    for s in steps:
        now = clock.seconds()
        took.append(now - before)
        tokens += s.tokens
        moments.append(Moment(now, tokens, s.loss, s.lr))
        if now + max(took) > budget:
            break
        before = now
    if len(moments) < 2:
        raise ValueError(
            f"{budget:g} seconds are too few: one step took {max(took):.2g}"
        )
    return Run(model.eval(), tokenizer, moments)


def timed(shape: Schedule, clock: Clock, budget: float) -> Schedule:
    """A schedule that asks the clock, and not how many steps were taken.

    shape: a schedule over TICKS steps, of which all are used when the budget
    is. It plugs into chapter 8's loop, which asks before each step.
    """
    return lambda step: shape(min(TICKS, int(TICKS * clock.seconds() / budget)))


def watched(batches: Iterator[Batch], clock: Clock) -> Iterator[Batch]:
    """The same batches; the clock is told how many places each has."""
    for x, y in batches:
        clock.work(x.numel())
        yield x, y


def story_batches(
    tokenizer: ByteBPE, data: DataConfig, seed: int, level: str = "mini"
) -> Iterator[Batch]:
    """Batches of about data.batch_tokens places; no story twice, no end."""
    rng, world = random.Random(f"race {seed}"), TinyWorld(level)
    end = tokenizer.special_tokens[END]
    while True:
        texts = [world.story(rng).text for _ in range(POOL)]
        docs = [[end, *tokenizer.encode(text), end] for text in texts]
        if data.order == "packed":
            rows = pack((doc[1:] for doc in docs), data.T)
            size = max(1, data.batch_tokens // data.T)
            yield from ((r[:, :-1], r[:, 1:]) for r in rows.split(size))
            continue
        if data.order == "length":
            docs.sort(key=len)
        groups, group = list[list[list[int]]](), list[list[int]]()
        for doc in docs:
            group.append(doc)
            if len(group) * max(map(len, group)) >= data.batch_tokens:
                groups.append(group)
                group = []
        rng.shuffle(groups)
        yield from map(pad, groups or [group])


@torch.no_grad()
def make_model(recipe: Recipe, vocab_size: int, rng: torch.Generator) -> GPT:
    """The recipe's model with the weights that it begins with."""
    block = BLOCKS[recipe.model["block"]]
    model = GPT(recipe.config(vocab_size), block, rng)
    tables = [(model.tokens, recipe.init.tokens)]
    tables += [(model.head, recipe.init.head)] if model.head else []
    for table, std in tables:
        table.weight.mul_(std / 0.02)
    for linear in writers(model) if recipe.init.writers == "zero" else ():
        linear.weight.zero_()
    return model


def make_optimizer(recipe: Recipe, model: GPT) -> Optimizer:
    """Each weight by its role: matrices, tables, the head, and gains."""
    o = recipe.optim
    linear = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    head = [model.head.weight] if model.head else []
    own = {id(p) for p in (*linear, *head)}
    rest = [p for p in model.parameters() if id(p) not in own]
    roles = [
        (linear, 1.0, o.weight_decay),
        ([p for p in rest if p.dim() > 1], o.tokens, o.weight_decay),
        (head, o.head, o.weight_decay),
        ([p for p in rest if p.dim() < 2], o.gains, 0.0),
    ]
    matrices, *others = (
        {"params": params, "lr_scale": scale, "weight_decay": decay}
        for params, scale, decay in roles
        if params
    )
    if o.name == "adamw":
        return AdamW([matrices, *others], o.peak)
    return Together(Muon([matrices], o.peak), AdamW(others, o.peak))


def load_tokenizer() -> ByteBPE:
    """The one that ships with the package."""
    with as_file(files("llm_utils") / "assets" / "base") as folder:
        return tokenizer_from_hf(folder)
