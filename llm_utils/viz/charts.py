"""Charts of measured numbers, labeled directly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from .style import COLORS, FULL, INK, MUTED, PAPER, axes, line, sheet, tint


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


def dots(
    groups: Mapping[str, Sequence[float]],
    unit: str,
    meanings: Mapping[str, str] | None = None,
    form: str = "{:.3f}",
    floor: float | None = None,
    floor_label: str = "entropy",
    width: float = FULL,
) -> Axes:
    """Every seed a point, a row a condition, a tick and a number for the mean.

    groups: {condition: one value a seed}. At the right stand the mean and, of
    two seeds or more, the standard deviation. meanings: {condition: meaning}.
    floor: a dashed line. ValueError for a condition without a number.
    """
    for name, values in groups.items():
        if not len(values) or not np.isfinite(values).all():
            raise ValueError(f"{name!r}: {list(values)}; give finite numbers")
    looks = {
        name: line((meanings or {}).get(name, "ours"))["color"]
        for name in groups
    }
    ax = axes(width, 0.3 * len(groups) + 0.62)
    edge = ax.get_yaxis_transform()
    right: dict[str, Any] = {"transform": edge, "size": 8.5, "color": INK}
    for row, (name, values) in enumerate(groups.items()):
        n, mean = len(values), float(np.mean(values))
        up = np.linspace(-0.18, 0.18, n) if n > 1 else np.zeros(1)
        color = looks[name]
        style: dict[str, Any] = {"s": 22, "facecolors": "none", "lw": 1.1}
        ax.scatter(values, row + up, edgecolors=color, **style)
        ax.plot([mean, mean], [row - 0.3, row + 0.3], color=INK, lw=1.8)
        text = form.format(mean)
        if n > 1:
            text += " \u00b1 " + form.format(float(np.std(values, ddof=1)))
        ax.text(1.03, row, text, va="center", **right)
    if any(len(values) > 1 for values in groups.values()):
        muted = right | {"size": 8, "color": MUTED, "va": "bottom"}
        ax.text(1.03, -0.62, "mean \u00b1 sd", **muted)
    if floor is not None:
        ax.axvline(floor, lw=1.3, zorder=0, **line("floor"))
        style = {"ha": "center", "va": "bottom", "size": 8.5, "color": INK}
        ax.text(floor, -0.62, floor_label, **style)
    ax.set(xlabel=unit, ylim=(len(groups) - 0.4, -0.6))
    ax.set_yticks(range(len(groups)), list(groups))
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def histogram(
    groups: Any,
    unit: str,
    lines: Mapping[str, float] | None = None,
    bins: int = 40,
    limits: tuple[float, float] | None = None,
    meanings: Mapping[str, str] | None = None,
    width: float = FULL,
) -> list[Axes]:
    """How numbers are spread: a row a group, one x-axis, labeled lines.

    groups: {name: numbers}, or the numbers alone; each row is scaled to its
    own peak. lines: {label: x}, dashed through all rows. limits: the ends of
    the x-axis. ValueError for a group without finite numbers.
    """
    named = groups if isinstance(groups, Mapping) else {"": groups}
    data = {k: np.asarray(v, float).ravel() for k, v in named.items()}
    for name, x in data.items():
        if not x.size or not np.isfinite(x).all():
            raise ValueError(f"{name!r}: give finite numbers, at least one")
    low = min(float(x.min()) for x in data.values())
    high = max(float(x.max()) for x in data.values())
    ends = limits or (low, high)
    tall = 1.5 if len(data) == 1 else 0.72 * len(data)
    _, found = plt.subplots(
        len(data), sharex=True, figsize=(width, tall + 0.65), squeeze=False
    )
    for ax, (name, x) in zip(found[:, 0], data.items(), strict=True):
        color = line((meanings or {}).get(name, "train"))["color"]
        style: dict[str, Any] = {"color": tint(color, 0.55), "ec": color}
        ax.hist(x, bins, range=ends, histtype="stepfilled", **style)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", color=INK)
        ax.set(yticks=[], xlim=ends)
        ax.tick_params(axis="x", length=3 * (ax is found[-1, 0]))
        ax.spines["left"].set_visible(False)
        for at in (lines or {}).values():
            ax.axvline(at, color=INK, lw=1.0, linestyle=(0, (5, 2.5)))
    label_tops(found[0, 0], lines or {})
    found[-1, 0].set_xlabel(unit)
    return list(found[:, 0])


def label_tops(ax: Axes, lines: Mapping[str, float]) -> None:
    """Names of vertical lines above an Axes, higher where they are close."""
    low, high = ax.get_xlim()
    inches = sheet(ax).get_size_inches()[0] * 0.85 / (high - low)
    ends = [-np.inf] * 6
    for text, at in sorted(lines.items(), key=lambda pair: pair[1]):
        half = 0.035 * len(text) + 0.04
        x = at * inches
        row = next((r for r in range(6) if x - half > ends[r]), 5)
        ends[row] = x + half
        style: dict[str, Any] = {"ha": "center", "size": 8.5, "color": INK}
        style |= {"textcoords": "offset points"}
        style |= {"xycoords": ax.get_xaxis_transform()}
        ax.annotate(text, (at, 1), xytext=(0, 3 + 12 * row), **style)
