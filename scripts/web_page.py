"""What a page of the HTML book says, without what only a screen needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeGuard

from bs4 import (
    BeautifulSoup,
    NavigableString,
    PageElement,
    SoupStrainer,
    Tag,
)

# What a web page shows and print does not, and why.
LEFT_OUT = {
    "script, style, noscript, template": "not text",
    "a.headerlink, .toctree-wrapper": "navigation",
    "summary:has(.collapsed)": "the button that shows a hidden cell",
    ".book-doors, .book-pdf": "the front page's ways to other pages",
    ".explorer": "controls; print has a line and a still figure",
    ".citation .label": "print cites by author and year",
    ".footnote .label": "print sets these numbers raised",
    ".visually-hidden, .sr-only": "read aloud, never shown",
}
# Elements that begin and end a stretch of text.
BLOCKS = {
    "p", "li", "td", "th", "pre", "h1", "h2", "h3", "h4", "h5", "dt", "dd",
    "summary", "figcaption", "div", "section", "table", "tr", "ul", "ol", "br",
    "details", "figure", "article", "dl", "aside", "label", "blockquote",
}  # fmt: skip
# After a link print gives its address, so that a stretch ends there as well.
APART = {
    "external", "footnote-reference", "caption-number", "section-number",
    "eqno", "math", "katex",
}  # fmt: skip


@dataclass
class WebPage:
    """What one page says: its title, stretches of text, formulas, explorers."""

    title: str = ""
    blocks: list[str] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)
    explorers: int = 0
    stills: int = 0  # explorers that stand beside a figure with a caption


def is_tag(node: PageElement) -> TypeGuard[Tag]:
    return isinstance(node, Tag)


def walk(node: PageElement, page: WebPage, text: list[str]) -> None:
    """Collect the stretches of text below a node."""
    classes = set(node.get_attribute_list("class") if is_tag(node) else ())

    def cut() -> None:
        said = "".join(text).strip()
        if "section-number" in classes:
            said = said.rstrip(".")
        if said:
            page.blocks.append(said)
        text.clear()

    if isinstance(node, NavigableString):
        text.append(str(node) if type(node) is NavigableString else "")
        return
    if not is_tag(node):
        return
    apart = node.name in BLOCKS or bool(classes & APART)
    if apart:
        cut()
    if "footnote-reference" in classes:
        return
    if classes & {"math", "katex"} and "highlight" not in classes:
        page.formulas += formulas_in(node)
        for number in node.select(".eqno"):
            page.blocks.append(number.get_text())
        return
    for child in node.children:
        walk(child, page, text)
    if apart:
        cut()


def formulas_in(node: Tag) -> list[str]:
    """The TeX of the formulas below a node, whatever sets them."""
    sources = node.select("annotation[encoding='application/x-tex']")
    if sources:
        return [source.get_text() for source in sources]
    for number in node.select(".eqno"):
        number.extract()
    return [node.get_text()]


def has_still(explorer: Tag) -> bool:
    """Whether the section of an explorer has a figure with a caption."""
    section = explorer.find_parent("section")
    return bool(section and section.select_one("figure figcaption"))


def title_of(article: Tag) -> str:
    """The heading of a page, without its number."""
    if article.h1 is None:
        return ""
    number = article.h1.select_one(".section-number")
    said = article.h1.get_text()
    return said.removeprefix(number.get_text() if number else "").strip()


def read_html(html: str) -> WebPage:
    """What the body of a web page says."""
    only = SoupStrainer("article")
    article = BeautifulSoup(html, "html.parser", parse_only=only).article
    if article is None:
        raise ValueError("a page of the book has an <article>; this has none")
    explorers = article.select(".explorer")
    stills = sum(has_still(explorer) for explorer in explorers)
    page = WebPage(explorers=len(explorers), stills=stills)
    for found in article.select(", ".join(LEFT_OUT)):
        found.decompose()
    page.title = title_of(article)
    walk(article, page, [])
    return page
