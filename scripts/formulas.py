"""Formulas as HTML and MathML, typeset by KaTeX when the book is built.

A page then shows its formulas without a script, at once, and a formula that
does not compile stops the build.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from scripts.node import MODULES, ROOT, run

SCRIPT = ROOT / "book" / "_vendor" / "typeset.cjs"


@dataclass(frozen=True)
class Formula:
    """LaTeX, and whether it stands on a line of its own."""

    tex: str
    display: bool = False


@dataclass(frozen=True)
class Typeset:
    """A formula as HTML, or what is wrong with it."""

    html: str = ""
    error: str = ""


def typeset(formulas: list[Formula]) -> dict[Formula, Typeset]:
    """Every formula of the list, in one run of Node."""
    unique = list(dict.fromkeys(formulas))
    if not unique:
        return {}
    if not (MODULES / "katex").exists():
        raise RuntimeError("KaTeX is not here: run python -m scripts.vendor")
    given = json.dumps([{"tex": f.tex, "display": f.display} for f in unique])
    made = json.loads(run(SCRIPT, str(MODULES), given=given))
    return {f: Typeset(**m) for f, m in zip(unique, made, strict=True)}
