"""PDF: the page design, hidden cells printed, widgets named."""

from __future__ import annotations

from book_print import KeepCells, NoFootnoteRule, PrintAddresses
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
            page = numbers.get(start.get("docname", ""), {})
            command = r"\booknumbered" if page else r"\bookunnumbered"
            if page.get("") == ("A",):  # from here on letters
                command = r"\bookletters" + command
            start.insert(0, nodes.raw("", command + "\n", format="latex"))


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
