"""What a PDF says and where: text, pictures, bookmarks, links, by page.

The checks of the PDF book ask here; they need no LaTeX and no other program.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from pypdf import PdfReader
from pypdf.generic import IndirectObject

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points
IMAGE = 3  # what pdfium calls a picture on a page
# From a hyphen at the end of a page pdfium reads on to the page number.
AFTER_HYPHEN = re.compile(r"(?<=[\x02\ufffe])\d+\s*$")


@dataclass
class Page:
    """One page: its size, its text, and the boxes that text and images fill."""

    width: float
    height: float
    text: str
    lines: list[tuple[Box, str]] = field(default_factory=list)
    images: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class Bookmark:
    """An entry of the outline; `page` counts from 0, None leads nowhere."""

    level: int
    title: str
    page: int | None


def letters(text: str) -> str:
    """Only letters and digits, in one form: what no line break can change."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if c.isalnum()).lower()


def read_page(page: Any, foot: float = 0.0, head: float = 0.0) -> Page:
    """A page; text nearer to the edges than foot and head is left out."""
    width, height = page.get_size()
    text_page = page.get_textpage()
    text = text_page.get_text_bounded(0, foot, width, height - head)
    text = AFTER_HYPHEN.sub("", text) if foot else text
    boxes = [text_page.get_rect(i) for i in range(text_page.count_rects())]
    lines = [(box, text_page.get_text_bounded(*box)) for box in boxes]
    objects = page.get_objects(filter=[IMAGE], max_depth=3)
    images = [found.get_bounds() for found in objects]
    return Page(width, height, text, lines, images)


def read_pages(path: Path, foot: float = 0.0, head: float = 0.0) -> list[Page]:
    """All pages of a file."""
    document = pdfium.PdfDocument(path)
    return [read_page(page, foot, head) for page in document]


def read_bookmarks(path: Path) -> list[Bookmark]:
    """All bookmarks in order, the outermost at level 0."""
    document = pdfium.PdfDocument(path)
    found = []
    for entry in document.get_toc(max_depth=8):
        target = entry.get_dest()
        page = target.get_index() if target else None
        found.append(Bookmark(entry.level, entry.get_title(), page))
    return found


def without_number(title: str) -> str:
    """A bookmark's title without the number of its section.

    An appendix's number is a letter; "A block" begins with a word, since
    titles are in sentence case.
    """
    number = r"^(?:\d+(?:\.\d+)*|[A-Z](?:\.\d+)+|[A-Z](?=\s+[A-Z]))\s+"
    return re.sub(number, "", title).strip()


def page_ranges(
    titles: Sequence[str], marks: Sequence[Bookmark], last: int
) -> list[tuple[int, int]]:
    """For each title its first and last page, in order; pages overlap."""
    names = [letters(without_number(mark.title)) for mark in marks]
    starts, at = [], 0
    for title in titles:
        if letters(title) not in names[at:]:
            raise ValueError(f"the PDF has no bookmark {title!r} in its place")
        at = names.index(letters(title), at) + 1
        starts.append(marks[at - 1].page or 0)
    return list(zip(starts, [*starts[1:], last], strict=True))


def resolved(thing: Any) -> Any:
    return thing.get_object() if isinstance(thing, IndirectObject) else thing


def link_actions(reader: PdfReader) -> list[tuple[int, str, Any]]:
    """Each link: its page from 0, the kind of its action, and its target."""
    found = []
    for number, page in enumerate(reader.pages):
        for note in resolved(page.get("/Annots")) or []:
            note = resolved(note)
            if note.get("/Subtype") != "/Link":
                continue
            action = resolved(note.get("/A")) or {}
            kind = str(action.get("/S", "/GoTo" if "/Dest" in note else ""))
            keys = {"/GoTo": "/D", "/URI": "/URI"}
            target = action.get(keys.get(kind, "/F"), note.get("/Dest"))
            found.append((number, kind, resolved(target)))
    return found
