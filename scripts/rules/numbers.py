"""Rules of numbers: what was measured is glued, what is typed is given.

A number in a chapter's text that looks measured must come from a cell through
`glue`. It looks measured if it has a decimal point or a percent sign, counts
something (`UNITS`), or is long and was printed by a cell. Three kinds may be
typed: arithmetic on paper (the sections in `ON_PAPER`), what the sentence
cites, and what the cell's metadata call given, with the reason:

    "given": {"256": "the values of a byte"}

Numbers in words are not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from scripts.rules.notebook import GAP, bits, caption_of, code_cells, text_of

ON_PAPER = re.compile(r"by hand|check your understanding", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?!\w|[.,]\d)")
UNITS = (
    "batches|bits?|bytes?|characters?|digits|documents?|entries|epochs?"
    "|examples?|experts?|FLOPs?|[GMKT]i?B|gigabytes?|heads?|hours?|layers?"
    "|megabytes?|merges?|minutes?|ms|nats?|parameters?|percent|points?"
    "|samples?|seconds?|sentences?|steps?|stories|tokens?|times|words?|x"
)
COUNTS = re.compile(rf"\s?%|[\s-](?:[a-z]+\s)?(?:{UNITS})\b")
CITED = "\N{REPLACEMENT CHARACTER}"
SENTENCE_END = re.compile(r"(?<=[.?!:])\s+(?=[A-Z\ufffc])")
LONG = 3  # digits of a number that is no coincidence
GLUED = re.compile(r"\{glue:?\w*\}`([\w-]+)[^`]*`")


def glued_once(notebook: NotebookNode, path: Path) -> list[str]:
    """Each glued name that the text quotes is there, exactly once."""
    given: list[str] = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            given += [name] if name else []
    text = text_of(notebook)
    text += "".join(caption_of(cell) for cell in code_cells(notebook))
    quoted = set(GLUED.findall(text))
    found = [f"{n}: quoted, never glued" for n in sorted(quoted - set(given))]
    found += [f"{n}: glued, never quoted" for n in sorted(set(given) - quoted)]
    twice = sorted({n for n in given if given.count(n) > 1})
    return found + [f"{n}: glued twice" for n in twice]


def printed(notebook: NotebookNode) -> set[str]:
    """Every long number that some cell prints, shows or glues."""
    found: set[str] = set()
    for cell in code_cells(notebook):
        for output in cell.outputs:
            texts = [output.get("text", "")]
            for mime, data in output.get("data", {}).items():
                if mime.endswith("text/plain") and isinstance(data, str):
                    texts.append(data)
            for text in texts:
                found |= {bare(n) for n in NUMBER.findall(text)}
    return {n for n in found if len(n) >= LONG}


def bare(number: str) -> str:
    return number.replace(",", "")


def paragraphs(source: str) -> Iterator[tuple[str, int]]:
    """(text with gaps and citations marked, level if it is a heading)."""
    blocks: dict[int, list[str]] = {}
    level: dict[int, int] = {}
    for bit in bits(source):
        cites = bit.kind == "role" and bit.name.startswith("cite")
        piece = bit.text if bit.kind == "text" else CITED if cites else GAP
        blocks.setdefault(bit.block, []).append(piece)
        level[bit.block] = bit.heading
    for block, pieces in blocks.items():
        yield "".join(pieces), level[block]


def measured(text: str, known: set[str]) -> Iterator[str]:
    """The numbers of a text that look as if somebody had measured them."""
    for sentence in SENTENCE_END.split(text):
        for match in NUMBER.finditer("" if CITED in sentence else sentence):
            number = match.group()
            counts = COUNTS.match(sentence, match.end())
            if "." in number or counts or bare(number) in known:
                yield number


def numbers_glued(notebook: NotebookNode, path: Path) -> list[str]:
    """In a chapter, what was measured is glued, not typed."""
    if "chapters" not in path.parts:
        return []
    known, found, paper = printed(notebook), [], 0
    for cell in notebook.cells:
        text = cell.cell_type == "markdown"
        typed = set()
        for block, level in paragraphs(
            cell.source if text else caption_of(cell)
        ):
            if level:
                deeper = paper and level > paper
                on_paper = ON_PAPER.search(block)
                paper = paper if deeper else level if on_paper else 0
            elif not (paper and text):
                typed |= set(measured(block, known))
        given = cell.metadata.get("given", {})
        found += [
            f"{cell.id}: {n} is typed" for n in sorted(typed - set(given))
        ]
        found += [
            f"{cell.id}: {n} is given and not there"
            for n in sorted(set(given) - typed)
        ]
        found += [
            f"{cell.id}: why is {n} given?"
            for n, why in given.items()
            if len(why.split()) < 2
        ]
    return found
