"""Chapter 12's explorer: two models, a test, and whether it can tell them."""

from __future__ import annotations

import traitlets

from .base import Explorer

START = {"n": 100, "better": 0.9, "worse": 0.85, "shared": 0.5}
"""Where the explorer begins: items, two accuracies, errors in common."""


class Verdict(Explorer):
    """What `verdict_explorer` returns; `setting` can be set."""

    module, title = "verdict", "Can this test tell two models apart?"
    setting = traitlets.Dict().tag(sync=True)


def verdict_explorer(**setting: float) -> Verdict:
    """Play with a test: standard errors, and how often it finds a difference.

    setting: see START; ValueError for another name, or for a share that is
    none. Chapter 12 derives the formulas.
    """
    if lost := set(setting) - set(START):
        raise ValueError(f"no setting {sorted(lost)}: choose from {[*START]}")
    whole = {**START, **setting}
    shares = [whole[name] for name in START if name != "n"]
    if whole["n"] < 1 or not all(0 <= x <= 1 for x in shares):
        raise ValueError(
            f"{whole}: needs an item or more, and shares from 0 to 1"
        )
    return Verdict(setting=whole)
