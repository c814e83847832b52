"""A notebook as plain text and back, so that it can be edited as text.

    python -m scripts.cells show chapters/.../01_tokenization.ipynb > ch01.txt
    python -m scripts.cells write chapters/.../01_tokenization.ipynb ch01.txt

Each cell is a header line and its source:

    # %% [code] id=count-pairs {"tags": ["hide-input"]}
    print(count_pairs(ids))

Ids, tags and metadata travel in the header. Outputs are not in the text: on
the way back a code cell whose source did not change keeps the outputs it has
in the notebook, and a changed one loses them, for `make notebooks` to renew.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

HEADER = re.compile(
    r"^# %% \[(?P<kind>markdown|code|raw)\] id=(?P<id>\S+)"
    r"(?: nl=(?P<newlines>\d+))?(?: (?P<meta>\{.*\}))?$"
)
TITLE = "# notebook "
# A source line that looks like a header is pushed one "#" to the right.
LOOKS_LIKE_HEADER = re.compile(r"^(#+) %% ")
PUSHED = re.compile(r"^#(#+ %% )")
KEPT_APART = "widgets"  # the state of widgets is an output, not text


def one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def to_text(notebook: NotebookNode) -> str:
    """The notebook as text: a title line, then every cell."""
    meta = {k: v for k, v in notebook.metadata.items() if k != KEPT_APART}
    version = [notebook.nbformat, notebook.nbformat_minor]
    out = [TITLE + one_line({"nbformat": version, "metadata": meta}), ""]
    for cell in notebook.cells:
        out += [cell_header(cell), *escape(cell.source.rstrip("\n")), ""]
    return "\n".join(out) + "\n"


def cell_header(cell: NotebookNode) -> str:
    newlines = len(cell.source) - len(cell.source.rstrip("\n"))
    parts = [f"# %% [{cell.cell_type}] id={cell.id}"]
    if newlines:
        parts.append(f"nl={newlines}")
    if cell.metadata:
        parts.append(one_line(cell.metadata))
    return " ".join(parts)


def escape(source: str) -> list[str]:
    return [LOOKS_LIKE_HEADER.sub(r"#\1 %% ", x) for x in source.split("\n")]


def unescape(lines: list[str]) -> str:
    source = "\n".join(PUSHED.sub(r"\1", x) for x in lines)
    return source.rstrip("\n")


def from_text(text: str, old: NotebookNode | None = None) -> NotebookNode:
    """The notebook that a text describes.

    `old` is the notebook as it was: unchanged code cells take their outputs
    from it. Raises ValueError for a text without a title line or with a line
    that starts like a header and is none.
    """
    lines = text.removesuffix("\n").split("\n")
    if not lines[0].startswith(TITLE):
        raise ValueError(f"the first line must start with {TITLE!r}")
    title = json.loads(lines[0].removeprefix(TITLE))
    notebook = nbformat.from_dict(
        {
            "nbformat": title["nbformat"][0],
            "nbformat_minor": title["nbformat"][1],
            "metadata": title["metadata"],
            "cells": [read_cell(*x) for x in split_cells(lines)],
        }
    )
    if old is not None:
        keep_outputs(notebook, old)
    nbformat.validate(notebook)
    return notebook


def split_cells(lines: list[str]) -> list[tuple[re.Match[str], list[str]]]:
    cells: list[tuple[re.Match[str], list[str]]] = []
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("# %% "):
            header = HEADER.match(line)
            if header is None:
                raise ValueError(
                    f"line {number} is no header: {line!r}; a header reads"
                    ' `# %% [code] id=name {"tags": []}`'
                )
            cells.append((header, []))
        elif cells:
            cells[-1][1].append(line)
    return cells


def read_cell(header: re.Match[str], lines: list[str]) -> dict[str, Any]:
    source = unescape(lines) + "\n" * int(header["newlines"] or 0)
    cell: dict[str, Any] = {
        "cell_type": header["kind"],
        "id": header["id"],
        "metadata": json.loads(header["meta"] or "{}"),
        "source": source,
    }
    if header["kind"] == "code":
        cell |= {"outputs": [], "execution_count": None}
    return cell


def keep_outputs(new: NotebookNode, old: NotebookNode) -> None:
    """Unchanged cells keep their outputs, and the widgets their state."""
    before = {cell.id: cell for cell in old.cells}
    for cell in new.cells:
        was = before.get(cell.id)
        if was is None or was.cell_type != cell.cell_type:
            continue
        if "attachments" in was:
            cell.attachments = was.attachments
        if cell.cell_type == "code" and was.source == cell.source:
            cell.outputs = was.outputs
            cell.execution_count = was.execution_count
    if KEPT_APART in old.metadata:
        new.metadata[KEPT_APART] = old.metadata[KEPT_APART]


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def write(notebook: NotebookNode, path: Path) -> None:
    """Store a notebook the way all tools of this book store it."""
    text = nbformat.writes(notebook, version=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("action", choices=("show", "write"))
    parser.add_argument("notebook", type=Path)
    parser.add_argument("text", type=Path, nargs="?", help="default: stdin")
    args = parser.parse_args()
    if args.action == "show":
        sys.stdout.write(to_text(read(args.notebook)))
        return
    text = args.text.read_text("utf-8") if args.text else sys.stdin.read()
    old = read(args.notebook) if args.notebook.exists() else None
    write(from_text(text, old), args.notebook)


if __name__ == "__main__":
    main()
