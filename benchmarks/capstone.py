"""The long runs of chapter 17, a row of the stored table for each number.

    python benchmarks/capstone.py --speed   # how fast each recipe is, first
    python benchmarks/capstone.py           # the runs that the table lacks
    python benchmarks/capstone.py --runs plain "+ muon" --seeds 0

Every recipe has the same budget on one core. So that another program on the
machine cannot make a recipe look bad, each recipe's speed is measured apart:
seconds of the processor for each place of a batch, in three rounds that go
through all recipes, the fastest round counting. The runs then use a clock that
ticks with the places at that speed, and come out the same however long they
really take.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from llm_utils.capstone.race import (
    Run,
    WorkClock,
    load_tokenizer,
    make_model,
    make_optimizer,
    race,
    story_batches,
)
from llm_utils.capstone.recipe import Recipe
from llm_utils.capstone.score import score
from llm_utils.capstone.tricks import BUDGET, recipes
from llm_utils.train.schedules import constant
from llm_utils.train.trainer import TrainConfig, train

TABLE = Path(__file__).parents[1] / "llm_utils/assets/capstone_runs.csv"
ROUND, ROUNDS, POINTS, SAMPLES = 1.2, 3, 20, 200


def seconds_per_place(recipe: Recipe) -> float:
    """CPU seconds for each place, telling the stories included."""
    bpe, rng = load_tokenizer(), torch.Generator().manual_seed(0)
    model = make_model(recipe, bpe.vocab_size, rng)
    counts = []

    def counted():
        for x, y in story_batches(bpe, recipe.data, 0):
            counts.append(x.numel())
            yield x, y

    steps = train(
        model, counted(), make_optimizer(recipe, model), constant(1e-4),
        TrainConfig(10**6, clip=recipe.optim.clip),
    )  # fmt: skip
    list(islice(steps, 3))
    counts.clear()
    began = time.process_time()
    while time.process_time() - began < ROUND:
        next(steps)
    return (time.process_time() - began) / sum(counts)


def rows_of(run: Run, samples: int) -> Iterator[tuple[float, str, float]]:
    """seconds, measure, value: the curve, then the score."""
    moments = run.moments
    for i in range(POINTS):
        part = moments[i * len(moments) // POINTS :]
        part = part[: max(1, len(moments) // POINTS)]
        yield part[-1].seconds, "loss", sum(m.loss for m in part) / len(part)
    end = moments[-1]
    facts = {
        "steps": len(moments), "tokens": end.tokens, "flops": run.flops,
        "params": run.model.n_params,
    }  # fmt: skip
    for name, s in score(run.model, run.tokenizer, samples=samples).items():
        facts |= {name: s.value, f"{name}_95": (s.interval[1] - s.value)}
    yield from ((end.seconds, name, x) for name, x in facts.items())


def known(table: Path) -> list[dict[str, str]]:
    if not table.exists():
        table.write_text("run,seed,at,measure,value\n")
    with table.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def add(table: Path, run: str, seed: int, rows) -> None:
    with table.open("a", encoding="utf-8") as file:
        for at, name, value in rows:
            file.write(f"{run},{seed},{at:.5g},{name},{value:.5g}\n")


def measure_speed(table: Path) -> None:
    found = {name: list[float]() for name in recipes()}
    for _ in range(ROUNDS):
        for name, recipe in recipes().items():
            found[name].append(seconds_per_place(recipe))
    for name, times in found.items():
        print(name, [round(1 / t) for t in times], flush=True)
        add(table, name, 0, [(0, "seconds_per_place", min(times))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--runs", nargs="*", default=[*recipes()])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--table", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    known(args.table)
    if args.speed:
        return measure_speed(args.table)
    each = {
        r["run"]: float(r["value"])
        for r in known(args.table)
        if r["measure"] == "seconds_per_place"
    }
    for seed in args.seeds:
        for name in args.runs:
            done = {(r["run"], int(r["seed"])) for r in known(args.table)
                    if r["measure"] == "above"}  # fmt: skip
            if (name, seed) in done:
                continue
            run = race(recipes()[name], BUDGET, seed, WorkClock(each[name]))
            rows = list(rows_of(run, 0 if name[0] in "-=" else SAMPLES))
            add(args.table, name, seed, rows)
            last = {n: round(v, 3) for _, n, v in rows if "loss" not in n}
            print(name, seed, last, flush=True)


if __name__ == "__main__":
    main()
