"""PDF: what HTML folds away is printed, with its title in bold.

`<details><summary>Hint</summary> ... </details>` reaches LaTeX as raw HTML,
which it would drop together with any text that stands in the same block.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TypeGuard

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

INLINE = {
    "b": nodes.strong,
    "strong": nodes.strong,
    "summary": nodes.strong,
    "i": nodes.emphasis,
    "em": nodes.emphasis,
    "code": nodes.literal,
    "kbd": nodes.literal,
    "sub": nodes.subscript,
    "sup": nodes.superscript,
}
BREAKS = {"p", "div", "li", "tr", "br", "details", "summary", "table", "ul"}
SILENT = {"script", "style", "svg"}


class HtmlToNodes(HTMLParser):
    """A fragment of HTML as paragraphs of document nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[nodes.paragraph] = []
        self.here: list[nodes.Element] = [nodes.paragraph()]
        self.silent = 0

    def end_paragraph(self) -> None:
        paragraph = self.here[0]
        if paragraph.astext().strip():
            self.paragraphs.append(paragraph)
        self.here = [nodes.paragraph()]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in SILENT:
            self.silent += 1
        if tag in BREAKS:
            self.end_paragraph()
        if tag in INLINE:
            classes = ["fold-title"] if tag == "summary" else []
            self.here.append(INLINE[tag](classes=classes))

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.silent = max(0, self.silent - 1)
        if tag in INLINE and len(self.here) > 1:
            done = self.here.pop()
            self.here[-1] += done
        if tag in BREAKS:
            self.end_paragraph()

    def handle_data(self, data: str) -> None:
        text = re.sub(r"\s+", " ", data)
        if not self.silent and text:
            self.here[-1] += nodes.Text(text)


def with_commands(found: list[nodes.paragraph]) -> list[nodes.Node]:
    """Titles of folds in color, and never alone at the foot of a page."""
    out: list[nodes.Node] = []
    for paragraph in found:
        titles = [n for n in paragraph.children if is_title(n)]
        for title in titles:
            start, end = latex(r"\bookfoldtitle{"), latex("}")
            title.replace_self([start, *title.children, end])
        before, after = latex("\\bookfold\n"), latex("\\bookfolded\n")
        out += [before, paragraph, after] if titles else [paragraph]
    return out


def latex(command: str) -> nodes.raw:
    return nodes.raw("", command, format="latex")


def is_title(node: nodes.Node) -> TypeGuard[nodes.strong]:
    return isinstance(node, nodes.strong) and "fold-title" in node["classes"]


def paragraphs(html: str) -> list[nodes.paragraph]:
    """The visible text of a fragment; nothing a reader sees is lost."""
    parser = HtmlToNodes()
    parser.feed(html)
    parser.close()
    parser.end_paragraph()
    return parser.paragraphs


class PrintFolded(SphinxPostTransform):
    """Turn raw HTML blocks into text for the PDF."""

    default_priority = 5
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for raw in list(self.document.findall(nodes.raw)):
            if "html" not in raw.get("format", "").split():
                continue
            if isinstance(raw.parent, nodes.TextElement):
                continue  # an inline tag: its text stands beside it
            raw.replace_self(with_commands(paragraphs(raw.astext())))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(PrintFolded)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
