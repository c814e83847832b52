"""What the rules see of a notebook: its cells, its prose, its sections."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
Rule = Callable[[NotebookNode, Path], list[str]]
IMAGE = "image/"
GAP = "\N{OBJECT REPLACEMENT CHARACTER}"  # where code or a formula stood


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def text_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "markdown")


def text_of(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in text_cells(notebook))


def as_notebook(page: Path) -> NotebookNode:
    """A page of prose as a notebook of one cell, so that rules can read it."""
    source = page.read_text(encoding="utf-8")
    return new_notebook(cells=[new_markdown_cell(source, id=page.stem)])


def is_figure(cell: NotebookNode) -> bool:
    """Whether a code cell stores an image."""
    return cell.cell_type == "code" and any(
        mime.startswith(IMAGE)
        for output in cell.outputs
        for mime in output.get("data", {})
    )


def caption_of(cell: NotebookNode) -> str:
    figure = cell.metadata.get("mystnb", {}).get("figure", {})
    return str(figure.get("caption", ""))


def chapter_number(path: Path) -> int | None:
    """3 for 03_attention.ipynb; None for a page that has no number."""
    found = re.match(r"(\d+)_", path.name)
    return int(found[1]) if found else None


def tree_of(cell: NotebookNode) -> ast.Module:
    """The code of a cell, its magics left out."""
    magic = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)
    return ast.parse(magic.sub(r"\1pass", cell.source))


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """The calls of functions with these names."""
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in names:
            assert isinstance(node, ast.Call)
            yield node


@dataclass(frozen=True)
class Bit:
    """A piece of Markdown: text, code, math, a role, an image, a link ..."""

    kind: str
    text: str
    name: str = ""  # of a role; the label of a formula; the target of a link
    block: int = 0  # bits of one paragraph, heading or table cell share it
    heading: int = 0  # its level, in a heading


@cache
def markdown() -> MarkdownIt:
    """The Markdown that the book is written in, as `_config.yml` sets it."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    extensions = set(config["parse"]["myst_enable_extensions"]) - {"linkify"}
    settings = MdParserConfig(enable_extensions=extensions)
    return create_md_parser(settings, RendererHTML)


@cache
def bits(source: str) -> tuple[Bit, ...]:
    """The pieces of a Markdown source, in order."""
    return tuple(walk(source, iter(range(10**6))))


def walk(source: str, number: Iterator[int]) -> Iterator[Bit]:
    level = 0
    for token in markdown().parse(source):
        block = next(number)
        if token.type == "inline":
            yield from inline(token.children or [], block, level)
        elif token.type in ("fence", "colon_fence"):
            yield from fenced(token, number)
        elif token.type.startswith("math_block") or token.type == "amsmath":
            yield Bit("display", token.content, token.info, block)
        elif token.type == "myst_target":
            yield Bit("target", "", token.content, block)
        elif token.type == "html_block":
            yield Bit("html", token.content, "", block)
        opens = token.type == "heading_open"
        level = int(token.tag[1]) if opens else 0


def inline(tokens: list[Token], block: int, level: int) -> Iterator[Bit]:
    for token in tokens:
        kind, text, name = token.type, token.content, ""
        if kind in ("softbreak", "hardbreak"):
            kind, text = "text", " "
        elif kind == "code_inline":
            kind = "code"
        elif kind.startswith("math"):
            kind = "math"
        elif kind == "myst_role":
            kind, name = "role", str(token.meta["name"])
        elif kind == "image":
            name = str(token.attrs.get("src", ""))
        elif kind == "link_open":
            kind, name = "link", str(token.attrs.get("href", ""))
        elif kind == "html_inline":
            kind = "html"
        elif kind != "text":
            continue
        yield Bit(kind, text, name, block, level)


OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*)$")
PROSE = {
    "admonition", "note", "tip", "warning", "important", "margin", "sidebar",
    "dropdown", "figure", "glossary", "grid", "grid-item-card",
}  # fmt: skip


def fenced(token: Token, number: Iterator[int]) -> Iterator[Bit]:
    """A block of code, or a directive with the Markdown inside it."""
    info = re.match(r"\{([\w:-]+)\}[ \t]*(.*)", token.info.strip())
    if info is None:
        yield Bit("fence", token.content, token.info.strip(), next(number))
        return
    name, argument = info[1], info[2]
    lines, options = token.content.split("\n"), {}
    while lines and (option := OPTION.match(lines[0])):
        options[option[1]] = option[2]
        del lines[0]
    body = "\n".join(lines)
    if "name" in options or "label" in options:
        label = options.get("name") or options["label"]
        yield Bit("target", "", label, next(number))
    if name in ("figure", "image"):
        yield Bit("image", options.get("alt", ""), argument, next(number))
    if name == "math":
        yield Bit("display", body, options.get("label", ""), next(number))
    if name in PROSE:
        titled = name == "admonition" or name.startswith("grid-item")
        yield from walk(f"{argument}\n\n{body}" if titled else body, number)


@dataclass
class Section:
    """A heading, the text below it and the code cells that stand there."""

    level: int
    title: str
    text: str = ""
    code: list[NotebookNode] = field(default_factory=list)


def sections(notebook: NotebookNode) -> list[Section]:
    """The notebook cut at its headings; the first has no heading."""
    found = [Section(0, "")]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[-1].code.append(cell)
        elif cell.cell_type == "markdown":
            add_text(found, cell.source)
    return found


def add_text(found: list[Section], source: str) -> None:
    tokens, lines, done = markdown().parse(source), source.split("\n"), 0
    for i, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            found[-1].text += "\n".join(lines[done : token.map[0]]) + "\n"
            level, done = int(token.tag[1]), token.map[1]
            found.append(Section(level, tokens[i + 1].content))
    found[-1].text += "\n".join(lines[done:]) + "\n"


def whole(found: list[Section], start: int) -> Section:
    """A section with all that stands below its subheadings."""
    first = found[start]
    made = Section(first.level, first.title, first.text, list(first.code))
    for section in found[start + 1 :]:
        if section.level <= first.level:
            break
        made.text += f"{'#' * section.level} {section.title}\n\n{section.text}"
        made.code += section.code
    return made
