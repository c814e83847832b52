"""What a figure of the book looks like: colors with a meaning, type, widths.

The one place that decides; chapters and the other modules ask for a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

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
    "key": (0, (6, 1.5)),
    "value": (0, (5, 1.5, 1, 1.5)),
    "floor": (0, (5, 2.5)),
    "train": (0, (1.2, 1.2)),
    "reference": (0, (4, 1.5, 1, 1.5)),
    "rejected": (0, (3, 1.5)),
}
"""Line styles of those meanings, so that print in black and white works."""

HATCHES = {
    "key": "////",
    "value": "....",
    "masked": "//////",
    "reference": "xxxx",
    "rejected": "\\\\\\\\",
}
"""Hatches of those meanings, for cells; the others are plain."""

WEIGHTS, SIGNED = "Blues", "RdBu"
"""Color maps: attention weights and all else from 0 up; signed numbers."""

SERIES = (
    ("#0072b2", "-"),
    ("#d55e00", (0, (5, 2))),
    ("#009e73", (0, (6, 1.5, 1, 1.5))),
    ("#cc79a7", (0, (2, 1.2))),
    ("#777777", (0, (1, 1))),
    ("#e69f00", (0, (9, 2))),
)
"""Color and dashes of runs that have no meaning of their own, in order."""

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


def styles(
    names: Sequence[str], meanings: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """A line style for each name: its meaning's, or the next of SERIES.

    A name that is itself a meaning ("train", "validation") has that one.
    """
    if lost := set(meanings) - set(names):
        raise ValueError(f"meanings for {sorted(lost)}, but drawn: {[*names]}")
    known = {name: meanings.get(name, name) for name in names}
    free = [name for name in names if known[name] not in COLORS]
    for name in free:
        if name in meanings:
            line(meanings[name])  # refuses it
    if len(free) > len(SERIES):
        raise ValueError(
            f"{len(free)} runs are too many for one figure: draw at most "
            f"{len(SERIES)}, or give some a meaning"
        )
    own = {
        name: {"color": color, "linestyle": dash}
        for name, (color, dash) in zip(free, SERIES, strict=False)
    }
    return {name: own.get(name) or line(known[name]) for name in names}


def tint(color: str, amount: float) -> str:
    """A color mixed with white: 0 is white, 1 the color itself."""
    r, g, b = (1 - amount * (1 - c) for c in to_rgb(color))
    return to_hex((r, g, b))


def luminance(color: Any) -> float:
    """Relative luminance of a color, 0 to 1 (WCAG 2.2)."""
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in to_rgb(color)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def ink(color: Any) -> str:
    """The color, darkened until text in it reads well on white (4.5 : 1)."""
    rgb = to_rgb(color)
    while luminance(rgb) > 1.05 / 4.5 - 0.05:
        rgb = (rgb[0] * 0.95, rgb[1] * 0.95, rgb[2] * 0.95)
    return to_hex(rgb)


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


def sheet(ax: Axes) -> Figure:
    """The whole figure that an Axes is on."""
    assert isinstance(ax.figure, Figure)
    return ax.figure


def panels(
    count: int,
    columns: int,
    size: tuple[float, float],
    edges: tuple[float, float, float, float],
    gap: tuple[float, float] = (0.2, 0.2),
    width: float = FULL,
) -> list[Axes]:
    """Equal Axes in rows, in the middle of a figure; lengths in inches.

    size: width and height of each; edges: room at the left, top, right and
    bottom of them all; gap: between columns and between rows.
    """
    rows = -(-count // columns)
    left, top, right, bottom = edges
    wide = columns * size[0] + (columns - 1) * gap[0]
    height = top + rows * size[1] + (rows - 1) * gap[1] + bottom
    left += max(0.0, width - left - wide - right) / 2
    fig = plt.figure(figsize=(width, height))
    fig.set_layout_engine("none")
    found = []
    for i in range(count):
        x = left + (i % columns) * (size[0] + gap[0])
        y = height - top - size[1] - (i // columns) * (size[1] + gap[1])
        place = (x / width, y / height, size[0] / width, size[1] / height)
        found.append(fig.add_axes(place))
    return found
