"""The verb of week 3: train.

Chapter 8 trains with it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from llm_utils.notebook import pick_device
from llm_utils.text.next_token import perplexity
from llm_utils.train import distributed
from llm_utils.train.recipe import read_recipe
from llm_utils.train.run import Worker, run


def add(verbs: Any) -> None:
    """Register the verb; it sets `do`, which takes the arguments."""
    verb = verbs.add_parser(
        "train",
        help="train a model by a recipe, or go on with it",
        description="Train by a recipe (TOML). The same command goes on after "
        "a crash or Ctrl-C; under torchrun all its processes train together.",
        epilog="Any value of the recipe can be given here as well: "
        "--train.steps=200 --optim.lr=0.001",
    )
    verb.add_argument("recipe", type=Path)
    verb.add_argument(
        "--out", type=Path, help="default: runs/ and the recipe's name"
    )
    verb.set_defaults(do=train, has_recipe=True)


def train(args: argparse.Namespace) -> int:
    """Train by args.recipe, with args.flags over it."""
    recipe = read_recipe(args.recipe, args.flags)
    folder = args.out or Path("runs") / args.recipe.stem
    with distributed.init() as world:
        device = world.device if world.size > 1 else pick_device()
        nats = run(recipe, folder, Worker(world.rank, world.size, device))
    if world.rank == 0 and nats is None:
        print(f"stopped; the same command goes on from {folder}")
    elif world.rank == 0 and nats is not None:
        print(
            f"held-out text: {nats:.4f} nats per token, perplexity "
            f"{perplexity(nats):.2f}; {folder}"
        )
    return 0
