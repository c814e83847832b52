"""Modules as boxes along the residual stream, high as their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch

from .parts import (
    ADD,
    STEP,
    TEXT8,
    Branch,
    Part,
    Repeat,
    Step,
    all_parts,
    as_part,
    count,
    is_shape,
    margins,
)
from .style import COLORS, FULL, INK, MARK, MUTED, PAPER, SOFT, canvas, sheet


@dataclass
class Column:
    """One diagram: where its lines run, and how far down it is drawn."""

    ax: Axes
    stream: float
    right: float
    scale: float
    y: float
    draw: bool = True

    def walk(self, steps: Sequence[Any], times: int = 1) -> None:
        """Draw the steps one under the other."""
        for step in steps:
            if isinstance(step, Repeat):
                self.repeat(step, times)
            elif isinstance(step, Branch):
                self.branch(step, times)
            elif is_shape(step):
                self.shape(step)
            else:
                self.part(as_part(step), self.stream - 0.16, times)
                self.y += STEP

    def shape(self, text: str) -> None:
        self.y += 0.05
        self.note(self.stream - 0.12, self.y, text, ha="right")
        self.y += 0.16

    def note(self, x: float, y: float, text: str, **style: Any) -> None:
        look: dict[str, Any] = {"size": 8, "color": MUTED, "ha": "left"}
        look |= {"va": "center_baseline"} | style
        if self.draw:
            self.ax.text(x, y, text, **look)

    def part(self, part: Part, left: float, times: int) -> None:
        """A box from the cursor down; filled where its height is to scale."""
        high = part.params * part.copies * times * self.scale
        real = high >= part.least
        high = max(high, part.least)
        fill = MARK if part.marked else SOFT if real else PAPER
        behind = min(part.copies, 4) - 1
        width = self.right - left - 0.04 * behind
        for k in range(behind, -1, -1):
            at = (left + 0.04 * k, self.y + 0.04 * (behind - k))
            self.box(*at, width, high - 0.04 * behind, fill)
        middle = self.y + 0.02 * behind + high / 2
        if part.note:
            self.note(left + width / 2, middle + 0.08, part.note, ha="center")
        up = 0.075 if part.note else 0.0
        look = {"size": 8.5, "color": INK, "ha": "center"}
        self.note(left + width / 2, middle - up, part.name, **look)
        if part.params:
            text = count(part, times)
            self.note(self.right + 0.15, middle, text)
        self.y += high

    def box(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        if not self.draw:
            return
        style = "round,pad=0,rounding_size=0.05"
        look: dict[str, Any] = {"facecolor": fill, "zorder": 3}
        look["edgecolor"] = "#a5670a" if fill == MARK else "#7d8995"
        look["lw"] = 1.5 if fill == MARK else 0.8
        self.ax.add_patch(FancyBboxPatch((x, y), w, h, boxstyle=style, **look))

    def line(self, *points: tuple[float, float], tip: bool = True) -> None:
        """A thin path; with an arrow head at its end."""
        if not self.draw:
            return
        look: dict[str, Any] = {"color": INK, "lw": 0.9}
        *rest, last = points
        self.ax.plot(*zip(*rest, last, strict=True), zorder=2, **look)
        if tip:
            head = look | {"arrowstyle": "-|>", "mutation_scale": 8}
            head |= {"shrinkA": 0, "shrinkB": 0, "lw": 0.0, "fc": INK}
            self.ax.annotate("", last, rest[-1], arrowprops=head)

    def branch(self, step: Branch, times: int) -> None:
        """Out of the stream to the right, through the parts, and added."""
        left = self.stream + 0.28
        middle = (left + self.right) / 2
        start = (self.stream, self.y)
        bend = (middle, self.y)
        for i, part in enumerate(step.parts):
            top = (middle, self.y + STEP)
            self.line(*([start, bend] if i == 0 else [(middle, self.y)]), top)
            self.y += STEP
            self.part(as_part(part), left, times)
        foot = self.y + STEP
        end = (self.stream + ADD, foot)
        self.line((middle, self.y), (middle, foot), end)
        if self.draw:
            node = Circle((self.stream, foot), ADD, fc=PAPER, ec=INK, zorder=4)
            self.ax.add_patch(node)
            plus: dict[str, Any] = {"color": INK, "lw": 1.1, "zorder": 5}
            x, d = self.stream, 0.045
            self.ax.plot([x - d, x + d], [foot, foot], **plus)
            self.ax.plot([x, x], [foot - d, foot + d], **plus)
        self.y = foot + ADD + STEP

    def repeat(self, step: Repeat, times: int) -> None:
        """A dashed frame around the steps, and how often they are taken."""
        top = self.y
        self.y += 0.12
        self.walk(step.steps, times * step.times)
        if self.draw:
            left, high = self.stream - 0.24, self.y - 0.03 - top
            look: dict[str, Any] = {"fc": "none", "ec": MUTED, "lw": 0.8}
            look |= {"linestyle": (0, (3, 2)), "zorder": 1}
            size = (self.right + 0.07 - left, high)
            style = "round,pad=0,rounding_size=0.06"
            at = (left, top)
            self.ax.add_patch(FancyBboxPatch(at, *size, boxstyle=style, **look))
        text = f"{step.times} \u00d7"
        middle = (top + self.y) / 2
        look = {"size": 9.5, "color": INK, "ha": "right"}
        self.note(self.stream - 0.3, middle, text, **look)
        self.y += STEP * 0.8


def wiring(
    diagrams: Sequence[Step] | Mapping[str, Sequence[Step]],
    height: float = 2.4,
    width: float = FULL,
) -> Axes:
    """A block or a whole model as boxes along its residual stream, downward.

    diagrams: steps from input to output, or {title: steps} side by side. A
    step is a `Part("MLP", params)` in the stream, a `Branch([...])` that is
    added back to it, a `Repeat(12, [...])`, a module's name, or a shape such
    as "(B, T, C)", which stands beside the stream. Filled boxes are as high
    as their share of parameters, all together `height` inches in the largest
    diagram; white ones would be too low to hold their name.
    ValueError for a name that has no room. Chapters 5 and 6.
    """
    named = diagrams if isinstance(diagrams, Mapping) else {"": diagrams}
    sums = {
        title: sum(p.params * p.copies * n for p, n in all_parts(steps))
        for title, steps in named.items()
    }
    scale = height / (max(sums.values(), default=0) or 1)
    top = 0.36 if any(named) else 0.08
    ax = canvas(width, 1.0)
    columns, each = [], min(width / len(named), 4.4)
    for i, steps in enumerate(named.values()):
        x = (width - each * len(named)) / 2 + i * each
        left, right = margins(steps)
        ends = (x + left + 0.06, x + each - right)
        check_room(steps, ends[1] - ends[0] - 0.28)
        columns.append(Column(ax, *ends, scale, top + 0.1, draw=False))
        columns[-1].walk(steps)
    deep = max(column.y for column in columns) + 0.14
    sheet(ax).set_size_inches(width, deep)
    ax.set_ylim(deep, 0)
    for column, (title, steps) in zip(columns, named.items(), strict=True):
        column.y, column.draw = top + 0.1, True
        column.walk(steps)
        put_stream(ax, column.stream, top, column.y + 0.06)
        style: dict[str, Any] = {"size": 9.5, "weight": "medium"}
        ax.text(column.stream - 0.16, 0.22, title, color=INK, **style)
    return ax


def check_room(steps: Sequence[Any], room: float) -> None:
    """ValueError for a name that is wider than a box."""
    for part, _ in all_parts(steps):
        for text in (part.name, part.note):
            if len(text) * TEXT8 > room:
                raise ValueError(
                    f"no room for {text!r}: a shorter name, or fewer diagrams"
                )


def put_stream(ax: Axes, x: float, top: float, end: float) -> None:
    """The residual stream: a thick line in its color, with a head below."""
    color = COLORS["residual"]
    ax.plot(
        [x, x],
        [top, end - 0.05],
        color=color,
        lw=3.2,
        zorder=1.5,
        solid_capstyle="butt",
    )
    head: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 13}
    head |= {"color": color, "shrinkA": 0, "shrinkB": 0, "lw": 0}
    ax.annotate("", (x, end + 0.03), (x, end - 0.12), arrowprops=head)
