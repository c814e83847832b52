"""PDF: the page design, hidden cells printed, widgets named."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from urllib.parse import urlsplit

from book_address import repository
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform

WIDGET = "application/vnd.jupyter.widget-view+json"
IN_PLACE_OF_WIDGET = (
    "Here the notebook and the web page have something to play with;"
    " the figure beside it says the same."
)


class PrintHidden(SphinxPostTransform):
    """Print cells that HTML collapses (hide-input, hide-output, hide-cell)."""

    default_priority = 1
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for node in self.document.findall(nodes.container):
            classes = node["classes"]
            node["classes"] = [
                c for c in classes if not c.startswith("tag_hide-")
            ]
            node.attributes.pop("hide_mode", None)


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


SHORT = 9  # lines of code that are never split


def lines_to_keep(cell: nodes.Element) -> tuple[int, int]:
    """The printed lines of a cell, and how many must stand together."""
    code = output = 0
    for part in filter(is_element, cell.children):
        for block in part.findall(nodes.literal_block):
            lines = block.astext().splitlines()
            printed = sum(max(1, ceil(len(line) / 80)) for line in lines)
            if part.get("nb_element") == "cell_code_source":
                code += printed
            else:
                output += printed
    shown = 2 + output if output else 0  # the space between takes two lines
    if code <= SHORT:
        least = code + (shown if output <= 4 else 4)
        return code + shown, least
    return code + min(shown, 6), 6


class NameWidgets(SphinxPostTransform):
    """A widget's text form means nothing to a reader: say what stood there."""

    default_priority = 2
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for bundle in list(self.document.findall(is_widget)):
            note = nodes.emphasis("", IN_PLACE_OF_WIDGET)
            bundle.replace_self(nodes.paragraph("", "", note))


def is_widget(node: nodes.Node) -> bool:
    return (
        isinstance(node, nodes.container)
        and node.get("nb_element") == "mime_bundle"
        and any(
            isinstance(child, nodes.Element)
            and child.get("mime_type") == WIDGET
            for child in node.children
        )
    )


class ColorBoxes(SphinxPostTransform):
    """Boxes keep the color that their class gives them in HTML."""

    default_priority = 4
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for box in list(self.document.findall(nodes.admonition)):
            colors = [BOX_COLORS[c] for c in box["classes"] if c in BOX_COLORS]
            if colors:
                command = rf"\bookbox{{{colors[0]}}}" + "\n"
                here = box.parent.index(box)
                box.parent.insert(here, nodes.raw("", command, format="latex"))


BOX_COLORS = {
    "warning": "bookwarm",
    "caution": "bookwarm",
    "tip": "bookgreen",
    "hint": "bookgreen",
    "seealso": "bookgreen",
}


class NumberChapters(SphinxPostTransform):
    """Chapters are numbered in the PDF where they are numbered in HTML."""

    default_priority = 690  # before jupyter-book moves the front page's parts
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        numbers = self.env.toc_secnumbers
        for start in self.document.findall(addnodes.start_of_file):
            numbered = bool(numbers.get(start.get("docname", "")))
            command = r"\booknumbered" if numbered else r"\bookunnumbered"
            start.insert(0, nodes.raw("", command + "\n", format="latex"))


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


class FrontPage(SphinxPostTransform):
    """The front page: its text as a preface, without picture and doors."""

    default_priority = 3
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        root = self.config.master_doc
        if self.env.docname != root:
            return
        section = next(iter(self.document.findall(nodes.section)))
        for node in list(section.children):
            classes = node.get("classes", []) if is_element(node) else []
            if isinstance(node, nodes.image) or "sd-container-fluid" in classes:
                section.remove(node)
        preface = r"\bookunnumbered\chapter{About this book}"
        section.insert(1, nodes.raw("", preface + "\n", format="latex"))


class OneBibliography(SphinxPostTransform):
    """LaTeX sets the bibliography as a chapter; the page's heading goes."""

    default_priority = 760  # after Sphinx has moved the entries to the end
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for start in list(self.document.findall(addnodes.start_of_file)):
            page = start.get("docname", "")
            if page.endswith("bibliography"):
                start.parent.remove(start)


def is_element(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element)


def set_design(app: Sphinx, config: Config) -> None:
    """Our own class options and preamble in place of jupyter-book's."""
    config.latex_theme = "manual"
    config.latex_table_style = ["booktabs"]
    config.latex_elements = {
        "papersize": "",
        "pointsize": "11pt",
        "extraclassoptions": "oneside,openany",
        "fncychap": "",
        "geometry": r"\usepackage{geometry}",
        "fontpkg": r"\input{bookfonts.tex}",
        "fvset": r"\fvset{fontsize=\fontsize{8.5}{11.2}\selectfont}",
        "sphinxsetup": ",".join(SPHINXSETUP),
        "preamble": r"\usepackage{book}",
        "maketitle": r"\bookcover",
        "printindex": r"\bookindex",
        "figure_align": "htbp",
    }


SPHINXSETUP = (
    "pre_border-width=0pt",
    "pre_border-radius=2pt",
    "verbatimforcewraps=true",
    "verbatimvisiblespace={}",
    "verbatimhintsturnover=false",
    "VerbatimColor={RGB}{246,246,243}",
    "VerbatimBorderColor={RGB}{246,246,243}",
    "verbatimsep=5pt",
    "InnerLinkColor={RGB}{38,70,110}",
    "OuterLinkColor={RGB}{38,70,110}",
    "TitleColor={RGB}{20,20,20}",
    "hmargin={31mm,31mm}",
    "vmargin={25mm,27mm}",
)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", set_design, priority=950)
    for transform in (
        PrintHidden,
        KeepCells,
        NameWidgets,
        PrintAddresses,
        NoFootnoteRule,
        ColorBoxes,
        FrontPage,
        NumberChapters,
        OneBibliography,
    ):
        app.add_post_transform(transform)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
