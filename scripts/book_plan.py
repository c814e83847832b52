"""What the sources promise of the book: its headings, terms and works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import yaml

from scripts.pdf_rules import Heading, Layout

ROOT = Path(__file__).resolve().parent.parent
POINTS = 72 / 25.4  # in a millimeter
PREFACE = "About this book"
FENCE = re.compile(r"^ *(`{3,}|:{3,}).*?^ *\1`*:* *$", re.MULTILINE | re.DOTALL)


def read_toc(root: Path = ROOT) -> dict[str, Any]:
    return yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))


def source_of(page: str, root: Path = ROOT) -> Path:
    """The file of a page that the table of contents names."""
    for suffix in (".ipynb", ".md"):
        path = root / f"{page}{suffix}"
        if path.exists():
            return path
    raise ValueError(f"_toc.yml names {page}, and there is no such file")


def prose(path: Path) -> str:
    """The Markdown of a page, without its fenced blocks."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        parts = [c.source for c in cells if c.cell_type == "markdown"]
    else:
        parts = [path.read_text(encoding="utf-8")]
    return "\n\n".join(FENCE.sub("", part) for part in parts)


def plain(markdown: str) -> str:
    """A heading without its markup."""
    text = re.sub(r"\{[\w:]+\}`([^`<]*?)(?: *<[^`]*>)?`", r"\1", markdown)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[`*]", "", text).strip()


def headings(markdown: str) -> list[tuple[int, str]]:
    """The headings of a page: number of hashes, and title."""
    found = re.findall(r"^(#{1,4}) +(.+)$", markdown, re.MULTILINE)
    return [(len(hashes), plain(title)) for hashes, title in found]


def page_headings(page: str, level: int, root: Path) -> list[Heading]:
    """A page and its sections, at the levels that its place gives them."""
    found = headings(prose(source_of(page, root)))
    return [Heading(level + n - 1, title) for n, title in found if n <= 2]


def title_of(page: str, root: Path = ROOT) -> str:
    """The heading of a page."""
    return headings(prose(source_of(page, root)))[0][1]


def in_toc(entries: list[dict[str, Any]], level: int) -> Iterator[Any]:
    """Each page below an entry with its level."""
    for entry in entries:
        yield entry["file"], level
        yield from in_toc(entry.get("sections", []), level + 1)


def expected(root: Path = ROOT) -> list[Heading]:
    """The bookmarks of the book: parts, pages, sections."""
    found = [Heading(0, PREFACE)]
    for part in read_toc(root)["parts"]:
        found.append(Heading(0, part["caption"]))
        for page, level in in_toc(part["chapters"], 1):
            found += page_headings(page, level, root)
    return found


def pages_in_order(root: Path = ROOT) -> list[str]:
    """All pages of the book, the front page first."""
    toc = read_toc(root)
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *(page for page, _ in in_toc(entries, 1))]


def appendix_problems(toc: dict[str, Any]) -> list[str]:
    """Solutions stand in a part of their own, after all numbered chapters."""
    found, seen = [], False
    for part in toc["parts"]:
        for page, _ in in_toc(part["chapters"], 1):
            solution = page.startswith("solutions/")
            seen = seen or solution
            if solution != (part["caption"] == "Solutions"):
                found.append(f"{page} stands in {part['caption']!r}")
        if seen and part.get("numbered"):
            found.append(f"part {part['caption']!r} comes after the solutions")
    return found if seen else ["no solutions in the book"]


def glossary_terms(root: Path = ROOT) -> list[str]:
    """The terms that the glossary explains."""
    text = (root / "book" / "glossary.md").read_text(encoding="utf-8")
    block = text.split("```{glossary}", 1)[1].split("```", 1)[0]
    return re.findall(r"^(\S.*)$", block, re.MULTILINE)


TITLE = re.compile(r"\btitle *= *[{\"](.*?)[}\"](?:,? *$|, *\w+ *=)", re.M)


def cited_works(root: Path = ROOT) -> list[str]:
    """The titles of the works that some page cites."""
    text = "".join(prose(source_of(p, root)) for p in pages_in_order(root))
    groups = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text)
    keys = {key.strip() for group in groups for key in group.split(",")}
    bib = (root / "book" / "references.bib").read_text(encoding="utf-8")
    titles = []
    for entry in re.split(r"^@", bib, flags=re.MULTILINE)[1:]:
        key = entry.split("{", 1)[1].split(",", 1)[0].strip()
        title = TITLE.search(entry)
        if key in keys and title:
            titles.append(re.sub(r"[{}]|\\\w+", "", title[1]))
    return titles


def layout(root: Path = ROOT) -> Layout:
    """The page design, from the lengths in book.sty."""
    sty = (root / "book" / "_latex" / "book.sty").read_text(encoding="utf-8")
    lengths = dict(re.findall(r"(\w+)=([\d.]+)mm", sty.split(r"\geometry")[1]))
    wide, high, column, tall, top = (
        float(lengths[name]) * POINTS
        for name in ("paperwidth", "paperheight", "textwidth", "textheight",
                     "top")
    )  # fmt: skip
    figure = re.search(r"\\setlength\{\\bookfigure\}\{([\d.]+)mm\}", sty)
    if figure is None:
        raise ValueError("book.sty sets no \\bookfigure")
    left = (wide - column) / 2
    return Layout(
        wide, high, left, left + column, top, high - top - tall,
        float(figure[1]) * POINTS,
    )  # fmt: skip
