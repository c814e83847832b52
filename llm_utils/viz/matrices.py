"""What every map of a matrix is made of: cells, edge labels, a scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from .style import HATCHES, INK, MUTED, PAPER, luminance, sheet

CHAR8 = 0.069
"""Width of a character of the code font at 8 pt, in inches."""
LINE8 = 0.135
"""Least distance of two lines of text at 8 pt, in inches."""


def hatch_cells(ax: Axes, cells: np.ndarray) -> None:
    """Cover the cells (T, S) that are True with the hatch of the masked."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], float) - 0.5
    at = np.argwhere(cells)[:, None, ::-1]
    if not len(at):
        return
    codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * len(at)
    path = Path((at + square).reshape(-1, 2), codes)
    look: dict[str, Any] = {"facecolor": "#f2f2f2", "edgecolor": "#b0b0b0"}
    ax.add_patch(PathPatch(path, hatch=HATCHES["masked"], lw=0, **look))


def matrix(
    ax: Axes,
    x: np.ndarray,
    may: np.ndarray,
    cmap: str,
    limits: tuple[float, float],
    texts: np.ndarray | None = None,
) -> None:
    """Draw the cells x (T, S) of one panel; those not in `may` hatched."""
    shown = np.ma.masked_array(x, ~may)
    low, high = limits
    ax.imshow(shown, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    hatch_cells(ax, ~may)
    T, S = x.shape
    if max(T, S) <= 40:
        for i in range(1, T):
            ax.axhline(i - 0.5, color=PAPER, lw=0.6)
        for i in range(1, S):
            ax.axvline(i - 0.5, color=PAPER, lw=0.6)
    ax.spines[:].set_visible(True)
    ax.tick_params(length=0, pad=3)
    ax.set(xticks=[], yticks=[])
    if texts is None:
        return
    paint = colormaps[cmap]
    for i, j in np.argwhere(may):
        ground = paint((x[i, j] - low) / (high - low or 1.0))[:3]
        color = INK if luminance(ground) > 0.3 else PAPER
        style: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
        ax.text(j, i, texts[i, j], size=8, color=color, **style)


def edge_labels(
    ax: Axes, labels: Sequence[str], side: str, cell: float, mono: bool = True
) -> None:
    """Labels along one side ("x" or "y") of a panel; every nth if tight."""
    every = max(1, int(np.ceil(LINE8 / cell - 1e-9)))
    places = range(0, len(labels), every)
    axis = ax.xaxis if side == "x" else ax.yaxis
    texts = [labels[i] for i in places]
    axis.set_ticks(list(places), texts, size=8, color=INK)
    longest = max(map(len, texts), default=0) * CHAR8
    for tick in axis.get_ticklabels():
        tick.set_fontfamily("monospace" if mono else "sans-serif")
        if side == "x" and longest > cell:
            tick.set(rotation=90)


def scale_bar(ax: Axes, cmap: str, limits: tuple[float, float], unit: str):
    """A thin color scale at the right of a panel, with its ends and unit."""
    fig = sheet(ax)
    width, height = fig.get_size_inches()
    box = ax.get_position()
    high = min(1.0, box.height * height)
    place = (box.x1 + 0.12 / width, box.y1 - high / height)
    bar = fig.add_axes((*place, 0.09 / width, high / height))
    low, top = limits
    ramp = np.linspace(top, low, 128)[:, None]
    bar.imshow(ramp, cmap=cmap, aspect="auto", extent=(0, 1, low, top))
    bar.yaxis.tick_right()
    ends = sorted({low, 0.0, top} if low < 0 < top else {low, top})
    bar.set_yticks(ends, [f"{v:.3g}" for v in ends], size=8)
    bar.set_xticks([])
    bar.tick_params(length=0, pad=2)
    bar.spines[:].set_visible(False)
    if unit:
        style: dict[str, Any] = {"size": 8, "color": MUTED, "va": "top"}
        bar.annotate(
            unit,
            (0, 0),
            xytext=(0, -5),
            xycoords="axes fraction",
            textcoords="offset points",
            **style,
        )
