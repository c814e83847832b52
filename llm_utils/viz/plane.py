"""Vectors in the plane: arrows from the origin, and the angles between."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc

from .style import FULL, INK, MUTED, RULE, ink, panels, styles

Vectors = Mapping[str, Sequence[float]]
Angle = tuple[str, str, str]


def label_tips(ax: Axes, tips: Vectors, unit: float, looks: Any) -> None:
    """Names beyond the tips of arrows, moved apart where two would touch.

    unit: data units to the inch.
    """
    names = list(tips)
    ends = {n: np.asarray(tips[n], float) for n in names}
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
        left, right = ax.get_xlim()
        x = np.clip(at[n][0], left + wide[n], right - wide[n])
        style: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
        ax.text(x, at[n][1], n, size=8.5, color=ink(looks[n]["color"]), **style)


def draw_angle(
    ax: Axes, one: Vectors, angle: Angle, radius: float, inch: float
) -> None:
    """An arc counterclockwise from a vector to another, its name beyond it.

    The name stands where on the arc it is farthest from every arrow.
    """
    a, b, text = angle
    turn = {n: float(np.arctan2(v[1], v[0])) for n, v in one.items()}
    start, end = turn[a], turn[b]
    end += 2 * np.pi * (end < start)
    look: dict[str, Any] = {"theta1": np.degrees(start), "color": MUTED}
    look |= {"theta2": np.degrees(end), "lw": 0.9}
    ax.add_patch(Arc((0, 0), 2 * radius, 2 * radius, **look))

    def free(at: float) -> float:
        away = [
            abs((at - t + np.pi) % (2 * np.pi) - np.pi) for t in turn.values()
        ]
        return min(away) - 0.01 * abs(at - (start + end) / 2)

    at = max(np.linspace(start, end, 25), key=free)
    far = radius + 0.1 * inch
    style: dict[str, Any] = {"size": 8, "color": MUTED, "ha": "center"}
    x, y = far * np.cos(at), far * np.sin(at)
    ax.text(x, y, text, va="center_baseline", **style)


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
    plane goes on all sides (else: as far as the vectors). ValueError for an
    angle at a vector that is not drawn.
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
    left, low, right, high = reach(shown, limit)
    wide, tall = right - left, high - low
    side = min((width - 0.2 * len(shown)) / len(shown), 2.6 * wide / tall, 2.6)
    edges = (0.05, 0.26 if titles else 0.05, 0.05, 0.05)
    size = (side, side * tall / wide)
    axs = panels(len(shown), len(shown), size, edges, width=width)
    for i, (ax, one, drawn) in enumerate(zip(axs, shown, arcs, strict=True)):
        ax.set(xlim=(left, right), ylim=(low, high))
        plane(ax, titles[i] if titles else "")
        found = {n: m for n, m in (meanings or {}).items() if n in one}
        looks = styles(list(one), found)
        for n, v in one.items():
            arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "lw": 1.6}
            arrow |= looks[n] | {"mutation_scale": 11}
            ax.annotate("", (v[0], v[1]), (0, 0), arrowprops=arrow)
        longest = max(math.hypot(*v) for v in one.values())
        for k, angle in enumerate(drawn):
            radius = longest * (0.4 + 0.22 * k)
            draw_angle(ax, one, angle, radius, wide / side)
        label_tips(ax, one, wide / side, looks)
    return axs


def reach(
    shown: Sequence[Vectors], limit: float | None
) -> tuple[float, float, float, float]:
    """Left, low, right and high end of a plane that holds the vectors."""
    if limit is not None:
        return -limit, -limit, limit, limit
    tips = np.array([[0.0, 0.0], *(v for one in shown for v in one.values())])
    room = 0.3 * (float(np.hypot(*tips.T).max()) or 1.0)
    left, low = (float(v) for v in tips.min(0) - room)
    right, high = (float(v) for v in tips.max(0) + room)
    return left, low, right, high


def plane(ax: Axes, title: str) -> None:
    """An empty plane: two thin axes through the origin."""
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.axhline(0, color=RULE, lw=0.7, zorder=0)
    ax.axvline(0, color=RULE, lw=0.7, zorder=0)
    if title:
        ax.set_title(title, loc="center", color=INK)
