"""The runs of appendix D: each bug once or twice, and sound ones.

    python benchmarks/bug_museum.py                # the runs the table lacks
    python benchmarks/bug_museum.py --seconds 120  # as many as begin in that
    python benchmarks/bug_museum.py --table other.csv

Some twenty seconds a run on one core. The table lies in the package, so that
the appendix can read it wherever it runs.
"""

import argparse
import csv
import time
from pathlib import Path

import torch

from llm_utils.appendix.bug_museum import TABLE, Curves, floor, run, sound
from llm_utils.appendix.bugs import EXHIBITS, STOREROOM
from llm_utils.train.tiny_runs import Words

PATH = Path(__file__).parents[1] / "llm_utils/assets" / TABLE
FIELDS = ["bug", "seed", "step", "train", "held"]
BUGS = {"sound": lambda setup: setup, **EXHIBITS, **STOREROOM}
WANTED = [
    *((name, 0) for name in BUGS),
    *((name, 1) for name in ("sound", *EXHIBITS)),
    ("sound", 2),
]


def rows(name: str, seed: int, curves: Curves) -> list[list[object]]:
    found = []
    for step in sorted({*curves.train, *curves.held}):
        both = (curves.train.get(step), curves.held.get(step))
        texts = ["" if x is None else f"{x:.4g}" for x in both]
        found.append([name, seed, step, *texts])
    return found


def done(table: Path) -> set[tuple[str, int]]:
    """The runs that the table holds."""
    with table.open(encoding="utf-8") as file:
        return {(r["bug"], int(r["seed"])) for r in csv.DictReader(file)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--table", type=Path, default=PATH)
    args = parser.parse_args()
    torch.set_num_threads(1)
    start, words = time.monotonic(), Words()
    if not args.table.exists():
        args.table.write_text(",".join(FIELDS) + "\n", encoding="utf-8")
    print(f"floor {floor(words):.4f}")
    for name, seed in WANTED:
        if (name, seed) in done(args.table):  # another process may run, too
            continue
        if time.monotonic() - start > args.seconds:
            break
        began = time.monotonic()
        curves = run(BUGS[name](sound(words, seed)))
        with args.table.open("a", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(
                rows(name, seed, curves)
            )
        last = [list(x.values())[-1] for x in (curves.train, curves.held)]
        took = time.monotonic() - began
        print(
            f"{name} {seed} {last[0]:.3f} {last[1]:.3f} {took:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
