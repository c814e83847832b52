"""The text of a web page without its menus, scripts and footers.

Chapter 7 derives it: blocks of text, and how much of each is links.
"""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

_SKIPPED = """
script style nav header footer aside noscript template svg button select
iframe head
"""
_BREAKS = """
p div br h1 h2 h3 h4 h5 h6 li ul ol dl dt dd table tr td th section article
main blockquote pre hr figure figcaption form body title
"""
SKIPPED = frozenset(_SKIPPED.split())
BREAKS = frozenset(_BREAKS.split()) | SKIPPED


@dataclass(frozen=True)
class Block:
    """Text between two breaks, and how many of its characters are links."""

    text: str
    linked: int


class Blocks(HTMLParser):
    """Collects the blocks of a page in `blocks`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._skipped: list[str] = []
        self._links = 0
        self._parts: list[str] = []
        self._linked = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in SKIPPED:
            self._skipped.append(tag)
        if tag in BREAKS:
            self.flush()
        self._links += tag == "a"

    def handle_endtag(self, tag: str) -> None:
        if tag in self._skipped:  # and all that was left open inside it
            while self._skipped.pop() != tag:
                pass
        if tag in BREAKS:
            self.flush()
        self._links = max(0, self._links - (tag == "a"))

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._parts.append(data)
            self._linked += len("".join(data.split())) if self._links else 0

    def flush(self) -> None:
        """End the current block."""
        text = " ".join("".join(self._parts).split())
        if text:
            self.blocks.append(Block(text, self._linked))
        self._parts, self._linked = [], 0


def blocks(html: str) -> list[Block]:
    """A page -> its blocks of text, without scripts, menus and the like."""
    parser = Blocks()
    parser.feed(html)
    parser.close()
    parser.flush()
    return parser.blocks


def extract(html: str, min_words: int = 5, max_links: float = 0.33) -> str:
    """A page -> its main text, a paragraph for each block that is kept.

    Dropped are blocks of fewer than `min_words` words, and those of which
    more than `max_links` of the letters are links. The two features are
    those of Kohlschuetter et al. (2010). Chapter 7.
    """
    kept = []
    for block in blocks(html):
        letters = len("".join(block.text.split()))
        if len(block.text.split()) < min_words:
            continue
        if block.linked <= max_links * letters:
            kept.append(block.text)
    return "\n".join(kept)
