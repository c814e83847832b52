"""Chapter 9's explorer: what a training run costs, and what it buys."""

from __future__ import annotations

from dataclasses import asdict

import traitlets

from .base import Explorer

START = {
    "n_params": 1.24e8, "n_tokens": 2.5e9, "devices": 8, "stage": 0,
    "mfu": 0.4, "price": 2.5,
}  # fmt: skip
"""Where the explorer begins: GPT-2 small, 20 tokens a parameter."""


class RunCost(Explorer):
    """What `run_cost_explorer` returns; `setting` can be set."""

    module, title = "run_cost", "What a training run costs"
    setting = traitlets.Dict().tag(sync=True)
    law = traitlets.Dict().tag(sync=True)  # E, A, a, B, b
    peak = traitlets.Float().tag(sync=True)  # FLOP/s of a device
    capacity = traitlets.Float().tag(sync=True)  # bytes of a device


def run_cost_explorer(
    peak: float = 989e12, capacity: float = 80e9, **setting: float
) -> RunCost:
    """Play with a run: hours, dollars, bytes a device, and the loss to expect.

    peak: FLOP/s of one device, capacity: its bytes; those of an H100. The
    loss is Chinchilla's law, fitted again. setting: see START; ValueError for
    another name. Chapter 9 derives the formulas.
    """
    from ..train.scaling import CHINCHILLA_AGAIN

    if lost := set(setting) - set(START):
        raise ValueError(f"no setting {sorted(lost)}: choose from {[*START]}")
    return RunCost(
        setting={**START, **setting}, law=asdict(CHINCHILLA_AGAIN),
        peak=peak, capacity=capacity,
    )  # fmt: skip
