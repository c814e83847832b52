"""PDF: what paper needs: whole cells, printed addresses, notes at the foot.

The transforms of this module are added by book_latex.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path
from urllib.parse import urlsplit

from book_address import repository
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class KeepCells(SphinxPostTransform):
    """Short cells stay on one page, and long ones are split sensibly."""

    default_priority = 3
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") != "cell_code":
                continue
            whole, least = lines_to_keep(cell)
            keep = rf"\bookkeep{{{whole}}}{{{least}}}" + "\n"
            here = cell.parent.index(cell)
            cell.parent.insert(here, nodes.raw("", keep, format="latex"))


def is_part(node: nodes.Node) -> bool:
    """Whether a node is the code of a cell or its output."""
    parts = ("cell_code_source", "cell_code_output")
    return isinstance(node, nodes.container) and node.get("nb_element") in parts


SHORT = 9  # lines of code that are never split


def lines_to_keep(cell: nodes.Element) -> tuple[int, int]:
    """The printed lines of a cell, and how many must stand together."""
    code = output = 0
    for part in cell.findall(is_part):
        for block in part.findall(nodes.literal_block):
            lines = printed_lines(block.astext())
            if part.get("nb_element") == "cell_code_source":
                code += lines
            else:
                output += lines
    shown = 2 + output if output else 0  # the space between takes two lines
    if code <= SHORT:
        least = code + (shown if output <= 4 else 4)
        return code + shown, least
    return code + min(shown, 6), 6


def printed_lines(text: str) -> int:
    """How many lines code or output takes in print, where long ones wrap."""
    return sum(max(1, ceil(len(line) / 80)) for line in text.splitlines())


class PrintAddresses(SphinxPostTransform):
    """Print says where a page can be run, and where a web link leads."""

    default_priority = 4
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for link in list(self.document.findall(nodes.reference)):
            address = link.get("refuri", "")
            shown = urlsplit(address).netloc in link.astext()
            if address.startswith("http") and not shown and not in_list(link):
                here = link.parent.index(link) + 1
                link.parent.insert(here, note(address))
        for start in list(self.document.findall(addnodes.start_of_file)):
            source = Path(self.env.doc2path(start["docname"]))
            title = next(iter(start.findall(nodes.title)), None)
            if source.suffix == ".ipynb" and title is not None:
                line = (
                    rf"\bookonline{{Run it in a browser: {self.colab(source)}}}"
                )
                here = title.parent.index(title) + 1
                line = f"\n{line}\n"
                title.parent.insert(here, nodes.raw("", line, format="latex"))

    def colab(self, source: Path) -> str:
        """The address of a notebook in Colab, as LaTeX."""
        options = self.config.html_theme_options
        buttons = options.get("launch_buttons", {})
        page = source.relative_to(self.env.srcdir).as_posix()
        hub = buttons.get("colab_url", "https://colab.research.google.com")
        owner = urlsplit(repository(Path(self.env.srcdir) / "pyproject.toml"))
        branch = options.get("repository_branch", "main")
        address = f"{hub}/github{owner.path}/blob/{branch}/{page}"
        return latex_address(address)


def latex_address(address: str) -> str:
    """A link that shows its own address, without the scheme."""
    escaped = address.replace("%", r"\%").replace("#", r"\#")
    shown = escaped.split("://", 1)[-1]
    return rf"\href{{{escaped}}}{{\nolinkurl{{{shown}}}}}"


def above(node: nodes.Node) -> list[nodes.Element]:
    """The elements that hold a node, from the inside out."""
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found


def in_list(link: nodes.Node) -> bool:
    """Whether a link stands in the bibliography, or in a title."""
    apart = (nodes.citation, nodes.title)
    return any(isinstance(node, apart) for node in above(link))


def note(address: str) -> nodes.raw:
    """The address of a link in parentheses, without the scheme."""
    escaped = address.replace("%", r"\%").replace("#", r"\#")
    shown = escaped.split("://", 1)[-1]
    return nodes.raw("", rf"\bookaddress{{{shown}}}", format="latex")


class NoFootnoteRule(SphinxPostTransform):
    """A footnote stands at the foot of its page: no rule ends the text."""

    default_priority = 4
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for rule in list(self.document.findall(nodes.transition)):
            if "footnotes" in rule["classes"]:
                rule.parent.remove(rule)
