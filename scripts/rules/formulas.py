"""Rule of formulas: KaTeX, which typesets the HTML, can read every one."""

from __future__ import annotations

import re
from pathlib import Path

from nbformat import NotebookNode

from scripts.formulas import Formula, Typeset, typeset
from scripts.rules.references import every_page, written

# LaTeX that Markdown takes for words: a dollar sign or an \\end is missing.
UNSEEN = re.compile(r"\\[a-zA-Z]{2,}|\$\$|\$[a-zA-Z\\]")
SEEN: dict[Formula, Typeset] = {}


def formulas_of(notebook: NotebookNode) -> dict[Formula, str]:
    """Each formula of a page, with the id of its cell."""
    return {
        Formula(bit.text.strip(), bit.kind == "display"): where
        for where, bit in written(notebook)
        if bit.kind in ("math", "display")
    }


def formulas_compile(notebook: NotebookNode, path: Path) -> list[str]:
    """Every formula, in text and in captions, compiles."""
    mine = formulas_of(notebook)
    new = [formula for formula in mine if formula not in SEEN]
    if new and not SEEN:  # Node is slow to start: the whole book in one run
        new += [f for page in every_page() for f in formulas_of(page)]
    SEEN.update(typeset(new))
    found = [
        f"{where}: {formula.tex!r}: {SEEN[formula].error}"
        for formula, where in mine.items()
        if SEEN[formula].error
    ]
    return found + [
        f"{where}: no formula, for Markdown: {bit.text[seen.start() :][:40]!r}"
        for where, bit in written(notebook)
        if bit.kind == "text" and (seen := UNSEEN.search(bit.text))
    ]
