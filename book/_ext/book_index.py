"""HTML and PDF: the index says where each glossary term is used.

A term that a page refers to as {term}`token` gets an entry in the index, once
in each section that uses it. The glossary's own entry is the main one.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

NOT_INSIDE = (nodes.title, nodes.caption, nodes.term, addnodes.glossary)


def ancestors(node: nodes.Node) -> list[nodes.Element]:
    """The elements that hold a node, from the inside out."""
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found


def term_uses(document: nodes.Node) -> list[tuple[str, nodes.Element]]:
    """Each glossary term at its first use in each section of a page."""
    uses, seen = [], set()
    for ref in document.findall(addnodes.pending_xref):
        above = ancestors(ref)
        if ref.get("reftype") != "term" or any(
            isinstance(node, NOT_INSIDE) for node in above
        ):
            continue
        section = next((x for x in above if isinstance(x, nodes.section)), None)
        key = (ref["reftarget"].lower(), id(section))
        if key not in seen:
            seen.add(key)
            uses.append((ref["reftarget"], ref))
    return uses


class IndexTerms(SphinxTransform):
    """Put an index entry before the first use of a term in each section."""

    default_priority = 800  # before Sphinx collects the entries of a page

    def apply(self, **kwargs: object) -> None:
        for term, ref in term_uses(self.document):
            name = f"index-{self.env.new_serialno('index')}"
            entry = addnodes.index(entries=[("single", term, name, "", None)])
            target = nodes.target("", "", ids=[name])
            ref.parent.insert(ref.parent.index(ref), [entry, target])


def setup(app: Sphinx) -> dict[str, int]:
    app.add_transform(IndexTerms)
    # Sphinx reads all pages again when this number changes.
    version = crc32(Path(__file__).read_bytes())
    return {
        "env_version": version,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
