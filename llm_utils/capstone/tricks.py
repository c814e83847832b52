"""Tricks one at a time: the ladder of chapter 17 and the runs stored of it.

`benchmarks/capstone.py` made the table; anyone can make it again.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from llm_utils.capstone.recipe import Recipe, from_dict

Tables = Mapping[str, Mapping[str, Any]]
BUDGET = 10.0  # seconds of one core that each stored run had

# What each trick changes in the recipe below it, in the order of the ladder.
LADDER: dict[str, Tables] = {
    "rate": {"optim": {"peak": 3e-3}},
    "small batch": {"data": {"batch_tokens": 512}},
    "small model": {"model": {"d_model": 64, "n_layers": 3}},
    "schedule": {"schedule": {"shape": "wsd", "warmup": 0.02, "decay": 0.9}},
    "like lengths": {"data": {"order": "length"}},
    "llama block": {
        "model": {
            "block": "llama", "positions": "none", "rope_base": 1000.0,
            "d_ff": 176,
        }
    },
    "qk norm": {"model": {"block": "qwen"}},
    "muon": {"optim": {"name": "muon", "peak": 0.01, "weight_decay": 0.0}},
    "own rates": {
        "model": {"tie_embeddings": False},
        "optim": {"tokens": 6.5, "head": 2.0, "gains": 2.0},
    },
    "zero start": {"init": {"tokens": 0.5, "head": 0.0, "writers": "zero"}},
}  # fmt: skip

# Without a trick the others stay, and what hangs on it takes its best value.
WITHOUT: dict[str, Tables] = {
    "rate": {"optim": {"peak": 1e-3}},
    "small model": {"model": {"d_ff": 352}},
    "llama block": {
        "model": {"block": "gpt2", "positions": "learned", "d_ff": 256}
    },
    "muon": {"optim": {"peak": 0.01}},
}

# Changes of the best recipe that are no rung of the ladder.
INSTEAD: dict[str, Tables] = {
    "packed": {"data": {"order": "packed"}},
    "cosine": {"schedule": {"shape": "cosine", "decay": 0.0}},
    "weight decay": {"optim": {"weight_decay": 0.1}},
    "no clipping": {"optim": {"clip": 1e9}},
    "wider": {"model": {"d_model": 96, "d_ff": 256}},
    "deeper": {"model": {"n_layers": 5}},
}


def changed(*all_tables: Tables) -> Recipe:
    """The plain recipe with these changes, the later over the earlier."""
    merged = dict[str, dict[str, Any]]()
    for tables in all_tables:
        for section, values in tables.items():
            merged.setdefault(section, {}).update(values)
    return from_dict(merged)


def with_tricks(names: Collection[str]) -> Recipe:
    """The plain recipe with some tricks of the ladder. Chapter 17."""
    if odd := set(names) - set(LADDER):
        raise ValueError(f"no trick {odd.pop()!r}: choose from {[*LADDER]}")
    return changed(*(LADDER[x] for x in LADDER if x in names))


def without(name: str) -> Recipe:
    """The best recipe without one trick, what hangs on it tuned again."""
    others = (LADDER[x] for x in LADDER if x != name)
    return changed(*others, WITHOUT.get(name, {}))


def recipes() -> dict[str, Recipe]:
    """The name of each stored run, "+ muon" or "- muon", and its recipe."""
    tricks, found = [*LADDER], {"plain": changed()}
    for i, name in enumerate(tricks):
        found[f"+ {name}"] = with_tricks(tricks[: i + 1])
    for name in tricks[:-1]:  # without the last is the rung below it
        found[f"- {name}"] = without(name)
    for name, tables in INSTEAD.items():
        found[f"= {name}"] = changed(*LADDER.values(), tables)
    return found


class Row(NamedTuple):
    """One number of one stored run."""

    run: str
    seed: int
    at: float  # seconds used
    measure: str
    value: float


def stored_rows() -> list[Row]:
    """The table of `benchmarks/capstone.py`."""
    path = files("llm_utils") / "assets" / "capstone_runs.csv"
    table = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [
        Row(r["run"], int(r["seed"]), float(r["at"]), r["measure"],
            float(r["value"]))
        for r in table
    ]  # fmt: skip


def stored(measure: str = "above") -> dict[str, list[float]]:
    """run -> the last value of a measure, one for each seed in order."""
    last = dict[tuple[str, int], Row]()
    for row in stored_rows():
        if row.measure == measure:
            last[row.run, row.seed] = row
    found = dict[str, list[float]]()
    for (run, _), row in sorted(last.items(), key=lambda x: x[0][1]):
        found.setdefault(run, []).append(row.value)
    return found
