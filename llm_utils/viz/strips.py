"""Tokens as strips of rounded boxes, cells as grids, merges as trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from .style import FULL, MARK, MUTED, SOFT, canvas


def visible(token: str | bytes) -> str:
    """A token as it should be printed: spaces and line ends can be seen.

    Bytes that are not UTF-8 on their own become hexadecimal, as in <e2>.
    """
    if isinstance(token, bytes):
        try:
            token = token.decode("utf-8")
        except UnicodeDecodeError:
            return "".join(f"<{b:02x}>" for b in token)
    named = {" ": "\u00b7", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return "".join(named.get(c, c) for c in token)


def box(
    ax: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    text: str = "",
    fill: str = SOFT,
    **font: Any,
) -> None:
    """A rounded box with centered text; x, y are its upper left corner."""
    shape = FancyBboxPatch(
        (x, y),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.05",
        facecolor=fill,
        edgecolor="#a5670a" if fill == MARK else "#9aa5b1",
        linewidth=0.7,
    )
    ax.add_patch(shape)
    style: dict[str, Any] = {"size": 8.5, "family": "monospace"} | font
    middle = (x + width / 2, y + height / 2 - 0.01)
    label = ax.text(*middle, text, ha="center", va="center_baseline", **style)
    if hasattr(label, "set_fontfeatures"):  # matplotlib 3.11 draws ligatures
        label.set_fontfeatures(("-calt", "-liga"))  # and would join < and |


CHAR, PAD, GAP, ROW = 0.0745, 0.055, 0.035, 0.235
"""Token strips, in inches: a character, padding, gap, and the height."""


def token_width(text: str) -> float:
    """Width of a token's box in inches (wide characters count double)."""
    cells = sum(2 if ord(c) >= 0x1100 else 1 for c in text)
    return max(cells, 1) * CHAR + 2 * PAD


def token_strip(
    rows: Sequence[Sequence[str | bytes]],
    labels: Sequence[str] = (),
    ids: Sequence[Sequence[int]] | None = None,
    marked: Iterable[tuple[int, int]] = (),
    notes: Sequence[str] = (),
    width: float = FULL,
) -> Axes:
    """Token sequences as strips of rounded boxes, a row each, ids under them.

    rows: the tokens of each row. labels stand at the left of a row, notes at
    its right end. marked: (row, position) pairs to point at. Long rows wrap.
    """
    texts = [[visible(token) for token in row] for row in rows]
    left = max((len(x) for x in labels), default=0) * 0.068 + 0.1
    left = 0.02 if not labels else left
    right = max((len(x) for x in notes), default=0) * 0.068
    step = ROW + (0.3 if ids is not None else 0.1)
    places, y = [], 0.04
    for r, row in enumerate(texts):
        x = left
        for i, text in enumerate(row):
            w = token_width(text)
            if x + w > width - right and x > left:
                x, y = left, y + step - (0 if ids else 0.045)
            places.append((r, i, x, y, w, text))
            x += w + GAP
        places.append((r, -1, x, y, 0.0, ""))
        y += step
    ax = canvas(width, y)
    points = set(marked)
    for r, i, x, y, w, text in places:
        if i < 0:
            if notes:
                ax.text(
                    x + 0.04,
                    y + ROW / 2,
                    notes[r],
                    va="center_baseline",
                    size=8,
                    color=MUTED,
                )
            continue
        box(ax, x, y, w, ROW, text, MARK if (r, i) in points else SOFT)
        if ids is not None:
            ax.text(
                x + w / 2,
                y + ROW + 0.08,
                str(ids[r][i]),
                size=6.8,
                ha="center",
                va="center_baseline",
                color=MUTED,
            )
        if i == 0 and labels:
            ax.text(
                left - 0.1,
                y + ROW / 2,
                labels[r],
                ha="right",
                va="center_baseline",
                size=8.5,
                color=MUTED,
            )
    return ax


def text_grid(
    rows: Sequence[Sequence[str]],
    fills: Sequence[Sequence[str]] | None = None,
    left: Sequence[str] = (),
    top: Sequence[str] = (),
    cell: tuple[float, float] = (0.26, 0.26),
    width: float = FULL,
) -> Axes:
    """A grid of cells with text; None in a row leaves its cell out.

    fills gives each cell's color; left and top label the rows and columns.
    """
    w, h = cell
    x0 = max((len(x) for x in left), default=0) * 0.07 + 0.1
    y0 = 0.24 if top else 0.04
    ax = canvas(width, y0 + len(rows) * (h + 0.05) + 0.02)
    for c, text in enumerate(top):
        ax.text(
            x0 + (c + 0.5) * w,
            0.12,
            text,
            ha="center",
            size=8,
            va="center_baseline",
            color=MUTED,
        )
    for r, row in enumerate(rows):
        y = y0 + r * (h + 0.05)
        if left:
            ax.text(
                x0 - 0.1,
                y + h / 2,
                left[r],
                ha="right",
                size=8.5,
                va="center_baseline",
                color=MUTED,
            )
        for c, text in enumerate(row):
            if text is not None:
                fill = fills[r][c] if fills else SOFT
                box(ax, x0 + c * w, y, w - 0.02, h, text, fill)
    return ax


def merge_tree(word: str, merges: Sequence[tuple[str, str]]) -> Axes:
    """How merges, applied in order, build a word up from its characters."""
    row = [(c, i * 0.55 + 0.3, 0) for i, c in enumerate(word)]
    nodes, edges, rank = list(row), [], 0
    ranks = {pair: i + 1 for i, pair in enumerate(merges)}
    while True:
        pairs = [(a[0], b[0]) for a, b in pairwise(row)]
        known = [(ranks[p], i) for i, p in enumerate(pairs) if p in ranks]
        if not known:
            break
        rank, i = min(known)
        a, b = row[i], row[i + 1]
        parent = (a[0] + b[0], (a[1] + b[1]) / 2, max(a[2], b[2]) + 1)
        row[i : i + 2] = [parent]
        nodes.append(parent)
        edges += [(parent, a, rank), (parent, b, rank)]
    top = max(node[2] for node in nodes)
    ax = canvas(len(word) * 0.55 + 0.9, (top + 1) * 0.5 + 0.02)

    def y(level: int) -> float:
        return (top - level) * 0.5 + 0.04

    for parent, child, rank in edges:
        ax.plot(
            [parent[1], child[1]],
            [y(parent[2]) + ROW, y(child[2])],
            color=MUTED,
            lw=0.8,
            zorder=0,
        )
        ax.text(
            parent[1] - token_width(parent[0]) / 2 - 0.05,
            y(parent[2]) + ROW / 2,
            f"merge {rank}",
            size=7.5,
            color=MUTED,
            va="center_baseline",
            ha="right",
        )
    for text, x, level in nodes:
        w = token_width(text)
        box(ax, x - w / 2, y(level), w, ROW, text)
    return ax
