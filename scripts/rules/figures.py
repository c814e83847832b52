"""Rules of figures: each can be read aloud, named and found from the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from scripts.rules.notebook import (
    bits,
    caption_of,
    code_cells,
    is_figure,
    text_cells,
)

LEAST_WORDS = 5  # of a sentence
ATTRIBUTE = re.compile(r"""\b([\w-]+)\s*=\s*("[^"]*"|'[^']*')""")
EXPLORER = "application/vnd.llm-utils.explorer+json"


def is_sentence(text: str) -> bool:
    """Begins with a capital or a quoted word, ends like one, has a middle."""
    words = re.findall(r"\w+", text)
    begins = re.match(r"[\"'(]?[A-Z0-9]|[a-z] and [a-z]\b", text.strip())
    ends = text.rstrip().endswith((".", "?", "!"))
    return bool(begins) and ends and len(words) >= LEAST_WORDS


def figures_speak(notebook: NotebookNode, path: Path) -> list[str]:
    """A figure has a name, a caption that says something, and alt text.

    The alt text is a sentence and not the caption over again: one says what
    is to be seen, the other what it means.
    """
    found = []
    for cell in filter(is_figure, code_cells(notebook)):
        meta = cell.metadata.get("mystnb", {})
        alt = str(meta.get("image", {}).get("alt", ""))
        caption = caption_of(cell)
        if not is_sentence(alt):
            found.append(f"{cell.id}: alt text is no sentence: {alt!r}")
        if alt and alt.strip() == caption.strip():
            found.append(f"{cell.id}: the alt text repeats the caption")
        if not meta.get("figure", {}).get("name"):
            found.append(f"{cell.id}: the figure has no name")
        if not is_sentence(caption):
            found.append(f"{cell.id}: the caption is no sentence")
    return found


def images_of(source: str) -> Iterator[tuple[str, str]]:
    """(address, alt text) of every image in a Markdown source."""
    for bit in bits(source):
        if bit.kind == "image":
            yield bit.name, bit.text
        if bit.kind == "html":
            for tag in re.findall(r"<img\b[^>]*>", bit.text):
                given = {k: v[1:-1] for k, v in ATTRIBUTE.findall(tag)}
                yield given.get("src", ""), given.get("alt", "")


def images_speak(notebook: NotebookNode, path: Path) -> list[str]:
    """An image in the text has alt text that is a sentence."""
    return [
        f"{cell.id}: alt text of {address} is no sentence: {alt!r}"
        for cell in text_cells(notebook)
        for address, alt in images_of(cell.source)
        if not is_sentence(alt)
    ]


def images_are_local(notebook: NotebookNode, path: Path) -> list[str]:
    """No page asks another host for an image."""
    return [
        f"{cell.id}: {address} is fetched from elsewhere"
        for cell in text_cells(notebook)
        for address, _ in images_of(cell.source)
        if re.match(r"(https?:)?//", address)
    ]


def figures_referred(notebook: NotebookNode, path: Path) -> list[str]:
    """The text sends the reader to every figure, by its number."""
    named = set()
    for cell in text_cells(notebook):
        named |= {
            re.sub(r".*<(.+)>", r"\1", bit.text)
            for bit in bits(cell.source)
            if bit.kind == "role" and bit.name == "numref"
        }
    return [
        f"{cell.id}: no {{numref}} in the text names this figure"
        for cell in filter(is_figure, code_cells(notebook))
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        not in named
    ]


def play_has_a_still(notebook: NotebookNode, path: Path) -> list[str]:
    """Behind an explorer stands a figure that says the same on paper."""
    cells = list(code_cells(notebook))
    found = []
    for i, cell in enumerate(cells):
        plays = any(EXPLORER in o.get("data", {}) for o in cell.outputs)
        if plays and not any(map(is_figure, cells[i : i + 2])):
            found.append(f"{cell.id}: no still figure beside the explorer")
    return found
