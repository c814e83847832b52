"""The parts of a chapter: what they are called, and where they stand."""

from __future__ import annotations

import re
from pathlib import Path

from nbformat import NotebookNode

from scripts.rules.notebook import Section, bits, sections, whole

PARTS = {  # in this order; the words that the heading holds
    "by hand": r"\bby hand\b",
    "the package's version": r"package's version",
    "against the world": r"^Against the world",
    "experiment": r"^Experiment\b",
    "play": r"^Play\b",
    "common bugs": r"^Common bugs",
    "summary": r"^Summary",
    "check your understanding": r"^Check your understanding",
    "exercises": r"^Exercises",
    "further reading": r"^Further reading",
}


def is_chapter(path: Path) -> bool:
    """A chapter of one of the weeks; appendices are built their own way."""
    return "chapters" in path.parts and path.parent.name.startswith("week")


def parts(notebook: NotebookNode) -> dict[str, tuple[int, Section]]:
    """The parts that are there: their place, and all that stands in them."""
    found, everything = {}, sections(notebook)
    for name, words in PARTS.items():
        for place, section in enumerate(everything):
            if section.level == 2 and re.search(words, section.title, re.I):
                found[name] = (place, whole(everything, place))
                break
    return found


def part(notebook: NotebookNode, path: Path, name: str) -> Section | None:
    """A part of a chapter; None elsewhere, and where it is missing."""
    found = parts(notebook) if is_chapter(path) else {}
    return found[name][1] if name in found else None


def count_words(source: str) -> int:
    """Words of running text: no code, formulas, roles, links, headings."""
    texts = (b.text for b in bits(source) if b.kind == "text" and not b.heading)
    return len(re.findall(r"[A-Za-z][\w'-]*", " ".join(texts)))
