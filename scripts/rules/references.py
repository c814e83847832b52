"""Rules of references: labels, citations, terms and links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from scripts import cells
from scripts.rules.notebook import (
    ROOT,
    Bit,
    as_notebook,
    bits,
    caption_of,
    code_cells,
    text_cells,
)

MADE_BY_SPHINX = {"genindex", "search"}
REFERENCES = {"ref", "numref", "eq"}
ENTRY = re.compile(r"^@\w+\{([^,\s]+),", re.MULTILINE)


@dataclass(frozen=True)
class Book:
    """What the pages of a book may refer to."""

    labels: frozenset[str]
    keys: tuple[str, ...]  # of references.bib, in its order
    terms: tuple[str, ...]  # of the glossary


def pages(root: Path = ROOT) -> list[Path]:
    """The prose pages."""
    return sorted((root / "book").glob("*.md"))


def notebooks(root: Path = ROOT) -> list[Path]:
    """All notebooks that are pages of the book."""
    folders = ("chapters", "exercises", "solutions")
    paths = (p for f in folders for p in (root / f).rglob("*.ipynb"))
    return sorted(p for p in paths if ".ipynb_checkpoints" not in p.parts)


def every_page(root: Path = ROOT) -> list[NotebookNode]:
    return [*map(as_notebook, pages(root)), *map(cells.read, notebooks(root))]


def labels_of(notebook: NotebookNode) -> Iterator[str]:
    """Every label that a page gives: targets, formulas, figures."""
    for cell in text_cells(notebook):
        for bit in bits(cell.source):
            if bit.kind == "target" or (bit.kind == "display" and bit.name):
                yield bit.name
    for cell in code_cells(notebook):
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if figure.get("name"):
            yield figure["name"]


def terms_of(glossary: str) -> tuple[str, ...]:
    """The terms of a glossary page."""
    inside = re.search(r"^```\{glossary\}\n(.*?)^```", glossary, re.M | re.S)
    return tuple(re.findall(r"^(\S.*)$", inside[1] if inside else "", re.M))


@cache
def this_book() -> Book:
    labels = {x for page in every_page() for x in labels_of(page)}
    bib = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    glossary = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    return Book(
        frozenset(labels | MADE_BY_SPHINX),
        tuple(ENTRY.findall(bib)),
        terms_of(glossary),
    )


def target(role: str) -> str:
    """`x` of {term}`words <x>`, or all of {term}`x`."""
    found = re.search(r"<([^<>]+)>\s*$", role)
    return found[1] if found else role


def written(notebook: NotebookNode) -> Iterator[tuple[str, Bit]]:
    """(cell id, piece) of all prose, captions too."""
    for cell in notebook.cells:
        markdown = cell.cell_type == "markdown"
        source = cell.source if markdown else caption_of(cell)
        for bit in bits(source):
            yield cell.id, bit


def roles(notebook: NotebookNode) -> Iterator[tuple[str, Bit]]:
    return (pair for pair in written(notebook) if pair[1].kind == "role")


def keys_in(bit: Bit) -> list[str]:
    """The keys that a piece cites: {cite:p}`a,b` cites a and b."""
    if bit.kind != "role" or not bit.name.startswith("cite"):
        return []
    return [key.strip() for key in target(bit.text).split(",")]


def references_resolve(notebook: NotebookNode, path: Path) -> list[str]:
    """Whatever {ref}, {numref} and {eq} name is a label of some page."""
    labels = this_book().labels | set(labels_of(notebook))
    return [
        f"{where}: {{{bit.name}}} of {target(bit.text)}, which no page has"
        for where, bit in roles(notebook)
        if bit.name in REFERENCES and target(bit.text) not in labels
    ]


def citations_resolve(notebook: NotebookNode, path: Path) -> list[str]:
    """Every cited work is in references.bib."""
    return [
        f"{where}: cites {key}, which is not in references.bib"
        for where, bit in roles(notebook)
        for key in keys_in(bit)
        if key not in this_book().keys
    ]


def terms_resolve(notebook: NotebookNode, path: Path) -> list[str]:
    """Every {term} is in the glossary."""
    known = {term.lower() for term in this_book().terms}
    return [
        f"{where}: the glossary has no {target(bit.text)!r}"
        for where, bit in roles(notebook)
        if bit.name == "term" and target(bit.text).lower() not in known
    ]


def links_lead_somewhere(notebook: NotebookNode, path: Path) -> list[str]:
    """A link to a file or a label of the book leads to one that is there."""
    labels = this_book().labels | set(labels_of(notebook))
    found = []
    for where, bit in written(notebook):
        local = bit.kind in ("link", "image") and bit.name
        if not local or re.match(r"[a-z]+:|//", bit.name):
            continue
        name, _, label = bit.name.partition("#")
        there = (path.parent / name).exists() if name else label in labels
        if not there:
            found.append(f"{where}: {bit.name} leads nowhere")
    return found


def formulas_referred(notebook: NotebookNode, path: Path) -> list[str]:
    """A formula has a number because the text needs it: some {eq} names it."""
    named = {target(b.text) for _, b in roles(notebook) if b.name == "eq"}
    return [
        f"{where}: no {{eq}} in the text names {bit.name}"
        for where, bit in written(notebook)
        if bit.kind == "display" and bit.name and bit.name not in named
    ]


def terms_introduced(notebook: NotebookNode, path: Path) -> list[str]:
    """Where a chapter first names a glossary term, it links the definition.

    Headings and captions do not count as naming it.
    """
    if "chapters" not in path.parts:
        return []
    linked: set[str] = set()
    found: dict[str, str] = {}
    patterns = {term: pattern(term) for term in this_book().terms}
    captions = {cell.id for cell in code_cells(notebook)}
    for where, bit in written(notebook):
        if bit.kind == "role" and bit.name == "term":
            linked.add(target(bit.text).lower())
        if bit.kind != "text" or bit.heading or where in captions:
            continue
        for term, regex in patterns.items():
            if term.lower() not in linked and regex.search(bit.text):
                found.setdefault(term, where)
    return [f"{w}: names {t!r} without {{term}}" for t, w in found.items()]


def pattern(term: str) -> re.Pattern[str]:
    """A term in running text: singular or plural, with hyphen or space."""
    words = r"[\s-]".join(map(re.escape, re.split(r"[\s-]", term)))
    flags = 0 if term != term.lower() else re.IGNORECASE
    return re.compile(rf"(?<![\w-]){words}s?(?![\w-])", flags)


def uncited(book: Book, pages: Iterable[NotebookNode]) -> list[str]:
    """Works of the bibliography that no page cites."""
    cited = {
        key for page in pages for _, b in roles(page) for key in keys_in(b)
    }
    return [key for key in book.keys if key not in cited]


def doubled(bib: str) -> list[str]:
    """Works that stand in references.bib twice: by key, title or DOI."""

    def plain(text: str) -> str:
        return re.sub(r"[\W_]+", " ", re.sub("[{}]", "", text)).strip().lower()

    marks = [f"key {key}" for key in ENTRY.findall(bib)]
    field = r"^\s*{}\s*=\s*\{{(.+?)\}},?\s*$"
    for name in ("title", "doi"):
        values = re.findall(field.format(name), bib, re.M | re.I)
        marks += [f"{name} {plain(value)}" for value in values]
    return sorted({mark for mark in marks if marks.count(mark) > 1})
