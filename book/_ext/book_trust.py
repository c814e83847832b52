"""`{trust}`: what agrees with other libraries, from what the tests noted.

A section for each stage with a table of its comparisons, library after
library; and a role, `` {trust-count}`comparisons` ``, for the counts of it.
Both are made of book/trust.json, which `scripts.trust` holds to the tests.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from book_api import STAGES
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

STORED = "book/trust.json"
TITLES = STAGES | {"appendix": "Backpropagation by hand"}
HEAD = ("what is compared", "tolerance", "difference")
WIDTHS = (48, 32, 20)
Row = dict[str, Any]
Cell = list[nodes.Node]


def rows_of(root: Path) -> list[Row]:
    """ValueError for a stage that the page has no section for."""
    record = json.loads((root / STORED).read_text(encoding="utf-8"))
    for row in record["rows"]:
        if row["stage"] not in TITLES:
            raise ValueError(f"{STORED}: no section for {row['stage']!r}")
    return record["rows"]


def counts(rows: list[Row]) -> dict[str, str]:
    """What `{trust-count}` knows."""
    found = {
        "comparisons": len(rows),
        "libraries": len({row["oracle"] for row in rows}),
        "exact": sum(row["atol"] == row["rtol"] == 0 for row in rows),
    }
    return {name: f"{n:,}" for name, n in found.items()}


def scientific(x: float) -> str:
    """A tolerance as TeX: 10^{-5}, 2 \\cdot 10^{-7}, but 0.013."""
    if x >= 1e-3:
        return f"{x:g}"
    digits, power = f"{x:e}".split("e")
    factor = f"{float(digits):g}"
    ten = f"10^{{{int(power)}}}"
    return ten if factor == "1" else rf"{factor} \cdot {ten}"


def tolerance(row: Row) -> str:
    """As TeX, in which y is theirs; 0 where nothing may differ."""
    parts = [scientific(row["atol"])] if row["atol"] else []
    if row["rtol"]:
        parts.append(rf"{scientific(row['rtol'])}\,\lvert y \rvert")
    return " + ".join(parts) or "0"


def relative(row: Row) -> bool:
    """Is the difference to be told as a share of theirs?"""
    return row["relative"] is not None and row["rtol"] > row["atol"]


def difference(row: Row) -> str:
    """The next power of ten above it, as TeX; 0 where there is none."""
    gap = row["relative"] if relative(row) else row["difference"]
    if not gap:
        return "0"
    power = math.floor(math.log10(gap)) + 1
    ten = "1" if power == 0 else f"10^{{{power}}}"
    return f"< {ten}" + (r"\,\lvert y \rvert" if relative(row) else "")


def cells(row: Row) -> list[Cell]:
    """What is compared, how closely it must agree, and how closely it does."""
    what: Cell = [nodes.Text(row["what"])]
    if row["atol"] is None:
        return [what, [nodes.Text("it holds, without numbers")]]
    told = [tolerance(row), difference(row)]
    return [what, *([nodes.math(x, x)] for x in told)]


def line(entries: Iterable[Cell]) -> nodes.row:
    """A row of a table; its last entry takes all columns that are left."""
    row = nodes.row()
    for children in entries:
        row += nodes.entry("", nodes.paragraph("", "", *children))
    if len(row) < len(WIDTHS):
        row[-1]["morecols"] = len(WIDTHS) - len(row)
    return row


def caption(rows: list[Row]) -> str:
    """What a table holds, in a sentence."""
    n = counts(rows)
    many = n["libraries"]
    some = "one library" if many == "1" else f"{many} libraries"
    told = f"{n['comparisons']} comparisons with {some}."
    if n["exact"] != "0":
        told += f" In {n['exact']} of them nothing may differ."
    return told


def table(rows: list[Row]) -> nodes.table:
    """Of one stage: the comparisons with one library below its name."""
    body = nodes.tbody()
    for oracle, some in groupby(rows, lambda row: row["oracle"]):
        group = list(some)
        versions = ", ".join(sorted({row["version"] for row in group}))
        name = nodes.strong("", f"{oracle} {versions}")
        body += line([[name]])
        for row in group:
            body += line(cells(row))
    group = nodes.tgroup(cols=len(WIDTHS))
    group += [nodes.colspec(colwidth=width) for width in WIDTHS]
    group += nodes.thead("", line([nodes.Text(word)] for word in HEAD))
    group += body
    classes = ["longtable", "colwidths-given"]
    return nodes.table("", group, classes=classes)


def made_by(rows: list[Row]) -> nodes.paragraph:
    """Where to read how it is done."""
    names = sorted({t.split("::")[0] for row in rows for t in row["tests"]})
    found = nodes.paragraph("", "The tests: ")
    for i, name in enumerate(names):
        found += nodes.Text(", " if i else "")
        found += nodes.literal("", Path(name).name)
    found += nodes.Text(f" in tests/{rows[0]['stage']}.")
    return found


class Trust(SphinxDirective):
    """The sections of the page, in the order of the weeks."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / STORED))
        rows = rows_of(root)
        found: list[nodes.Node] = []
        for stage, title in TITLES.items():
            here = [row for row in rows if row["stage"] == stage]
            if not here:
                continue
            section = nodes.section(ids=[f"trust-{stage}"], names=[stage])
            section += nodes.title("", title)
            told = nodes.paragraph("", caption(here))
            section += [told, table(here), made_by(here)]
            found.append(section)
        return found


class TrustCount(SphinxRole):
    """One of the counts, by its name."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / STORED))
        return [nodes.Text(counts(rows_of(root))[self.text])], []


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("trust", Trust)
    app.add_role("trust-count", TrustCount())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
