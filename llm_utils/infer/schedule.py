"""Who works in which place, and when: two ways to fill a batch.

Chapter 13 derives both, tick by tick. Nothing is generated here; a reader is
a number of steps, and the machine has so many places in its batch.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple


class Turn(NamedTuple):
    """A reader's time in a place of the batch, steps start to stop - 1."""

    reader: int
    place: int
    start: int
    stop: int


def static(lengths: Sequence[int], places: int) -> list[Turn]:
    """The next batch begins when all of the last one are done.

    lengths: steps of each reader, in the order in which they came. Chapter
    13; Yu et al. (2022), section 2.
    """
    _check(lengths, places)
    turns, start = [], 0
    for first in range(0, len(lengths), places):
        batch = lengths[first : first + places]
        for place, n in enumerate(batch):
            turns.append(Turn(first + place, place, start, start + n))
        start += max(batch)
    return turns


def continuous(
    lengths: Sequence[int],
    places: int,
    arrivals: Sequence[int] | None = None,
) -> list[Turn]:
    """Who is next takes the place that is free first, at the very next step.

    arrivals: when each came, in order; None: all before the first step.
    Chapter 13; Yu et al. (2022), section 3.1.
    """
    _check(lengths, places)
    came = arrivals if arrivals is not None else [0] * len(lengths)
    if len(came) != len(lengths) or list(came) != sorted(came):
        raise ValueError(
            f"{len(came)} arrivals for {len(lengths)} readers: give one each, "
            "in order"
        )
    free = [(0, place) for place in range(places)]  # when, which: a heap
    turns = []
    for reader, (n, at) in enumerate(zip(lengths, came, strict=True)):
        when, place = heapq.heappop(free)
        start = max(when, at)
        turns.append(Turn(reader, place, start, start + n))
        heapq.heappush(free, (start + n, place))
    return turns


def utilization(turns: Sequence[Turn], places: int) -> float:
    """The share of all places and steps in which somebody's token was made."""
    steps = max(turn.stop for turn in turns)
    return sum(turn.stop - turn.start for turn in turns) / (places * steps)


def _check(lengths: Sequence[int], places: int) -> None:
    if places < 1 or not lengths or min(lengths) < 1:
        raise ValueError(
            f"{len(lengths)} readers in places={places}: give 1 reader and 1 "
            "place or more, and each reader 1 step or more"
        )
