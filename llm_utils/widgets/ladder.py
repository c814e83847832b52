"""Chapter 17's explorer: choose tricks, see two predictions of the score."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cache
from statistics import mean
from typing import Any

import traitlets

from .base import Explorer

Rung = dict[str, Any]  # name, rung and out: logs of ratios of two scores


@cache
def rungs() -> tuple[tuple[Rung, ...], dict[str, float]]:
    """What each trick gained as a rung, and what its loss costs; the ends."""
    from ..capstone.tricks import LADDER, stored

    score = {run: mean(map(math.log, v)) for run, v in stored().items()}
    names = [*LADDER]
    below = ["plain", *(f"+ {name}" for name in names)]
    found = []
    for i, name in enumerate(names):
        without = f"- {name}" if name != names[-1] else below[i]
        found.append({
            "name": name,
            "rung": score[below[i]] - score[below[i + 1]],
            "out": score[without] - score[below[-1]],
        })  # fmt: skip
    ends = {"plain": score["plain"], "best": score[below[-1]]}
    return tuple(found), {k: math.exp(v) for k, v in ends.items()}


def foretold(tricks: Collection[str]) -> tuple[float, float]:
    """Percent above the entropy with these tricks, predicted in two ways.

    From below: the plain recipe's score, divided by what each trick gained as
    a rung of the ladder. From above: the best recipe's, times what each of
    the others cost when it alone was left out. Chapter 17.
    """
    steps, ends = rungs()
    gained = sum(x["rung"] for x in steps if x["name"] in tricks)
    lost = sum(x["out"] for x in steps if x["name"] not in tricks)
    return ends["plain"] * math.exp(-gained), ends["best"] * math.exp(lost)


class Ladder(Explorer):
    """What `ladder_explorer` returns; `setting` can be set."""

    module, title = "ladder", "Which tricks would you take?"
    setting = traitlets.Dict().tag(sync=True)
    rungs: traitlets.List[Rung] = traitlets.List().tag(sync=True)
    ends = traitlets.Dict().tag(sync=True)


def ladder_explorer(tricks: Collection[str] = ()) -> Ladder:
    """Switch tricks on and off: two predictions from the stored runs.

    ValueError for a trick that is no rung. Chapter 17 measured them.
    """
    steps, ends = rungs()
    known = [x["name"] for x in steps]
    if odd := set(tricks) - set(known):
        raise ValueError(f"no trick {sorted(odd)[0]!r}: choose from {known}")
    setting = {name: name in tricks for name in known}
    return Ladder(setting=setting, rungs=[*steps], ends=ends)
