"""What a figure of the book looks like: colors with a meaning, type, widths.

The one place that decides; chapters and the other modules ask for a meaning.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes

INK, MUTED, RULE, PAPER = "#1b1b1b", "#6b6b6b", "#c4c4c4", "#ffffff"
SOFT, MARK = "#e8eef4", "#fbdca0"
"""Fills: an ordinary token or cell, and the one that the text points at."""

COLORS = {
    "query": "#0072b2",
    "key": "#e69f00",
    "value": "#009e73",
    "residual": INK,
    "masked": "#cfcfcf",
    "floor": INK,
    "train": "#56b4e9",
    "validation": "#0072b2",
    "ours": "#0072b2",
    "reference": "#777777",
    "chosen": "#009e73",
    "rejected": "#d55e00",
}
"""Colors with a meaning (Okabe and Ito's set: safe for color blindness)."""

DASHES = {
    "floor": (0, (5, 2.5)),
    "train": (0, (1.2, 1.2)),
    "reference": (0, (4, 1.5, 1, 1.5)),
    "rejected": (0, (3, 1.5)),
}
"""Line styles of those meanings, so that print in black and white works."""

FULL, NARROW = 6.2, 3.9
"""Figure widths in inches: the text column, and about 60 % of it."""

SANS = ("Inter", "Helvetica Neue", "Arial", "DejaVu Sans")
MONO = ("JetBrains Mono", "Menlo", "DejaVu Sans Mono")


def use_style() -> None:
    """Switch matplotlib to the book's style, with the first font it finds."""
    plt.style.use(str(files("llm_utils") / "assets" / "book.mplstyle"))
    have = {font.name for font in font_manager.fontManager.ttflist}
    sans, mono = (
        [name for name in names if name in have][:1] for names in (SANS, MONO)
    )
    plt.rcParams["font.family"] = "sans-serif"
    plt.rcParams["font.sans-serif"] = [*sans, "DejaVu Sans"]
    plt.rcParams["font.monospace"] = [*mono, "DejaVu Sans Mono"]


def line(meaning: str) -> dict[str, Any]:
    """Keyword arguments for `plot` that give a line its meaning."""
    if meaning not in COLORS:
        raise ValueError(f"no meaning {meaning!r}; choose from {list(COLORS)}")
    return {"color": COLORS[meaning], "linestyle": DASHES.get(meaning, "-")}


def axes(width: float = FULL, height: float = 2.6) -> Axes:
    """One empty Axes of the book's width (inches)."""
    return plt.subplots(figsize=(width, height))[1]


def canvas(width: float, height: float) -> Axes:
    """Axes without axes, one unit to the inch, y pointing down: to draw on."""
    fig = plt.figure(figsize=(width, height))
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    return ax
