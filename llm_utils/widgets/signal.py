"""Chapter 5's explorer: the size of a signal, block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import traitlets

from .base import Explorer

Key = tuple[str, int, float]  # wiring, depth, gain
Measured = tuple[Sequence[float], Sequence[float]]  # sizes, gradients


class SignalExplorer(Explorer):
    """The widget of `signal_explorer`; what is chosen can be set."""

    module, title = "signal_explorer", "Signal explorer"
    wirings: traitlets.List[str] = traitlets.List().tag(sync=True)
    depths: traitlets.List[int] = traitlets.List().tag(sync=True)
    gains: traitlets.List[float] = traitlets.List().tag(sync=True)
    wiring = traitlets.Unicode("").tag(sync=True)
    depth = traitlets.Int(0).tag(sync=True)
    gain = traitlets.Float(0.0).tag(sync=True)
    logs = traitlets.Unicode("").tag(sync=True)  # see signal_explorer


def signal_explorer(
    runs: Mapping[Key, Measured],
    wiring: str = "",
    depth: int = 0,
    gain: float = 0.0,
) -> SignalExplorer:
    """Play with depth, initial weights and wiring of a stack of blocks.

    runs: {(wiring, depth, gain): (sizes, gradients)}, every combination, with
    depth + 1 positive numbers in each: before the first block, after each.
    wiring, depth, gain: what to begin with; else the first of each.
    ValueError where a run is missing or has another length.
    """
    names = list(dict.fromkeys(key[0] for key in runs))
    depths = sorted({key[1] for key in runs})
    gains = sorted({key[2] for key in runs})
    chosen = (wiring or names[0], depth or depths[0], gain or gains[0])
    if chosen not in runs:
        raise ValueError(f"no run {chosen}: begin with one of {list(runs)[:3]}")
    every = [(n, d, g) for n in names for d in depths for g in gains]
    if lost := [key for key in every if key not in runs]:
        raise ValueError(f"{len(lost)} runs are missing, as {lost[0]}")
    return SignalExplorer(
        wirings=names,
        depths=depths,
        gains=gains,
        wiring=chosen[0],
        depth=chosen[1],
        gain=chosen[2],
        logs=";".join(
            "|".join(logs(numbers, key) for numbers in runs[key])
            for key in every
        ),
    )


def logs(numbers: Sequence[float], key: Key) -> str:
    """Logarithms to base 10 with two decimals: "0.00 0.31 0.50"."""
    if len(numbers) != key[1] + 1 or not min(numbers) > 0:
        raise ValueError(
            f"{len(numbers)} numbers in run {key}: give {key[1] + 1} positive "
            "ones, before the first block and after each"
        )
    return " ".join(f"{math.log10(x):.2f}" for x in numbers)
