"""Documents of any length into rows of one length, two ways.

Chapter 7 derives both. The first wastes no place and cuts documents; the
second keeps them whole and leaves some places empty.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

NO_TARGET = -100  # fills places that hold no token; the loss skips it

Ids = Sequence[int]


def pad(rows: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """N rows of ids -> x, y (N, T), T the longest row's length less 1.

    y is NO_TARGET, and x is 0, where a row has ended.
    """
    T = max(map(len, rows)) - 1
    x = torch.zeros(len(rows), T, dtype=torch.long)
    y = torch.full((len(rows), T), NO_TARGET)
    for i, row in enumerate(rows):
        x[i, : len(row) - 1] = torch.tensor(row[:-1])
        y[i, : len(row) - 1] = torch.tensor(row[1:])
    return x, y


def pack(docs: Iterable[Ids], T: int, end: int | None = None) -> Tensor:
    """documents -> (N, T + 1): written on end to end and cut into rows.

    Row i + 1 begins with the last token of row i, so that x = row[:-1] and
    y = row[1:] make every token but the first a target once. `end` is put
    behind each document, unless it is None. What does not fill a row at the
    end is left out. Brown et al. (2020), appendix B; chapter 7.
    """
    check_length(T)
    last = [] if end is None else [end]
    stream = [token for doc in docs for token in (*doc, *last)]
    if len(stream) < T + 1:
        raise ValueError(
            f"{len(stream)} tokens do not fill one row of {T + 1}: give more "
            "documents or a smaller T"
        )
    return torch.tensor(stream).unfold(0, T + 1, T)


def pack_whole(docs: Iterable[Ids], T: int, end: int) -> Tensor:
    """documents -> (N, T + 1): no document is cut that fits a row.

    A row is `end`, then documents with `end` behind each, then NO_TARGET.
    The longest document is placed first, and each goes into the fullest row
    that still has room. One of more than T - 1 tokens is cut into pieces of
    at most T, which are then packed like documents.

    Best-fit packing of Ding et al. (2024); n documents take about n log T
    steps. Chapter 7.
    """
    check_length(T)
    pieces = []
    for doc in docs:
        whole = [*doc, end]
        pieces += [whole[i : i + T] for i in range(0, len(whole), T)]
    if not pieces:
        raise ValueError("no documents: there is nothing to pack")
    plan = best_fit([len(piece) for piece in pieces], T)
    rows = torch.full((len(plan), T + 1), NO_TARGET)
    for row, inside in zip(rows, plan, strict=True):
        line = [end, *(token for i in inside for token in pieces[i])]
        row[: len(line)] = torch.tensor(line)
    return rows


def best_fit(sizes: Sequence[int], room: int) -> list[list[int]]:
    """sizes of things -> for each bin of `room`, the things in it.

    Best fit, largest first: at most 11/9 of the fewest bins possible, plus
    4 (Johnson et al. 1974). Things of equal size keep their order.
    """
    if sizes and not 0 < min(sizes) <= max(sizes) <= room:
        raise ValueError(
            f"sizes from {min(sizes)} to {max(sizes)} do not fit bins of {room}"
        )
    bins: list[list[int]] = []
    left: dict[int, list[int]] = defaultdict(list)  # room left -> bins
    rooms: list[int] = []  # the keys of `left` that have bins, in order
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        place = bisect_left(rooms, sizes[i])
        if place == len(rooms):  # no bin has room: open one
            bins.append([])
            free, b = room, len(bins) - 1
        else:
            free = rooms[place]
            b = left[free].pop()
            if not left[free]:
                del rooms[place]
        bins[b].append(i)
        free -= sizes[i]
        if free and not left[free]:
            insort(rooms, free)
        left[free].append(b)
    return bins


def check_length(T: int) -> None:
    """ValueError for rows without a target."""
    if T < 1:
        raise ValueError(f"T={T}: a row needs 1 or more targets")
