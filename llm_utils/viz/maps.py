"""Matrices as maps: attention weights, masks, tables of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from .matrices import CHAR8, LINE8, edge_labels, matrix, scale_bar
from .strips import visible
from .style import FULL, HATCHES, MUTED, NARROW, SIGNED, WEIGHTS, panels, sheet


def stacked(x: Any, what: str) -> np.ndarray:
    """The array as (H, T, S); ValueError for another number of axes."""
    x = np.asarray(x)
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(
            f"{what} of shape {x.shape}: give (T, S) or (H, T, S); of a batch, "
            f"take one example"
        )
    return x if x.ndim == 3 else x[None]


def fit_columns(
    count: int, cells: int, room: float, gap: float, least: float
) -> int:
    """How many panels of so many cells fit side by side, in even rows."""
    for columns in range(min(count, 6), 1, -1):
        if (room - (columns - 1) * gap) / (columns * cells) >= least:
            return -(-count // -(-count // columns))
    return 1


def attention_map(
    w: Any,
    tokens: Sequence[str | bytes],
    mask: Any = None,
    titles: Sequence[str] = (),
    columns: int | None = None,
    values: bool = False,
    width: float = FULL,
) -> list[Axes]:
    """Attention weights as maps: queries down, keys across, a panel a head.

    w: (H, T, S) or (T, S), from 0 to 1. tokens: the S keys; the queries are
    the last T of them. mask: bool, broadcastable to w, True = may look; the
    rest is hatched (without a mask: weights of exactly 0). titles: one a
    head. values writes the numbers in. ValueError for what does not fit.
    Chapter 3.
    """
    heads = stacked(w, "attention weights")
    H, T, S = heads.shape
    if len(tokens) != S or T > S:
        raise ValueError(f"{len(tokens)} tokens for {T} queries and {S} keys")
    if heads.min() < -1e-6 or heads.max() > 1 + 1e-5:
        raise ValueError("weights outside 0 to 1: take the softmax first")
    if titles and len(titles) != H:
        raise ValueError(f"{len(titles)} titles for {H} heads")
    may = np.broadcast_to(heads > 0 if mask is None else mask, heads.shape)
    names = [visible(token) for token in tokens]
    side = max(map(len, names)) * CHAR8 + 0.1
    edges = (max(side, 0.45), 0.28, 0.55, max(side, 0.2) + 0.05)
    room = width - edges[0] - edges[2]
    least = 0.3 if values else 0.15
    columns = columns or fit_columns(H, S, room, 0.2, least)
    most = 0.16 if H > 1 and columns == 1 and not values else 0.34
    cell = min((room - (columns - 1) * 0.2) / (columns * S), most)
    if values and cell < 0.27:
        raise ValueError(f"no room for numbers in {S} columns: values=False")
    gaps = (0.2, 0.32)
    axs = panels(H, columns, (S * cell, T * cell), edges, gaps, width)
    text = np.vectorize(lambda v: f"{v:.2f}".removeprefix("0"))
    for h, ax in enumerate(axs):
        shown = text(heads[h]) if values else None
        matrix(ax, heads[h], may[h], WEIGHTS, (0.0, 1.0), shown)
        ax.set_title(titles[h] if titles else f"head {h}" if H > 1 else "")
        if h % columns == 0:
            edge_labels(ax, names[S - T :], "y", cell)
        if h + columns >= H:
            edge_labels(ax, names, "x", cell)
    name_sides(axs[0], axs[(H - 1) // columns * columns])
    scale_bar(axs[columns - 1], WEIGHTS, (0.0, 1.0), "weight")
    return axs


def name_sides(first: Axes, last: Axes) -> None:
    """Write which side is the query and which the key."""
    style: dict[str, Any] = {"size": 8, "color": MUTED, "ha": "right"}
    style |= {"textcoords": "offset points", "xycoords": "axes fraction"}
    first.annotate("query", (0, 1), xytext=(-3, 4), **style)
    last.annotate("key", (0, 0), xytext=(-3, -4), va="top", **style)


def mask_grid(
    masks: Sequence[Any],
    titles: Sequence[str],
    width: float = FULL,
) -> list[Axes]:
    """Mask patterns side by side: colored where a query may look.

    masks: bool arrays (T, S), True = may look. titles: one each.
    ValueError for a mask that is not boolean. Chapter 3.
    """
    found = [np.asarray(mask) for mask in masks]
    if len(found) != len(titles) or not found:
        raise ValueError(f"{len(titles)} titles for {len(found)} masks")
    for mask in found:
        if mask.dtype != bool or mask.ndim != 2:
            raise ValueError(
                f"a mask of {mask.dtype} and shape {mask.shape}: give booleans "
                f"(T, S), True = may look"
            )
    T, S = (max(mask.shape[i] for mask in found) for i in (0, 1))
    edges = (0.45, 0.28, 0.85, 0.24)
    room = width - edges[0] - edges[2]
    columns = fit_columns(len(found), S, room, 0.2, 0.9 / S)
    cell = min((room - (columns - 1) * 0.2) / (columns * S), 0.24)
    size = (S * cell, T * cell)
    axs = panels(len(found), columns, size, edges, (0.2, 0.32), width)
    for ax, mask, title in zip(axs, found, titles, strict=True):
        matrix(ax, np.full(mask.shape, 0.6), mask, WEIGHTS, (0, 1))
        ax.set_title(title)
    name_sides(axs[0], axs[(len(axs) - 1) // columns * columns])
    mask_key(axs[columns - 1])
    return axs


def mask_key(ax: Axes) -> None:
    """What a filled cell and a hatched one mean, at the right of a panel."""
    fig = sheet(ax)
    width, height = fig.get_size_inches()
    box = ax.get_position()
    place = (box.x1 + 0.12 / width, box.y1 - 0.5 / height)
    key = fig.add_axes((*place, 0.7 / width, 0.5 / height))
    key.set(xlim=(0, 0.7), ylim=(0.5, 0))
    key.axis("off")
    blue = colormaps[WEIGHTS](0.6)
    grey: dict[str, Any] = {"facecolor": "#f2f2f2", "edgecolor": "#b0b0b0"}
    key.add_patch(Rectangle((0, 0), 0.14, 0.14, facecolor=blue))
    look = grey | {"hatch": HATCHES["masked"], "lw": 0}
    key.add_patch(Rectangle((0, 0.24), 0.14, 0.14, **look))
    for y, text in ((0.07, "looks"), (0.31, "masked")):
        key.text(0.2, y, text, size=8, va="center_baseline", color=MUTED)


def heat(
    x: Any,
    rows: Sequence[str],
    cols: Sequence[str],
    unit: str = "",
    signed: bool = False,
    values: bool = False,
    form: str = "{:.2f}",
    limits: tuple[float, float] | None = None,
    width: float = NARROW,
) -> Axes:
    """A labeled matrix (R, C), colored by value: a table to see, not to read.

    signed: two colors around 0 (a cosine), negative cells with a minus sign;
    else one from the least value up. values writes the numbers in, by form.
    limits: the ends of the color scale. ValueError for what does not fit.
    """
    x = np.asarray(x, float)
    if x.shape != (len(rows), len(cols)) or not x.size:
        raise ValueError(
            f"a matrix {x.shape} with {len(rows)} rows and {len(cols)} columns"
        )
    most = float(np.nanmax(np.abs(x))) or 1.0
    plain = (min(0.0, float(np.nanmin(x))), float(np.nanmax(x)))
    limits = limits or ((-most, most) if signed else plain)
    names, heads = [visible(r) for r in rows], [visible(c) for c in cols]
    texts = np.vectorize(form.format)(x)
    left = max(map(len, names)) * CHAR8 + 0.12
    right = 0.6 if not values else 0.08
    need = max(map(len, texts.flat)) * 0.062 + 0.06 if values else 0.0
    cell = min((width - left - right) / len(cols), max(need, 0.34))
    if cell < need:
        raise ValueError(f"{len(cols)} columns leave no room: values=False")
    turned = max(map(len, heads)) * CHAR8 > cell
    bottom = max(map(len, heads)) * CHAR8 + 0.12 if turned else 0.24
    tall = min(cell, 0.3)
    size = (len(cols) * cell, len(rows) * tall)
    edges = (left, 0.08, right, bottom)
    (ax,) = panels(1, 1, size, edges, width=width)
    if signed and not values:
        texts = np.where(x < -0.1 * most, "\u2212", "")
    cmap = SIGNED if signed else WEIGHTS
    numbers = texts if values or (signed and tall >= LINE8) else None
    matrix(ax, np.nan_to_num(x), np.isfinite(x), cmap, limits, numbers)
    edge_labels(ax, names, "y", tall)
    edge_labels(ax, heads, "x", cell)
    if not values:
        scale_bar(ax, cmap, limits, unit)
    return ax
