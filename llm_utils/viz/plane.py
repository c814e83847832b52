"""Vectors in the plane: arrows from the origin, and the angles between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc

from .style import FULL, INK, MUTED, RULE, ink, panels, styles

Vectors = Mapping[str, Sequence[float]]
Angle = tuple[str, str, str]


def label_tips(ax: Axes, tips: Vectors, limit: float, colors: Any) -> None:
    """Names beyond the tips of arrows, moved apart where two would touch."""
    names = list(tips)
    ends = {n: np.asarray(tips[n], float) for n in names}
    size = float(ax.bbox.width) / ax.figure.dpi
    unit = 2 * limit / size  # data units to the inch
    wide = {n: (0.033 * len(n) + 0.02) * unit for n in names}
    at = {}
    for n, v in ends.items():
        out = v / (np.hypot(*v) or 1.0)
        at[n] = v + out * np.array([wide[n] + 0.06 * unit, 0.11 * unit])
    for _ in range(40):
        for a, b in combinations(names, 2):
            gap = np.abs(at[a] - at[b])
            if gap[0] < wide[a] + wide[b] and gap[1] < 0.15 * unit:
                up = 0.02 * unit * (1 if at[a][1] >= at[b][1] else -1)
                at[a][1] += up
                at[b][1] -= up
    for n in names:
        reach = limit - wide[n]
        x, y = np.clip(at[n], [-reach, -limit], [reach, limit])
        style: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
        ax.text(x, y, n, size=8.5, color=ink(colors[n]["color"]), **style)


def draw_angle(ax: Axes, a: Any, b: Any, text: str, radius: float) -> None:
    """An arc from the direction of a, counterclockwise, to that of b."""
    start, end = (np.degrees(np.arctan2(v[1], v[0])) for v in (a, b))
    end += 360 * (end < start)
    look: dict[str, Any] = {"theta1": start, "theta2": end, "color": MUTED}
    ax.add_patch(Arc((0, 0), 2 * radius, 2 * radius, lw=0.9, **look))
    middle = np.radians((start + end) / 2)
    x, y = np.cos(middle), np.sin(middle)
    style: dict[str, Any] = {"va": "center", "size": 8, "color": MUTED}
    style["ha"] = "left" if x > 0.3 else "right" if x < -0.3 else "center"
    ax.text(1.12 * radius * x, 1.2 * radius * y, text, **style)


def vectors_2d(
    vectors: Vectors | Sequence[Vectors],
    meanings: Mapping[str, str] | None = None,
    angles: Sequence[Angle] | Sequence[Sequence[Angle]] = (),
    titles: Sequence[str] = (),
    limit: float | None = None,
    width: float = FULL,
) -> list[Axes]:
    """Arrows from the origin, named at their tips; a panel for each mapping.

    vectors: {name: (x, y)}, or a list of such. meanings: {name: meaning}, so
    that a query is a query's color. angles: (from, to, text) arcs, counter-
    clockwise (a list a panel, if there are several). limit: how far the
    plane goes. ValueError for an angle at a vector that is not there.
    Chapter 4.
    """
    shown = [vectors] if isinstance(vectors, Mapping) else list(vectors)
    arcs: list[Any] = [angles] if isinstance(vectors, Mapping) else [*angles]
    arcs = arcs or [()] * len(shown)
    if len(arcs) != len(shown) or (titles and len(titles) != len(shown)):
        raise ValueError(f"angles and titles: one for each of {len(shown)}")
    for one, drawn in zip(shown, arcs, strict=True):
        lost = {n for arc in drawn for n in arc[:2]} - set(one)
        if lost:
            raise ValueError(f"an angle at {sorted(lost)}; drawn: {list(one)}")
    reach = max(np.hypot(*v) for one in shown for v in one.values())
    limit = limit or 1.45 * float(reach) or 1.0
    side = min((width - 0.2 * len(shown)) / len(shown), 2.3)
    edges = (0.05, 0.26 if titles else 0.05, 0.05, 0.05)
    axs = panels(len(shown), len(shown), (side, side), edges, width=width)
    for i, (ax, one, drawn) in enumerate(zip(axs, shown, arcs, strict=True)):
        plane(ax, limit, titles[i] if titles else "")
        found = {n: m for n, m in (meanings or {}).items() if n in one}
        looks = styles(list(one), found)
        for n, v in one.items():
            arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "lw": 1.6}
            arrow |= looks[n] | {"mutation_scale": 11}
            ax.annotate("", tuple(v), (0, 0), arrowprops=arrow)
        for k, (a, b, text) in enumerate(drawn):
            radius = limit * (0.24 + 0.12 * k)
            draw_angle(ax, one[a], one[b], text, radius)
        label_tips(ax, one, limit, looks)
    return axs


def plane(ax: Axes, limit: float, title: str) -> None:
    """An empty plane: two thin axes through the origin, a circle of 1."""
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])
    ax.axhline(0, color=RULE, lw=0.7, zorder=0)
    ax.axvline(0, color=RULE, lw=0.7, zorder=0)
    if title:
        ax.set_title(title, loc="center", color=INK)
