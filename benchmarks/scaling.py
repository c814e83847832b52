"""The runs of chapter 9's scaling law, one row each in the stored table.

    python benchmarks/scaling.py               # the runs that the table lacks
    python benchmarks/scaling.py --seconds 120  # as many as begin in that time
    python benchmarks/scaling.py --table other.csv

Twelve runs to fit, one beyond them to predict, three more seeds of one to know
the noise. A quarter of an hour on one core. The table lies in the package, so
that the chapter can read it wherever it runs.
"""

import argparse
import csv
import time
from pathlib import Path

import torch

from llm_utils.train.tiny_runs import Words, tiny_run

TABLE = Path(__file__).parents[1] / "llm_utils/assets/scaling_runs.csv"
FIELDS = ["kind", "width", "seed", "n_params", "n_tokens", "loss"]
WANTED = [
    *(("fit", w, n, 0) for n in (150_000, 300_000, 600_000)
      for w in (16, 32, 64, 96)),
    ("held-out", 128, 1_200_000, 0),  # larger than any, and for longer
    *(("seed", 32, 150_000, seed) for seed in (1, 2, 3)),
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--table", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    start, words = time.monotonic(), Words()
    if not args.table.exists():
        args.table.write_text(",".join(FIELDS) + "\n", encoding="utf-8")
    with args.table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    done = {
        (r["kind"], int(r["width"]), int(r["n_tokens"]), int(r["seed"]))
        for r in rows
    }
    for kind, width, n_tokens, seed in WANTED:
        if (kind, width, n_tokens, seed) in done:
            continue
        if time.monotonic() - start > args.seconds:
            break
        began = time.monotonic()
        run = tiny_run(width, n_tokens, words, seed)
        row = [kind, width, seed, run.n_params, n_tokens, f"{run.loss:.5f}"]
        with args.table.open("a", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(row)
        print(*row, f"{time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
