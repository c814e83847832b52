"""Tensors as grids of cells, alone or in an equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from .strips import visible
from .style import (
    COLORS,
    FULL,
    HATCHES,
    INK,
    MARK,
    MUTED,
    PAPER,
    SIGNED,
    SOFT,
    WEIGHTS,
    canvas,
    ink,
    luminance,
    tint,
)

HIGH, CARD, TEXT8, MONO8 = 0.25, 0.07, 0.066, 0.069
"""In inches: a cell, the shift of a card in a stack, a character of 8 pt."""


@dataclass(frozen=True)
class Grid:
    """One tensor to draw: what `tensor_grid` takes, for `tensor_product`."""

    x: Any
    axes: Sequence[str] = ("T", "C")
    name: str = ""
    role: str = ""
    values: bool = True
    form: str = "{:.1f}"
    heat: bool = False
    mask: Any = None
    marked: Sequence[tuple[int, int]] = ()
    rows: Sequence[str] = ()
    cols: Sequence[str] = ()

    def __post_init__(self) -> None:
        x = np.asarray(self.x)
        object.__setattr__(self, "x", x)
        if x.ndim not in (2, 3) or len(self.axes) != x.ndim or not x.size:
            raise ValueError(
                f"an array {x.shape} with axes {tuple(self.axes)}: give two "
                f"or three axes, and a letter for each"
            )
        if self.role and self.role not in COLORS:
            raise ValueError(f"no role {self.role!r}: one of {list(COLORS)}")
        if self.mask is not None and np.shape(self.mask) != x.shape[-2:]:
            raise ValueError(f"mask {np.shape(self.mask)} on array {x.shape}")
        for name, side in ((self.rows, -2), (self.cols, -1)):
            if len(name) not in (0, x.shape[side]):
                raise ValueError(f"{len(name)} labels for {x.shape[side]}")

    @property
    def front(self) -> np.ndarray:
        """(R, C): the first card of a stack, or all there is."""
        return self.x if self.x.ndim == 2 else self.x[0]

    @property
    def cards(self) -> int:
        """How many cards are drawn behind the front one (3 at most)."""
        return 0 if self.x.ndim == 2 else min(len(self.x) - 1, 3)

    def text(self, value: Any) -> str:
        """A number as it stands in its cell: no zero has a minus sign."""
        shown = self.form.format(value)
        if not shown.strip("-0."):
            shown = shown.removeprefix("-")
        return shown.replace("-", "\u2212")

    @property
    def texts(self) -> list[list[str]]:
        """What is written in the cells of the front card."""
        show = self.text if self.values else (lambda value: "")
        return [[show(value) for value in row] for row in self.front]

    @property
    def cell(self) -> float:
        """Width of a cell in inches."""
        longest = max(len(text) for row in self.texts for text in row)
        longest = max([longest, *map(len, self.cols)])
        return max(HIGH - 0.03, longest * TEXT8 + 0.08)

    @property
    def left(self) -> float:
        """Room at the left: the axis letter and the names of the rows."""
        names = max(map(len, self.rows), default=0) * MONO8
        return 0.22 + (names + 0.07) * bool(self.rows)

    @property
    def width(self) -> float:
        cells = self.cell * self.front.shape[1]
        return self.left + cells + self.cards * CARD + 0.2 * bool(self.cards)

    @property
    def height(self) -> float:
        return HIGH * len(self.front)

    @property
    def above(self) -> float:
        """Room above: the name, the axis letter, the names of the columns."""
        return (
            0.22 + 0.2 * bool(self.name or self.cards) + 0.17 * bool(self.cols)
        )


def fills(grid: Grid) -> np.ndarray:
    """(R, C): the color of each cell of the front card."""
    x = grid.front
    plain = tint(COLORS[grid.role], 0.22) if grid.role else SOFT
    if grid.role == "residual":
        plain = tint(INK, 0.1)
    found = np.full(x.shape, plain, dtype=object)
    if grid.heat:
        mask = np.ones(x.shape, bool) if grid.mask is None else grid.mask
        seen = np.where(mask, x, 0.0)
        most = float(np.abs(seen).max()) or 1.0
        signed = float(seen.min()) < 0
        paint = colormaps[SIGNED if signed else WEIGHTS]
        scaled = (seen / most + 1) / 2 if signed else seen / max(most, 1.0)
        for at in np.ndindex(*x.shape):
            found[at] = paint(float(scaled[at]))
    for at in grid.marked:
        found[at] = MARK
    return found


def put_cells(ax: Axes, grid: Grid, x0: float, y0: float) -> None:
    """The cells of the front card, and of those behind their outlines."""
    w, (R, C) = grid.cell, grid.front.shape
    color = COLORS[grid.role] if grid.role else "#9aa5b1"
    edge: dict[str, Any] = {"edgecolor": color, "lw": 0.7}
    colors, texts = fills(grid), grid.texts
    for k in range(grid.cards, 0, -1):
        corner = (x0 + k * CARD, y0 - k * CARD)
        behind = tint(color, 0.15)
        ax.add_patch(Rectangle(corner, C * w, R * HIGH, fc=behind, **edge))
    hatch, marked = HATCHES.get(grid.role, ""), set(grid.marked)
    for r, c in np.ndindex(R, C):
        corner, size = (x0 + c * w, y0 + r * HIGH), (w, HIGH)
        masked = grid.mask is not None and not grid.mask[r][c]
        fill = "#f2f2f2" if masked else colors[r, c]
        lines = HATCHES["masked"] if masked else "" if grid.heat else hatch
        if lines:
            pale = "#b0b0b0" if masked else tint(color, 0.42)
            look: dict[str, Any] = {
                "fc": fill,
                "ec": pale,
                "lw": 0,
                "hatch": lines,
            }
            ax.add_patch(Rectangle(corner, *size, **look))
            fill = "none"
        pointed = {"edgecolor": "#a5670a", "lw": 1.6, "zorder": 1.5}
        rim = edge | pointed if (r, c) in marked else edge
        ax.add_patch(Rectangle(corner, *size, facecolor=fill, **rim))
        if masked or not texts[r][c]:
            continue
        dark = not lines and luminance(to_rgb(fill)) < 0.3
        middle = (x0 + (c + 0.5) * w, y0 + (r + 0.5) * HIGH)
        style: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
        style |= {"size": 8, "color": PAPER if dark else INK}
        ax.text(*middle, texts[r][c], **style)


def put_edges(ax: Axes, grid: Grid, x0: float, y0: float) -> None:
    """The name of a tensor, its axis letters with their sizes, its labels."""
    w, (R, C) = grid.cell, grid.front.shape
    style: dict[str, Any] = {"size": 8, "color": MUTED}
    style |= {"ha": "center", "va": "center_baseline"}
    sizes = zip(grid.axes, grid.x.shape, strict=True)
    letters = [f"{a} = {n}" for a, n in sizes]
    y = y0 - 0.1
    for c, text in enumerate(grid.cols):
        ax.text(x0 + (c + 0.5) * w, y, text, **style)
    y -= 0.17 * bool(grid.cols)
    if grid.cards:
        at = (x0 + C * w + grid.cards * CARD + 0.05, y0 - grid.cards * CARD)
        ax.text(*at, letters[0], **style | {"ha": "left"})
        y -= grid.cards * CARD
    ax.text(x0 + C * w / 2 + grid.cards * CARD, y, letters[-1], **style)
    if grid.name:
        color = ink(COLORS[grid.role]) if grid.role else INK
        look: dict[str, Any] = {"size": 9.5, "weight": "medium", "color": color}
        ax.text(x0 + C * w / 2, y - 0.21, grid.name, **style | look)
    for r, text in enumerate(grid.rows):
        at = (x0 - 0.07, y0 + (r + 0.5) * HIGH)
        mono: dict[str, Any] = {"ha": "right", "family": "monospace"}
        ax.text(*at, visible(text), **style | mono)
    side = x0 - grid.left + 0.11
    ax.text(side, y0 + R * HIGH / 2, letters[-2], rotation=90, **style)


def tensor_product(parts: Sequence[Grid | str], width: float = FULL) -> Axes:
    """Tensors in a row with what stands between them: Q @ K = scores.

    parts: a `Grid` for each tensor, a string for each sign ("@", "=", "+",
    "softmax"). ValueError where the row is wider than the figure.
    """
    grids = [part for part in parts if isinstance(part, Grid)]
    if not grids:
        raise ValueError("nothing to draw: give at least one Grid")
    spans = [
        part.width if isinstance(part, Grid) else len(part) * 0.085 + 0.14
        for part in parts
    ]
    if sum(spans) > width:
        raise ValueError(
            f"{sum(spans):.1f} in of cells in a figure of {width} in: fewer "
            f"columns, values=False or a shorter form"
        )
    deep = max(grid.height for grid in grids)
    need = [g.above + g.cards * CARD - (deep - g.height) / 2 for g in grids]
    top = max(need) + 0.06
    ax = canvas(width, top + deep + 0.06)
    x, middle = (width - sum(spans)) / 2, top + deep / 2
    for part, span in zip(parts, spans, strict=True):
        if isinstance(part, Grid):
            corner = (x + part.left, middle - part.height / 2)
            put_cells(ax, part, *corner)
            put_edges(ax, part, *corner)
        else:
            at: dict[str, Any] = {"ha": "center", "size": 11}
            at["va"] = "center_baseline"
            shown = {"@": "@", "*": "\u00d7"}.get(part, part)
            ax.text(x + span / 2 + 0.03, middle, shown, **at)
        x += span
    return ax


def tensor_grid(
    x: Any,
    axes: Sequence[str] = ("T", "C"),
    name: str = "",
    role: str = "",
    values: bool = True,
    width: float = FULL,
    **more: Any,
) -> Axes:
    """An array as a grid of cells, its axis letters and sizes on the edges.

    x: (R, C), or a stack (N, R, C) drawn as cards, the first in front. role:
    a meaning of COLORS ("query", "key", "residual"). values writes the numbers
    in, by form="{:.1f}". More: heat=True colors by value (signed, if there
    are negative ones); mask (R, C), bool, True = may look, hatches the rest;
    marked=[(r, c)] points at cells; rows and cols label them.
    ValueError for what does not fit.
    """
    return tensor_product([Grid(x, axes, name, role, values, **more)], width)
