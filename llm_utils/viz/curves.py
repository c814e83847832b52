"""Curves over training steps, labeled at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import FULL, axes, ink, line, sheet, styles


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Middles of labels of these sizes, none touching, near where wanted.

    The least squares answer: what would overlap becomes one block.
    """
    order = np.argsort(wanted, kind="stable")
    size = np.asarray(sizes, float)[order]
    gaps = (size[1:] + size[:-1]) / 2
    shift = np.concatenate([[0.0], np.cumsum(gaps)])
    blocks: list[list[float]] = []  # of wanted places, once shifted together
    for place in np.asarray(wanted, float)[order] - shift:
        blocks.append([place])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    flat = [float(np.mean(block)) for block in blocks for _ in block]
    found = np.empty(len(flat))
    found[order] = np.asarray(flat) + shift
    return [float(v) for v in found]


def label_ends(ax: Axes, size: float = 8.5) -> None:
    """Write each line's own label at the right edge, none over another.

    Lines without a label (or with one that begins with _) are left out. Call
    it once all is drawn; a later `ax.set(ylim=...)` moves the labels along.
    """
    named = [
        x for x in ax.get_lines() if not str(x.get_label()).startswith("_")
    ]
    sheet(ax).draw_without_rendering()  # settles how high the Axes are
    notes: list[Any] = []
    for one in named:
        y = np.ma.compressed(np.ma.masked_invalid(one.get_ydata()))[-1]
        color = ink(one.get_color())
        arrow = {"arrowstyle": "-", "color": color, "lw": 0.6}
        arrow |= {"shrinkA": 0, "shrinkB": 1, "relpos": (0, 0.5)}
        style: dict[str, Any] = {"color": color, "va": "center", "size": size}
        note = ax.annotate(
            str(one.get_label()),
            (1, y),
            xytext=(5, 0),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            annotation_clip=False,
            arrowprops=arrow,
            **style,
        )
        notes.append(note)

    def place(_: Axes) -> None:
        points = 72 / sheet(ax).dpi
        at = [ax.transData.transform((1, n.xy[1]))[1] * points for n in notes]
        tall = [size * 1.35 * (1 + n.get_text().count("\n")) for n in notes]
        moved = [g - w for g, w in zip(spread(at, tall), at, strict=True)]
        far = max(map(abs, moved), default=0.0) > 2.5
        for note, up in zip(notes, moved, strict=True):
            note.set_position((16 if far else 5, up))
            note.arrow_patch.set_visible(far)

    place(ax)
    ax.callbacks.connect("ylim_changed", place)


def runs(values: Any, steps: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps (N,) and losses (seeds, N) of what `loss_curve` was given."""
    if isinstance(values, tuple):
        steps, values = values
    losses = np.atleast_2d(np.asarray(values, float))
    at = np.arange(1, losses.shape[-1] + 1) if steps is None else steps
    at = np.asarray(at, float)
    if losses.ndim != 2 or not losses.size or at.shape != losses.shape[-1:]:
        raise ValueError(
            f"{name!r}: losses {np.shape(values)} at steps {at.shape}: give "
            f"(N,), or (seeds, N), and N steps"
        )
    return at, losses


def loss_curve(
    series: Mapping[str, Any],
    floor: float | None = None,
    steps: Any = None,
    seeds: str = "lines",
    meanings: Mapping[str, str] | None = None,
    unit: str = "nats per token",
    floor_label: str = "entropy",
    logx: bool = False,
    width: float = FULL,
    height: float = 2.6,
) -> Axes:
    """Losses over training steps, each run named at its end, over the floor.

    series: {name: losses}; losses (N,), or (seeds, N): the mean is drawn, and
    each seed as a thin line (seeds="lines") or all as a band (seeds="band").
    A tuple (steps, losses) brings its own steps; else `steps`, else 1 to N.
    meanings: {name: meaning of COLORS}. floor: the entropy, in the same unit.
    ValueError for shapes that do not fit.
    """
    if seeds not in ("lines", "band") or not series:
        raise ValueError(f"seeds={seeds!r}: 'lines' or 'band', of some series")
    looks = styles(list(series), meanings or {})
    ax = axes(width, height)
    for name, values in series.items():
        at, losses = runs(values, steps, name)
        look = looks[name]
        if len(losses) > 1 and seeds == "band":
            low, high = losses.min(0), losses.max(0)
            ax.fill_between(at, low, high, color=look["color"], alpha=0.2, lw=0)
        elif len(losses) > 1:
            thin = look | {"alpha": 0.45, "lw": 0.6, "linestyle": "-"}
            ax.plot(at, losses.T, label="_seeds", **thin)
        ax.plot(at, losses.mean(0), label=name, **look)
    if floor is not None:
        ax.axhline(floor, label=floor_label, lw=1.3, **line("floor"))
    if logx:
        ax.set_xscale("log")
        ax.minorticks_off()
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    ax.margins(x=0)
    ax.set(xlabel="training step", ylabel=f"loss ({unit})")
    label_ends(ax)
    return ax
