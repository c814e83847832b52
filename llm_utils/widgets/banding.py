"""Chapter 7's explorer: which pairs of documents bands of hashes find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import traitlets

from .base import Explorer

MOST_BANDS, MOST_ROWS = 40, 16


class BandingExplorer(Explorer):
    """The widget of `banding_explorer`; `bands` and `rows` can be set."""

    module, title = "banding", "Bands of hashes"
    bands = traitlets.Int(14).tag(sync=True)
    rows = traitlets.Int(8).tag(sync=True)
    copies = traitlets.Unicode("").tag(sync=True)  # "0.93:2 0.95:1": pairs
    others = traitlets.Unicode("").tag(sync=True)


def banding_explorer(
    copies: Iterable[float],
    others: Iterable[float],
    bands: int = 14,
    rows: int = 8,
) -> BandingExplorer:
    """Play with bands and rows: how many copies are found, and at what cost.

    copies, others: the Jaccard index of each pair that should be found, and
    of each that should not; kept to two decimals. ValueError for a number
    outside 0 to 1, and for bands or rows that the sliders do not have.
    """
    if not (1 <= bands <= MOST_BANDS and 1 <= rows <= MOST_ROWS):
        raise ValueError(
            f"{bands} bands of {rows}: at most {MOST_BANDS} of {MOST_ROWS}"
        )
    return BandingExplorer(
        bands=bands, rows=rows, copies=counted(copies), others=counted(others)
    )


def counted(similarities: Iterable[float]) -> str:
    """Numbers from 0 to 1 -> "0.93:2 0.95:1", how often each comes."""
    found = [float(s) for s in similarities]
    if not found or not 0 <= min(found) <= max(found) <= 1:
        raise ValueError(f"{len(found)} similarities: give some, from 0 to 1")
    counts = Counter(round(s, 2) for s in found)
    return " ".join(f"{s:.2f}:{n}" for s, n in sorted(counts.items()))
