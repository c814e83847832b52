"""What the PDF book must be, one rule a function; each returns complaints.

`check_pdf` applies them to the built book, the tests to planted mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scripts.pdf_file import Bookmark, Box, Page, letters, without_number

ROUND_TRIP = {
    "chapters": ("exercises",),
    "exercises": ("chapters", "solutions"),
    "solutions": ("chapters", "exercises"),
}
SLACK = 10.0  # points that ink may stand out
WEB = ("http", "https", "mailto")
CAPTION = re.compile(
    r"^(Fig\.|Table|Listing) (\d+|[A-Z])\.(\d+): ?\S", re.MULTILINE
)
# A long entry goes on in the next line.
INDEX_ENTRY = re.compile(r"^(.*?),\s*\d+(?:,\s*\d+)*$", re.MULTILINE)
# A bare <div> may be an example; the markup of the sources has a class.
RAW = re.compile(
    r"### (?:BEGIN|END) SOLUTION"
    r"|\{(?:term|ref|numref|eq|doc|glue|cite)(?::\w+)*\} ?[`\u2018\u201c]"
    r"|^:{3,}|[a-z.]\[\^\w+\]|</?(?:details|summary)\b|<div\s"
    r"|<[\w.]+ object at 0x",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Layout:
    """The page in points: its size, its column, and how wide figures are."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    figure: float


@dataclass(frozen=True)
class Heading:
    """A part, page or section as the sources have it."""

    level: int
    title: str


def size_problems(pages: Sequence[Page], layout: Layout) -> list[str]:
    """Every page has the size that the design names."""
    return [
        f"page {n}: {p.width:.0f} x {p.height:.0f} pt, not"
        f" {layout.width:.0f} x {layout.height:.0f}"
        for n, p in enumerate(pages, start=1)
        if abs(p.width - layout.width) + abs(p.height - layout.height) > 2
    ]


def beyond(box: Box, left: float, bottom: float, right: float, top: float):
    """How far a box stands out of a frame, in points."""
    return max(left - box[0], bottom - box[1], box[2] - right, box[3] - top)


def ink_problems(pages: Sequence[Page], layout: Layout) -> list[str]:
    """Text keeps to its column and figures to theirs, from head to foot.

    The cover is the first page and free.
    """
    found = []
    wide = max(0.0, (layout.figure - (layout.right - layout.left)) / 2)
    head, foot = layout.height - layout.top / 2, layout.bottom / 2
    for number, page in enumerate(pages[1:], start=2):
        frame = (layout.left, foot, layout.right, head)
        for box, text in page.lines:
            out = beyond(box, *frame)
            if text.strip() and out > SLACK:
                found.append(f"page {number}: {text.strip()[:40]!r} is"
                             f" {out:.0f} pt outside the column")  # fmt: skip
        frame = (layout.left - wide, foot, layout.right + wide, head)
        found += [
            f"page {number}: a figure is {beyond(box, *frame):.0f} pt outside"
            for box in page.images
            if beyond(box, *frame) > SLACK
        ]
    return found


def bookmark_problems(
    bookmarks: Sequence[Bookmark], headings: Iterable[Heading]
) -> list[str]:
    """Parts, pages and sections are bookmarks, in order, at their levels."""
    found, at = [], 0
    names = [letters(without_number(b.title)) for b in bookmarks]
    for heading in headings:
        name = letters(heading.title)
        if name not in names[at:]:
            found.append(f"no bookmark {heading.title!r}, or out of order")
            continue
        at = names.index(name, at) + 1
        if bookmarks[at - 1].level != heading.level:
            found.append(
                f"bookmark {heading.title!r} is at level"
                f" {bookmarks[at - 1].level}, not {heading.level}"
            )
    return found


def target_problems(
    bookmarks: Sequence[Bookmark], pages: Sequence[Page]
) -> list[str]:
    """A bookmark leads to the page that shows its title."""
    found = []
    for mark in bookmarks:
        title = without_number(mark.title)
        if mark.page is None or not 0 <= mark.page < len(pages):
            found.append(f"bookmark {title!r} leads nowhere")
        elif letters(title) not in letters(pages[mark.page].text):
            found.append(f"bookmark {title!r}: not on page {mark.page + 1}")
    return found


def link_problems(
    links: Iterable[tuple[int, str, Any]], names: Iterable[str]
) -> list[str]:
    """Links go to a place in the file or to the web, never to another file."""
    found, known = [], set(names)
    for page, kind, target in links:
        where = f"page {page + 1}: link to {str(target)[:60]!r}"
        if kind == "/GoTo":
            here = isinstance(target, list) or str(target) in known
            if not here:
                found.append(f"{where}: no such place")
        elif kind != "/URI":
            found.append(f"{where}: a {kind or 'missing'} action")
        elif urlsplit(str(target)).scheme not in WEB:
            found.append(f"{where}: not an address on the web")
    return found


def crossing_problems(
    jumps: Iterable[tuple[int, int]], places: dict[str, tuple[int, int]]
) -> list[str]:
    """Chapter, exercises and solutions lead to each other within the file.

    jumps are (from page, to page); places are the pages that a source fills.
    """
    known, found = list(jumps), []
    for page in places:
        kind, _, rest = page.partition("/")
        for other in ROUND_TRIP.get(kind, ()):
            to = f"{other}/{rest}"
            if to not in places:
                continue
            here, there = places[page], places[to]
            if not any(
                here[0] <= a <= here[1] and b == there[0] for a, b in known
            ):
                found.append(f"no link from {page} to {to}")
    return found


def caption_problems(pages: Sequence[Page]) -> list[str]:
    """Figures, tables and listings of a chapter are numbered 1, 2, 3 ..."""
    found, last = [], dict[tuple[str, str], int]()
    for number, page in enumerate(pages, start=1):
        for kind, chapter, count in CAPTION.findall(page.text):
            expected = last.get((kind, chapter), 0) + 1
            if int(count) != expected:
                found.append(f"page {number}: {kind} {chapter}.{count},"
                             f" expected {chapter}.{expected}")  # fmt: skip
            last[kind, chapter] = int(count)
    return found if last else ["no numbered figure in the whole book"]


def raw_problems(pages: Sequence[Page]) -> list[str]:
    """No markup of the sources is printed as it was typed."""
    return [
        f"page {number}: printed as it was typed: {found[0]!r}"
        for number, page in enumerate(pages, start=1)
        for found in RAW.finditer(page.text)
    ]


def section_pages(
    title: str, bookmarks: Sequence[Bookmark], pages: Sequence[Page]
) -> list[Page]:
    """The pages from a bookmark to the next one that is not deeper."""
    for i, mark in enumerate(bookmarks):
        if without_number(mark.title) == title and mark.page is not None:
            later = (b for b in bookmarks[i + 1 :] if b.level <= mark.level)
            end = next((b.page for b in later if b.page), len(pages))
            return list(pages[mark.page : max(end, mark.page + 1)])
    return []


def index_problems(
    bookmarks: Sequence[Bookmark], pages: Sequence[Page], terms: Iterable[str]
) -> list[str]:
    """There is an index, and every term of the glossary is in it, once."""
    text = "\n".join(p.text for p in section_pages("Index", bookmarks, pages))
    text = text.replace("\r", "").replace("\ufffe", "-").replace("\x02", "-")
    entries = [entry.strip() for entry in INDEX_ENTRY.findall(text)]
    keys = [letters(entry) for entry in entries]
    found = [f"not in the index: {t}" for t in terms if letters(t) not in keys]
    found += [f"in the index twice: {e}" for e in entries
              if keys.count(letters(e)) > 1]  # fmt: skip
    return found if entries else ["no index"]


def bibliography_problems(
    bookmarks: Sequence[Bookmark], pages: Sequence[Page], titles: Iterable[str]
) -> list[str]:
    """There is a bibliography, and it holds every cited work."""
    there = section_pages("Bibliography", bookmarks, pages)
    text = letters("".join(page.text for page in there))
    if not text:
        return ["no bibliography"]
    return [f"not in the bibliography: {t}" for t in titles
            if letters(t) not in text]  # fmt: skip


def head_problems(
    bookmarks: Sequence[Bookmark], pages: Sequence[Page], layout: Layout
) -> list[str]:
    """A page on which no chapter begins names its chapter at its head."""
    found, chapter = [], ""
    begins = {b.page: b for b in bookmarks if b.level <= 1}
    for number, page in enumerate(pages):
        if number in begins:
            chapter = without_number(begins[number].title)
            continue
        head = layout.height - layout.top
        text = "".join(t for box, t in page.lines if box[1] > head)
        if chapter and letters(chapter) not in letters(text):
            found.append(f"page {number + 1}: no running head {chapter!r}")
    return found
