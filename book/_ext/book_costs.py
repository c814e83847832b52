"""`{chapter-costs}`: what it takes to run each chapter, as it was measured.

The last code cell of a chapter stores its processor time and memory; this
table only collects what the notebooks hold.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from book_api import LABEL
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

COST = re.compile(r"(\d+) seconds of processor time and ([\d.]+) GB")


class Cost(NamedTuple):
    """A chapter's label, its seconds and its gigabytes."""

    label: str
    seconds: int
    memory: float


def cost_of(path: Path) -> Cost:
    """ValueError for a notebook without label or stored cost."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    label = LABEL.search(text_of(notebook["cells"][0]["source"]))
    stored = [
        found
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if (found := COST.search(glued(output)))
    ]
    if label is None or not stored:
        raise ValueError(f"{path} has no label or no stored cost: run it again")
    seconds, memory = stored[-1].groups()
    return Cost(label[1], int(seconds), float(memory))


def text_of(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def glued(output: dict[str, Any]) -> str:
    """What `glue("cost", ...)` stored; nothing for other outputs."""
    meta = output.get("metadata", {}).get("scrapbook", {})
    if meta.get("name") != "cost":
        return ""
    return text_of("".join(map(text_of, output["data"].values())))


def table(costs: list[Cost]) -> list[str]:
    """The lines of a MyST table, with the sum at its end."""
    rows = ["| chapter | seconds | GB of memory |", "|---|--:|--:|"]
    rows += [f"| [](#{x.label}) | {x.seconds} | {x.memory} |" for x in costs]
    total, most = sum(x.seconds for x in costs), max(x.memory for x in costs)
    return [*rows, f"| all of them, one after the other | {total} | {most} |"]


class ChapterCosts(SphinxDirective):
    """A row for every chapter that the book holds, in its order."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        paths = sorted(root.glob("chapters/week*/*.ipynb"))
        for path in paths:
            self.env.note_dependency(str(path))
        lines = StringList(table([cost_of(x) for x in paths]), "chapter-costs")
        parent = nodes.Element()
        self.state.nested_parse(lines, self.content_offset, parent)
        return parent.children


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("chapter-costs", ChapterCosts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
