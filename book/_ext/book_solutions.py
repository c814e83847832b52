"""HTML and PDF: solutions are printed without what only exercises need.

The lines `### BEGIN SOLUTION` and `### END SOLUTION` tell the tool that makes
the exercises what to leave out, and the cell `how` tells who does them where
the solutions are. A reader of the solutions needs neither.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from zlib import crc32

from sphinx.application import Sphinx

HOW = "how"  # the id of the cell that says how to do the exercises
MARKER = re.compile(r"[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*(?:\n|\Z)")


def without_markers(code: str) -> str:
    """The code of a cell without the lines that mark a solution."""
    return MARKER.sub("", code).rstrip("\n")


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Sphinx's source-read event: clean the cells of a notebook."""
    text = source[0]
    if not text.lstrip().startswith("{") or " SOLUTION" not in text:
        return
    notebook = json.loads(text)
    found = notebook.get("cells", [])
    if docname.startswith("solutions/"):
        notebook["cells"] = [x for x in found if x.get("id") != HOW]
    for cell in found:
        code = "".join(cell["source"])
        if cell["cell_type"] == "code" and MARKER.search(code):
            cell["source"] = without_markers(code)
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, int]:
    app.connect("source-read", read_source)
    # Sphinx reads all pages again when this number changes.
    version = crc32(Path(__file__).read_bytes())
    return {
        "env_version": version,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
