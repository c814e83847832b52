"""The leaderboard: a line of JSON for each run, and a table of the recipes.

Chapter 17. It ranks a recipe by the mean over all its seeds: who enters ten
and shows the best one has measured luck.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import torch

from llm_utils.capstone.race import Run
from llm_utils.capstone.recipe import Recipe
from llm_utils.infer.evaluate import Score
from llm_utils.text.saved import PathLike

NUMBERS = ("budget", "seed", "tokens", "flops", "above")  # each line has them


def entry(
    name: str, recipe: Recipe, run: Run, scores: Mapping[str, Score],
    budget: float, seed: int, unit: str = "seconds",
) -> dict[str, Any]:  # fmt: skip
    """The line of one run: what was raced, how far it came, on what."""
    end, text = run.moments[-1], json.dumps(recipe.as_dict(), sort_keys=True)
    line: dict[str, Any] = {
        "recipe": name,
        "digest": hashlib.sha256(text.encode()).hexdigest()[:8],
        "budget": budget, "unit": unit, "used": round(end.seconds, 3),
        "seed": seed, "steps": len(run.moments), "tokens": end.tokens,
        "flops": run.flops, "params": run.model.n_params,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(), "torch": torch.__version__,
    }  # fmt: skip
    for key, s in scores.items():
        line[key] = round(s.value, 4)
        line[f"{key}_95"] = [round(x, 4) for x in s.interval]
    return line


def append(path: PathLike, line: Mapping[str, Any]) -> None:
    """Add one line and force it to the disk; the folder is made."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: PathLike) -> tuple[list[dict[str, Any]], list[str]]:
    """-> the lines that can be read, and a sentence for each that cannot."""
    lines, wrong = list[dict[str, Any]](), list[str]()
    for i, text in enumerate(Path(path).read_text("utf-8").splitlines(), 1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            wrong.append(f"{path}, line {i}: no JSON, left out")
            continue
        lost = lacks(line)
        if lost:
            wrong.append(f"{path}, line {i}: no {lost}, left out")
        else:
            lines.append(line)
    return lines, wrong


def lacks(line: Any) -> str:
    """The first thing that a line should have and has not, or ""."""
    if not isinstance(line, dict):
        return "table of names and values"
    for name in ("recipe", "digest", "unit"):
        if not isinstance(line.get(name), str):
            return name
    for name in NUMBERS:
        if type(line.get(name)) not in (int, float):
            return f"number for {name}"
    return ""


class Standing(NamedTuple):
    """A recipe's place: the mean over its seeds, at one budget."""

    recipe: str
    budget: str
    seeds: int
    above: float
    off: float  # standard error over the seeds; nan for one
    tokens: float
    flops: float


def standings(lines: Sequence[Mapping[str, Any]]) -> list[Standing]:
    """Lines -> recipes, best first, budgets apart; a seed counts once."""
    groups = dict[tuple[Any, ...], dict[int, Mapping[str, Any]]]()
    for line in lines:
        key = (line["unit"], line["budget"], line["recipe"], line["digest"])
        groups.setdefault(key, {})[line["seed"]] = line  # the last one counts
    found = []
    for (unit, budget, recipe, _), seeds in groups.items():
        runs = [*seeds.values()]
        scores, n = [float(r["above"]) for r in runs], len(runs)
        off = stdev(scores) / n**0.5 if n > 1 else float("nan")
        tokens, flops = (
            mean(float(r[k]) for r in runs) for k in ("tokens", "flops")
        )
        at = f"{budget:g} {unit}"
        found.append(Standing(recipe, at, n, mean(scores), off, tokens, flops))
    return sorted(found, key=lambda s: (s.budget, s.above, s.recipe))


def table(found: Sequence[Standing]) -> str:
    """The standings as text, 80 columns. Chapter 17."""
    head = f"{'recipe':20}{'budget':>15}{'seeds':>6}{'above entropy':>17}"
    rows = [f"{head}{'tokens':>11}{'FLOPs':>9}"]
    for s in found:
        off = f"+-{s.off:5.1f}" if s.seeds > 1 else "1 run"
        rows.append(
            f"{s.recipe[:19]:20}{s.budget:>15}{s.seeds:>6}"
            f"{s.above:8.1f} %{off:>7}{s.tokens:11,.0f}{s.flops:9.1e}"
        )
    return "\n".join(rows)
