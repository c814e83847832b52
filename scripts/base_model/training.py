"""The run itself: train, look at what was learned, write it down."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from torch.nn.parallel import DistributedDataParallel

from llm_utils.capstone.score import tell
from llm_utils.model.gpt import GPT
from llm_utils.model.hf import to_hf
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.distributed import World, init, mean
from llm_utils.train.trainer import TrainConfig, train
from scripts.base_model import measure
from scripts.base_model.recipe import (
    LONGEST,
    Recipe,
    make_model,
    make_optimizer,
    make_tokenizer,
)
from scripts.base_model.stories import story_batches

EARLY = (5, 20)  # looks before there is any grammar
HELD_OUT = 20_001  # seed of the stories that the log is measured on


def moments(steps: int, n: int = 12, first: int = 60) -> list[int]:
    """Steps at which to look: ever further apart, and the last one."""
    grow = (steps / first) ** (1 / (n - 1))
    return sorted({*EARLY, *(round(first * grow**i) for i in range(n))})


def run(recipe_file: Path, folder: Path) -> None:
    """Train by the recipe; leave model, recipe and log in `folder`.

    Under torchrun each process reads stories of its own; the first one looks
    and writes.
    """
    with init(timeout=1800) as here:
        train_and_look(recipe_file, folder, here)


def train_and_look(recipe_file: Path, folder: Path, here: World) -> None:
    """The run of one process among `here.size`."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = Recipe.load(recipe_file)
    world = TinyWorld(recipe.level)
    tokenizer = make_tokenizer(recipe, world)
    model = make_model(recipe, tokenizer.vocab_size)
    opt = make_optimizer(recipe, model)
    shared = DistributedDataParallel(model) if here.size > 1 else model
    batches = story_batches(
        world, tokenizer, recipe.batch_tokens // here.size,
        recipe.seed + 1 + 1000 * here.rank,
    )  # fmt: skip
    log = folder / "log.jsonl"
    if here.rank == 0:
        log.write_text("")
    began, core, step, seen = time.time(), 0.0, 0, 0
    losses: list[float] = []
    while step < recipe.steps:
        recipe = Recipe.load(recipe_file)  # may end sooner or later by now
        stops = {recipe.steps, *moments(recipe.steps)}
        stop = min(x for x in {step + 100, *stops} if x > step)
        clock = time.process_time()
        for stats in train(
            shared, batches, opt, recipe.schedule(),
            TrainConfig(stop, clip=recipe.clip), start=step,
        ):  # fmt: skip
            seen += stats.tokens
            losses.append(stats.loss)
        step = stop
        core += mean(time.process_time() - clock) * here.size
        if here.rank:
            continue
        recent = losses[-100:]
        row = {
            "step": step,
            "tokens": seen,
            "core_seconds": round(core),
            "hours": round((time.time() - began) / 3600, 3),
            "lr": stats.lr,
            "train_nats_per_token": sum(recent) / len(recent),
        }
        print(json.dumps(rounded(row)), flush=True)
        if step not in stops:
            continue
        row |= look(model, tokenizer, world, step == recipe.steps)
        with log.open("a") as file:
            print(json.dumps(rounded(row)), file=file)
        to_hf(model, tokenizer, folder)
    if (
        here.rank == 0
        and recipe_file.resolve() != (folder / "recipe.toml").resolve()
    ):
        shutil.copy(recipe_file, folder / "recipe.toml")


def look(
    model: GPT, tokenizer: ByteBPE, world: TinyWorld, last: bool
) -> dict[str, Any]:
    """What has been learned so far; more carefully at the end."""
    model.eval()
    told = tell(model, tokenizer, 400 if last else 100, 1, LONGEST)
    n = 1000 if last else 200
    return {
        **measure.loss(model, tokenizer, world, n, HELD_OUT),
        **measure.shares(world, told),
        "sample": told[0][:300],
    }


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Floats to five digits: enough to plot, and readable."""
    return {
        name: float(f"{x:.5g}") if isinstance(x, float) else x
        for name, x in row.items()
    }
