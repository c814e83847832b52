"""HTML: formulas typeset at build time, so that pages need no script for it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from scripts.formulas import Formula, typeset

logger = logging.getLogger(__name__)
HTML: dict[Formula, str] = {}
# What KaTeX writes and HTML does not need.
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
STYLE_END = re.compile(r'(style="[^"]*);"')
SCRIPT = "sizing reset-size6 size3 mtight"  # an index; book.css knows "script"
TIGHT = " mtight"  # no style sheet names it
LENGTH = re.compile(r"(?<=[:-])0?(\.\d{1,3})\d*em")


def formula_of(node: nodes.Element) -> Formula:
    return Formula(node.astext(), isinstance(node, nodes.math_block))


def html_of(node: nodes.Element) -> str:
    """The HTML of one formula; a warning where it does not compile."""
    formula = formula_of(node)
    if formula not in HTML:
        remember([node])
    return HTML[formula]


def remember(found: list[nodes.Element]) -> None:
    """Typeset the formulas that were not typeset yet, all at once."""
    new = {formula_of(n): n for n in found if formula_of(n) not in HTML}
    for formula, made in typeset(list(new)).items():
        if made.error:
            logger.warning(
                "a formula does not compile: %s: %s",
                formula.tex,
                made.error,
                location=new[formula],
                type="formula",
            )
        HTML[formula] = lighter(made.html)


def lighter(html: str) -> str:
    """The same formula in fewer bytes: pages with hundreds feel it.

    HTML knows where <math> begins; a thousandth of an em cannot be seen.
    """
    html = html.replace(SCRIPT, "script").replace(TIGHT, "")
    html = STYLE_END.sub(r'\1"', html.replace(NAMESPACE, ""))
    return LENGTH.sub(r"\1em", html)


def read_page(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Sphinx's doctree-resolved event: one run of KaTeX for a whole page."""
    if app.builder.format == "html":
        remember(list(doctree.findall(is_formula)))


def is_formula(node: nodes.Node) -> bool:
    return isinstance(node, (nodes.math, nodes.math_block))


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    start = self.starttag(node, "span", "", CLASS="math")
    self.body.append(f"{start}{html_of(node)}</span>")
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f"{html_of(node)}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("katex", (visit_math, None), (visit_block, None))
    app.connect("doctree-resolved", read_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
