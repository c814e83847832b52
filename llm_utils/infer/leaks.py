"""Has a model seen the test? Overlaps with its training text, item by item.

Chapter 12 uses it. Chapter 7 dropped whole documents (`contaminated`); here
the documents are what they are, and the items are sorted into clean and not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from llm_utils.infer.choices import Item
from llm_utils.train.dedup import shingles


class Seen:
    """The rows of n words of a training text, to look others up in."""

    def __init__(self, texts: Iterable[str], n: int = 13) -> None:
        if n < 1:
            raise ValueError(f"n={n} must be 1 or more")
        rows = [shingles(text, n) for text in texts]
        self.n = n
        self.known = np.unique(np.concatenate(rows)) if rows else np.array([])

    def share(self, text: str) -> float:
        """0 to 1: how many of the text's rows of n words were seen.

        A text of fewer than n words is looked up as a whole.
        """
        rows = shingles(text, self.n)
        return float(np.isin(rows, self.known).mean()) if len(rows) else 0.0


def right_text(item: Item) -> str:
    """An item as the training text would hold it: with its right answer."""
    return f"{item.context} {item.choices[item.answer]}"


def overlaps(items: Sequence[Item], seen: Seen) -> list[float]:
    """For each item the share of its rows that the training text holds.

    Report a score for the items below some share by itself: that is the one
    that says something. Chapter 12; Brown et al. (2020), appendix C,
    Touvron et al. (2023), appendix A.6.
    """
    return [seen.share(right_text(item)) for item in items]
