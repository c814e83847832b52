"""Chapter 13's explorer: a batch that is filled once, or again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import traitlets

from .base import Explorer

MOST_PLACES = 8


class Batching(Explorer):
    """What `batching_explorer` returns; `readers` and `places` can be set."""

    module, title = "batching", "Static and continuous batching"
    groups = traitlets.Dict().tag(sync=True)  # name -> lengths, in steps
    readers = traitlets.Unicode().tag(sync=True)  # which group
    places = traitlets.Int(4).tag(sync=True)


def batching_explorer(
    groups: Mapping[str, Sequence[int]], places: int = 4
) -> Batching:
    """Play with a batch of up to 8 places, refilled at once or all together.

    groups: {name: steps of each reader, in the order they came}, at least two
    names. ValueError for a group that is empty. Chapter 13.
    """
    lengths = {name: [int(n) for n in group] for name, group in groups.items()}
    odd = [k for k, v in lengths.items() if not v or min(v) < 1]
    if len(lengths) < 2 or odd:
        raise ValueError(
            f"groups {list(lengths)}, of which {odd} are empty or hold a "
            "length below 1: give two groups or more of steps"
        )
    if not 1 <= places <= MOST_PLACES:
        raise ValueError(f"places={places}: from 1 to {MOST_PLACES}")
    return Batching(groups=lengths, readers=next(iter(lengths)), places=places)
