"""Inspect the PDF book: its log, its fonts, and the rules of `pdf_rules`.

LaTeX goes on where a book should not: over missing glyphs, references that
lead nowhere, lines that leave the page. Each of these fails here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from scripts import book_plan
from scripts import pdf_rules as rules
from scripts.pdf_file import (
    Bookmark,
    link_actions,
    page_ranges,
    read_bookmarks,
    read_pages,
)

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "_build" / "latex" / "book.log"
PDF = ROOT / "_build" / "book.pdf"
MOST_OVERFULL = 10.0  # points
BAD_LINES = (
    re.compile(r"Missing character: .*"),
    re.compile(r"LaTeX Warning: .*(?:undefined|multiply defined).*"),
    re.compile(r"LaTeX Warning: There were .*"),
    re.compile(r"Package hyperref Warning: Difference.*"),
    re.compile(r"pdfTeX warning.*has been referenced but does not exist.*"),
)
OVERFULL = re.compile(r"Overfull \\[hv]box \(([\d.]+)pt too (?:wide|high)\).*")


def unfold(log: str) -> str:
    """TeX breaks the lines of its log after 79 characters; undo that."""
    return re.sub(r"(?<=^.{79})\n", "", log, flags=re.MULTILINE)


def log_problems(log: str) -> list[str]:
    """The complaints in a log of xelatex that spoil a page."""
    found = []
    for line in unfold(log).splitlines():
        found += [line for bad in BAD_LINES if bad.search(line)]
        box = OVERFULL.search(line)
        if box and float(box[1]) > MOST_OVERFULL:
            found.append(line)
    return found


def fonts_of(reader: PdfReader) -> dict[str, bool]:
    """Every font of the file: its name, and whether it is embedded."""
    fonts: dict[str, bool] = {}
    for page in reader.pages:
        resources = page.get("/Resources", {})
        if isinstance(resources, IndirectObject):
            resources = resources.get_object()
        for font in resources.get("/Font", {}).values():
            font = font.get_object()
            inner = font.get("/DescendantFonts", [font])[0].get_object()
            sheet = inner.get("/FontDescriptor", {})
            keys = ("/FontFile", "/FontFile2", "/FontFile3")
            drawn = font.get("/Subtype") == "/Type3"  # glyphs in the file
            embedded = drawn or any(key in sheet for key in keys)
            fonts[font.get("/BaseFont", "Type 3")] = embedded
    return fonts


def bookmarks(reader: PdfReader) -> list[str]:
    """The titles of all bookmarks, in order."""

    def walk(items: list[Any]) -> Iterator[str]:
        for item in items:
            if isinstance(item, list):
                yield from walk(item)
            else:
                yield str(item.title)

    return list(walk(reader.outline))


def part_captions() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [part["caption"] for part in toc["parts"]]


def file_problems(path: Path, captions: list[str]) -> list[str]:
    """What is wrong with the file itself."""
    reader = PdfReader(path)
    found = [
        f"font not embedded: {name}"
        for name, embedded in fonts_of(reader).items()
        if not embedded
    ]
    titles = bookmarks(reader)
    found += [f"no bookmark {c!r}" for c in captions if c not in titles]
    if not any(page.annotations for page in reader.pages):
        found.append("no link in the whole file")
    return found


def jumps(reader: PdfReader) -> list[tuple[int, int]]:
    """Each link within the file: the page it is on and the one it leads to."""
    names = reader.named_destinations
    found = []
    for page, kind, target in link_actions(reader):
        place = names.get(str(target)) if kind == "/GoTo" else None
        to = reader.get_destination_page_number(place) if place else None
        if to is not None:
            found.append((page, to))
    return found


def places(marks: Sequence[Bookmark], last: int) -> dict[str, tuple[int, int]]:
    """The pages of the PDF that each page of the sources fills."""
    names = book_plan.pages_in_order()[1:]
    titles = [book_plan.title_of(name) for name in names]
    return dict(zip(names, page_ranges(titles, marks, last), strict=True))


def book_problems(path: Path) -> list[str]:
    """Where the file breaks a rule, or a promise of the sources."""
    layout, reader = book_plan.layout(), PdfReader(path)
    whole = read_pages(path)
    pages = read_pages(path, layout.bottom / 2, layout.top * 0.8)
    marks = read_bookmarks(path)
    names = set(reader.named_destinations)
    return [
        *rules.size_problems(whole, layout),
        *rules.ink_problems(whole, layout),
        *rules.bookmark_problems(marks, book_plan.expected()),
        *rules.target_problems(marks, whole),
        *rules.link_problems(link_actions(reader), names),
        *rules.crossing_problems(jumps(reader), places(marks, len(pages) - 1)),
        *rules.caption_problems(pages),
        *rules.raw_problems(pages),
        *rules.head_problems(marks, whole, layout),
        *rules.index_problems(marks, pages, book_plan.glossary_terms()),
        *rules.bibliography_problems(marks, pages, book_plan.cited_works()),
        *book_plan.appendix_problems(book_plan.read_toc()),
    ]


def main() -> int:
    if not PDF.exists() or not LOG.exists():
        print("_build/book.pdf is not built: run `make pdf`")
        return 1
    problems = log_problems(LOG.read_text(encoding="utf-8", errors="replace"))
    problems += file_problems(PDF, part_captions())
    problems += book_problems(PDF)
    print("\n".join(problems) or f"{len(PdfReader(PDF).pages)} pages, all well")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
