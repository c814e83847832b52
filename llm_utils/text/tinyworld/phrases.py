"""Wordings as templates: compiled once, filled in for each sentence.

Chapter 2 meets them; `reader.py` goes the other way.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from llm_utils.text.tinyworld.lexicon import (
    AT,
    HIS,
    MOODS,
    PRONOUN,
    THINGS,
)
from llm_utils.text.tinyworld.state import Values

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Wording:
    """One template: literal text around slots, and what it says unspoken."""

    kind: str
    text: str
    literals: tuple[str, ...]  # one more than slots
    slots: tuple[str, ...]
    refs: tuple[str, ...]  # slots whose words are a choice of their own
    fixed: tuple[tuple[str, str], ...]  # ("m", "sad") for a tear

    @property
    def names_thing(self) -> bool:
        """Whether "it" may point to this sentence's thing."""
        return bool({"t", "T", "new"} & set(self.slots))


def compile_wording(key: str, text: str) -> Wording:
    """A wording of a table of `WORDINGS`, ready for use."""
    kind, _, extra = key.partition(".")
    pieces = _SLOT.split(text)
    slots = tuple(pieces[1::2])
    refs = tuple(s for s in slots if s in ("t", "T"))
    if text.startswith("{a}"):
        refs = ("a", *refs)
    fixed: tuple[tuple[str, str], ...] = ()
    if kind == "feel" and extra:
        fixed = (("m" if extra in MOODS else "why", extra),)
    elif kind == "scene":
        fixed = (("w", extra),)
    return Wording(kind, text, tuple(pieces[::2]), slots, refs, fixed)


def render(wording: Wording, v: Values, refs: tuple[str, ...]) -> str:
    """The sentence, its first letter a capital."""
    words = iter(refs)
    parts = [wording.literals[0]]
    subject = wording.refs[:1] == ("a",)
    for slot, literal in zip(wording.slots, wording.literals[1:], strict=True):
        if subject or slot == "t" or slot == "T":
            parts.append(next(words))
            subject = False
        else:
            parts.append(_FILL[slot](v))
        parts.append(literal)
    text = "".join(parts)
    if text[0] == '"':
        return '"' + text[1].upper() + text[2:]
    return text[0].upper() + text[1:]


_FILL: dict[str, Callable[[Values], str]] = {
    "a": lambda v: v["a"],
    "b": lambda v: v["b"],
    "new": lambda v: f"a {v['color']} {v['t']}",
    "p": lambda v: AT.get(v["p"], ""),
    "q": lambda v: AT.get(v["q"], ""),
    "u": lambda v: AT.get(v["u"], ""),
    "P": lambda v: "the " + v["p"],
    "Q": lambda v: "the " + v["q"],
    "w": lambda v: v["w"],
    "d": lambda v: v["d"],
    "m": lambda v: v["m"],
    "use": lambda v: THINGS[v["t"]][0],
    "used": lambda v: THINGS[v["t"]][1],
    "his": lambda v: HIS.get(PRONOUN.get(v["a"], ""), "its"),
}
