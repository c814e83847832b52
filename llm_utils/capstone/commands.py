"""The verb of week 6: race. Chapter 17 enters one."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import torch

from llm_utils.capstone import board
from llm_utils.capstone.race import WorkClock, race
from llm_utils.capstone.recipe import read_recipe, shipped_recipes
from llm_utils.capstone.score import score
from llm_utils.model.hf import to_hf


def add(verbs: Any) -> None:
    """Register the verb; it sets `do`, which takes the arguments."""
    verb = verbs.add_parser(
        "race",
        help="train for a budget, score the model, enter the leaderboard",
        description="Train on TinyWorld until the budget is used up, then "
        "score what came out (half a minute more, which is not counted).",
        epilog="Any value of the recipe can be given here as well: "
        "--optim.peak=0.02 --model.n_layers=4",
    )
    verb.add_argument(
        "--recipe", default="plain",
        help=f"a TOML file, or one of {', '.join(shipped_recipes())}",
    )  # fmt: skip
    budget = verb.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, default=2.0)
    budget.add_argument(
        "--tokens", type=float,
        help="in place of minutes: the same run on every machine",
    )  # fmt: skip
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument(
        "--threads", type=int, default=1, help="1 is what the book's table has"
    )
    verb.add_argument("--name", help="on the board; default: the recipe's")
    verb.add_argument(
        "--board", type=Path, default=Path("runs/leaderboard.jsonl")
    )
    verb.add_argument("--out", type=Path, help="folder for the model")
    verb.set_defaults(do=run_race, has_recipe=True)


def run_race(args: argparse.Namespace) -> int:
    """Race by args.recipe, with args.flags over it."""
    recipe = read_recipe(args.recipe, args.flags)
    budget, unit = round(60 * args.minutes, 3), "seconds"
    if args.tokens is not None:
        budget, unit = args.tokens, "places"
    if not (math.isfinite(budget) and budget > 0):
        raise ValueError(f"a budget of {budget} {unit}: give more than 0")
    torch.set_num_threads(args.threads)
    clock = WorkClock() if args.tokens is not None else None
    run = race(recipe, budget, args.seed, clock)
    end = run.moments[-1]
    done = f"{len(run.moments)} steps, {end.tokens:,} tokens"
    print(f"{done} in {end.seconds:,.1f} {unit}; scoring", flush=True)
    scores = score(run.model, run.tokenizer)
    for s in scores.values():
        k = 1 if s.name == "above" else 100
        low, high = (k * x for x in s.interval)
        print(f"{s.name:12}{k * s.value:7.1f} % ({low:.1f} to {high:.1f})")
    name = args.name or Path(args.recipe).stem + " changed" * bool(args.flags)
    board.append(
        args.board,
        board.entry(name, recipe, run, scores, budget, args.seed, unit),
    )
    lines, wrong = board.read(args.board)
    print(*wrong, board.table(board.standings(lines)), sep="\n")
    if args.out is not None:
        to_hf(run.model, run.tokenizer, args.out)
        print(f"the model is in {args.out}")
    return 0
