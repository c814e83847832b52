"""Compare the HTML book with the PDF book: nothing that one says is lost.

Everything the body of a web page says must stand in that page's part of the
PDF: prose, code, outputs, folds, hidden cells, captions, tables, notes. Spaces,
hyphens and line breaks are no part of what a page says, so both texts are
compared as bare letters, digits and signs: a stretch of the web page is found
when each of its characters lies in a run of RUN characters that the PDF has as
often. Formulas are compared by their variables, counted.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from scripts import book_plan
from scripts.pdf_file import page_ranges, read_bookmarks, read_pages
from scripts.web_page import WebPage, read_html

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "book.pdf"
RUN = 16  # characters


def bare(text: str) -> str:
    """The characters that both books must have in common."""
    return "".join(c for c in folded(text) if counts(c))


def counts(char: str) -> bool:
    """Letters, digits and signs; no space, dash, quote or joined mark."""
    kind = unicodedata.category(char)
    if kind[0] == "L" or kind == "Nd":
        return True
    signs = kind in {"Pc", "Po", "Ps", "Pe", "Sm"} and char not in "'\"`"
    return signs and ord(char) < 128


def runs(text: str) -> Iterator[str]:
    for i in range(len(text) - RUN + 1):
        yield text[i : i + RUN]


@cache
def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


@cache
def spaced(text: str) -> str:
    """The text with a space for all that does not count, or is a variable.

    A variable may touch the word beside it, and is not part of it.
    """
    apart = "".join(" " if printed_variables(c) else c for c in text)
    return "".join(c if counts(c) else " " for c in folded(apart))


def says(text: str) -> bool:
    """Whether there is more to a stretch of text than a full stop."""
    return any(c.isalnum() for c in text)


@cache
def times(text: str, printed: str) -> int:
    """How often a short text stands by itself, not within a word or name."""
    spelled = r"\s*".join(map(re.escape, text))
    start = r"(?<!\w)" if text[0].isalnum() else ""
    # A raised number may follow a word, but nothing a number.
    end = r"(?!\w)" if text[-1].isdigit() else r"(?![^\W\d])"
    end = end if text[-1].isalnum() else ""
    return len(re.findall(start + spelled + end, spaced(printed)))


def lost_text(blocks: Sequence[str], printed: str) -> list[str]:
    """The parts of a page's text that the printed text lacks."""
    there = bare(printed)
    wanted = [(block, bare(block)) for block in blocks]
    have = Counter(runs(there))
    need = Counter(run for _, text in wanted for run in runs(text))
    said = " | ".join(blocks)  # a formula or a note stood between two blocks
    short = Counter(text for _, text in wanted if len(text) < RUN)
    lost = []
    for block, text in wanted:
        if not says(text):
            continue
        if len(text) < RUN:
            # In running text one of them may be cut in two by a page's end.
            needed = times(text, said) - (len(text) > 4)
            if times(text, printed) < max(needed, short[text]):
                lost.append(" ".join(block.split()))
            continue
        found = [False] * len(text)
        for i, run in enumerate(runs(text)):
            if have[run] >= need[run]:
                found[i : i + RUN] = [True] * RUN
        lost += [part for part in gaps(text, found) if not_there(part, there)]
    return lost


def gaps(text: str, found: Sequence[bool]) -> Iterator[str]:
    """The stretches of text that were not found."""
    start = None
    for i, known in enumerate([*found, True]):
        if not known and start is None:
            start = i
        elif known and start is not None:
            yield text[start:i]
            start = None


def not_there(part: str, there: str) -> bool:
    """A page may end within a run: what is cut off must still be somewhere."""
    return len(part) >= RUN or part not in there


def variables(formula: str) -> int:
    """How many letters that are set as variables a formula has."""
    words = r"\\(?:text|mathrm|operatorname|textbf|texttt|mathbb|mathcal)\*?"
    plain = re.sub(words + r"\s*\{[^{}]*\}", " ", formula)
    plain = re.sub(r"\\(?:label|tag|begin|end)\s*\{[^{}]*\}", " ", plain)
    return len(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", plain)))


def printed_variables(text: str) -> int:
    """Letters in the alphabets that Unicode keeps for formulas."""
    return sum(0x1D400 <= ord(c) <= 0x1D7CB or c == "\u210e" for c in text)


def problems(page: WebPage, printed: str) -> list[str]:
    """What the printed text of a page lacks."""
    found = [f"lost: {part[:100]}" for part in lost_text(page.blocks, printed)]
    needed = sum(map(variables, page.formulas))
    there = printed_variables(printed)
    if there < needed:
        found.append(f"formulas: {needed} variables on the web, {there} here")
    if page.stills < page.explorers:
        found.append("an explorer without a figure that says the same")
    named = len(re.findall(r"Interactive in the HTML\s+edition", printed))
    if named < page.explorers:
        found.append(f"{page.explorers} explorers, {named} named in print")
    return found


def compare(names: Sequence[str], html: Path, pdf: Path) -> list[str]:
    """Complaints about all pages of the book."""
    layout = book_plan.layout()
    pages = read_pages(pdf, layout.bottom * 0.5, layout.top * 0.8)
    web = [
        read_html((html / f"{name}.html").read_text("utf-8")) for name in names
    ]
    titles = [book_plan.PREFACE, *(page.title for page in web[1:])]
    where = page_ranges(titles, read_bookmarks(pdf), len(pages) - 1)
    where[0] = (0, where[0][1])  # the front page's title is on the cover
    found = []
    for name, page, (first, last) in zip(names, web, where, strict=True):
        said = "\n".join(p.text for p in pages[first : last + 1])
        found += [f"{name}: {what}" for what in problems(page, said)]
    return found


def main() -> int:
    if not PDF.exists() or not (HTML / "index.html").exists():
        print("the books are not built: run `make book`")
        return 1
    names = book_plan.pages_in_order()
    found = compare(names, HTML, PDF)
    print("\n".join(found) or f"{len(names)} pages say the same in both books")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
