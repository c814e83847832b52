"""Charts of measured numbers, labeled directly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import COLORS, FULL, PAPER, axes


def bars(
    names: Sequence[str],
    values: Sequence[float],
    unit: str,
    form: str = "{:.1f}",
    marked: Iterable[int] = (),
    width: float = FULL,
) -> Axes:
    """Horizontal bars, each with its value at the end; marked ones hatched."""
    ax = axes(width, 0.27 * len(names) + 0.5)
    points = set(marked)
    drawn = ax.barh(names, values, height=0.66, color=COLORS["train"])
    for i, patch in enumerate(drawn):
        if i in points:
            patch.set(facecolor=COLORS["key"], hatch="///", edgecolor=PAPER)
    ax.bar_label(drawn, [form.format(v) for v in values], padding=3, size=8.5)
    ax.invert_yaxis()
    ax.set_xlabel(unit)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.1)
    return ax


def label_line(ax: Axes, text: str, meaning: str = "", **shift: Any) -> None:
    """Write a label at the right end of the line that was drawn last."""
    last = ax.get_lines()[-1]
    x, y = np.asarray(last.get_xydata())[-1]
    color = COLORS[meaning] if meaning else last.get_color()
    style: dict[str, Any] = {"xytext": (5, 0)} | shift
    ax.annotate(
        text,
        (x, y),
        textcoords="offset points",
        color=color,
        va="center",
        size=8.5,
        annotation_clip=False,
        **style,
    )
