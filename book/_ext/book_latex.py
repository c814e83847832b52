"""PDF: the page design, hidden cells printed, widgets named."""

from __future__ import annotations

from docutils import nodes
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


def set_design(app: Sphinx, config: Config) -> None:
    """Our own class options and preamble in place of jupyter-book's."""
    config.latex_theme = "manual"
    config.latex_elements = {
        "papersize": "",
        "pointsize": "10pt",
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
    "verbatimwithframe=false",
    "verbatimforcewraps=true",
    "verbatimvisiblespace={}",
    "VerbatimColor={RGB}{246,246,243}",
    "verbatimsep=5pt",
    "InnerLinkColor={RGB}{38,70,110}",
    "OuterLinkColor={RGB}{38,70,110}",
    "TitleColor={RGB}{20,20,20}",
    "hmargin={31mm,31mm}",
    "vmargin={25mm,27mm}",
)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", set_design, priority=950)
    app.add_post_transform(PrintHidden)
    app.add_post_transform(NameWidgets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
