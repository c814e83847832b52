"""What a wiring diagram is made of, before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LINE, STEP, ADD, TEXT8 = 0.26, 0.15, 0.08, 0.066
"""In inches: one line of a box, an arrow, an add node, a character at 8 pt."""


@dataclass(frozen=True)
class Part:
    """A module: its parameters, a second line, copies (experts), a mark."""

    name: str
    params: int = 0
    note: str = ""
    copies: int = 1
    marked: bool = False

    @property
    def least(self) -> float:
        """Its height where the parameters would make it too low to read."""
        return LINE + 0.14 * bool(self.note) + 0.04 * (min(self.copies, 4) - 1)


@dataclass(frozen=True)
class Branch:
    """Modules on a side path: read the stream, are added back into it."""

    parts: Sequence[Part | str]


@dataclass(frozen=True)
class Repeat:
    """Steps that the stream takes several times: the layers of a model."""

    times: int
    steps: Sequence[Part | Branch | str]


Step = Part | Branch | Repeat | str


def is_shape(step: Any) -> bool:
    """A string that begins with a parenthesis is a shape, not a module."""
    return isinstance(step, str) and step.startswith("(")


def as_part(step: Part | str) -> Part:
    return Part(step) if isinstance(step, str) else step


def all_parts(steps: Sequence[Any], times: int = 1) -> Iterator[Any]:
    """(Part, how often it is there), in order, at any depth."""
    for step in steps:
        if isinstance(step, Repeat):
            yield from all_parts(step.steps, step.times * times)
        elif isinstance(step, Branch):
            yield from all_parts(step.parts, times)
        elif isinstance(step, Part) or (
            isinstance(step, str) and not is_shape(step)
        ):
            yield as_part(step), times
        elif not is_shape(step):
            raise ValueError(
                f"a step {step!r}: give a Part, a Branch, a Repeat or a string"
            )


def count(part: Part, times: int) -> str:
    """The parameters of a box as they stand at its edge."""
    many = times * part.copies
    text = f"{part.params:,}"
    return f"{many} \u00d7 {text}" if many > 1 else text


def margins(steps: Sequence[Any]) -> tuple[float, float]:
    """Room at the left for shapes, at the right for parameter counts."""
    flat = [s for s in steps if is_shape(s)]
    for step in steps:
        if isinstance(step, Repeat):
            flat += [s for s in step.steps if is_shape(s)] + ["12 x"]
    left = max((len(s) * TEXT8 + 0.14 for s in flat), default=0.0)
    if any(isinstance(step, Repeat) for step in steps):
        left = max(left, 0.75)
    texts = [count(p, n) for p, n in all_parts(steps) if p.params]
    right = max((len(s) * 0.064 + 0.19 for s in texts), default=0.1)
    return max(left, 0.3), right
