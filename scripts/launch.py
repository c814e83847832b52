"""The first cells of every notebook: its title, a badge, the bootstrap.

The badge opens the notebook in Colab; the bootstrap cell installs the package
there, where it is missing. Both name this release, so that a notebook and the
package it meets belong together. `python -m scripts.links` writes them.
"""

from __future__ import annotations

import re
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r'^version = "([^"]+)"', re.MULTILINE)
PLACES = {"badge": 1, "bootstrap": 2}  # cells count from the title, 0
# The pages have a launch button of their own, so the book leaves the badge out.
TAGS = {"badge": ["remove-cell"], "bootstrap": ["hide-cell"]}
# extra: what to import to see whether it is installed
PROOF = {
    "": [],
    "hf": ["transformers"],
    "app": ["gradio"],
    "eval": ["lm_eval"],
}
EXTRA = re.compile(r"llm-utils\[(\w+(?:,\w+)*)\] @")


def release(root: Path = ROOT) -> str:
    """The name that git has for this release: v0.1.0; main before one."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    found = VERSION.search(text)
    if found is None:
        raise ValueError("pyproject.toml has no line version = ...")
    return f"v{found[1]}" if re.fullmatch(r"[\d.]+", found[1]) else "main"


def badge(page: str, slug: str, at: str) -> str:
    """The Markdown that opens a notebook (chapters/.../x.ipynb) in Colab."""
    colab = "https://colab.research.google.com/github"
    return f"[Open this notebook in Colab]({colab}/{slug}/blob/{at}/{page})"


def bootstrap(slug: str, at: str, extra: str = "") -> str:
    """The code that installs the package where it is missing."""
    name = f"llm-utils[{extra}]" if extra else "llm-utils"
    # An extra may be missing where the package itself is there.
    proof = [name for one in extra.split(",") for name in PROOF[one]]
    modules = ", ".join(["llm_utils", *proof])
    return (
        f"try:\n    import {modules}\nexcept ImportError:\n"
        f'    %pip install -q "{name} @ git+https://github.com/{slug}@{at}"'
    )


def page_of(path: Path) -> str:
    """chapters/week1_text/01_x.ipynb, from wherever the book lies."""
    return "/".join(path.parts[-3:])


def wanted(
    notebook: NotebookNode, path: Path, slug: str, at: str
) -> dict[str, str]:
    """The source that each launch cell should have; an extra stays."""
    own = next((c.source for c in notebook.cells if c.id == "bootstrap"), "")
    extra = EXTRA.search(own)
    return {
        "badge": badge(page_of(path), slug, at),
        "bootstrap": bootstrap(slug, at, extra[1] if extra else ""),
    }


def gaps(notebook: NotebookNode, path: Path, slug: str, at: str) -> list[str]:
    """Where the first cells are not what the template gives."""
    found = []
    for name, source in wanted(notebook, path, slug, at).items():
        there = [i for i, cell in enumerate(notebook.cells) if cell.id == name]
        if there != [PLACES[name]]:
            found.append(f"{name}: should be cell {PLACES[name]}, once")
        elif notebook.cells[there[0]].source != source:
            found.append(f"{name}: is not what the template gives")
        elif notebook.cells[there[0]].metadata.get("tags") != TAGS[name]:
            found.append(f"{name}: its tags are not {TAGS[name]}")
    return found


def write(notebook: NotebookNode, path: Path, slug: str, at: str) -> None:
    """Give a notebook its launch cells; whatever they gave stays."""
    sources = wanted(notebook, path, slug, at)
    old = {cell.id: cell for cell in notebook.cells if cell.id in sources}
    rest = [cell for cell in notebook.cells if cell.id not in sources]
    new = {"badge": new_markdown_cell, "bootstrap": new_code_cell}
    made = []
    for name, source in sources.items():
        cell = old.get(name) or new[name](id=name)
        cell.source = source
        cell.metadata["tags"] = list(TAGS[name])
        made.append(cell)
    notebook.cells = [*rest[:1], *made, *rest[1:]]
