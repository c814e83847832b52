"""Chapter 11's explorer: how fast a model writes, and which wall it meets."""

from __future__ import annotations

from typing import Any

import traitlets

from .base import Explorer

START = {
    "model": "Llama 3.1 8B", "bits": 16, "B": 1, "T": 2048, "k": 0,
    "alpha": 0.7,
}  # fmt: skip
"""Where the explorer begins: one text, 16 bits, nobody guesses."""


class DecodeCost(Explorer):
    """What `decode_cost_explorer` returns; `setting` can be set."""

    module, title = "decode_cost", "How fast can it write?"
    setting = traitlets.Dict().tag(sync=True)
    shapes = traitlets.Dict().tag(sync=True)  # name: N, L, K, D
    roof: traitlets.List[float]  # FLOP/s, bytes/s
    roof = traitlets.List().tag(sync=True)
    capacity = traitlets.Float().tag(sync=True)  # bytes of the device


def decode_cost_explorer(
    flops: float = 989e12,
    bandwidth: float = 3.35e12,
    capacity: float = 80e9,
    **setting: Any,
) -> DecodeCost:
    """Play with a model that writes: memory, milliseconds, tokens a second.

    flops, bandwidth, capacity: of the device; those of an H100. setting: see
    START; ValueError for another name. `infer/decode_cost` has the formulas,
    and chapter 11 derives them.
    """
    from ..infer.decode_cost import SHAPES

    if lost := set(setting) - set(START):
        raise ValueError(f"no setting {sorted(lost)}: choose from {[*START]}")
    return DecodeCost(
        setting={**START, **setting},
        shapes={name: list(shape) for name, shape in SHAPES.items()},
        roof=[flops, bandwidth],
        capacity=capacity,
    )
