"""Rules of form: ids, runs, lengths, tags, folds, and how it is stored."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from scripts.notebooks import normalize
from scripts.rules.notebook import code_cells, text_cells, text_of, tree_of

MOST_LINES = 40  # of a code cell
MOST_COLUMNS = 80
IGNORED = "nbval-ignore-output"
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")


def unique_ids(notebook: NotebookNode, path: Path) -> list[str]:
    """Every cell has an id of its own that a reader could say aloud."""
    ids = [cell.id for cell in notebook.cells]
    found = [f"{i}: two cells have this id" for i in sorted(set(ids))
             if ids.count(i) > 1]  # fmt: skip
    return found + [
        f"{i}: an id is words, not a hash" for i in ids
        if re.fullmatch(r"[0-9a-f]{8,}", i)
    ]  # fmt: skip


def all_run(notebook: NotebookNode, path: Path) -> list[str]:
    """Every code cell was run once, from top to bottom, without an error."""
    if "exercises" in path.parts:
        return []
    found, expected = [], 1
    for cell in code_cells(notebook):
        if not cell.source.strip():
            found.append(f"{cell.id}: an empty code cell")
            continue
        if cell.execution_count != expected:
            found.append(f"{cell.id}: run as {cell.execution_count}")
        expected = (cell.execution_count or expected) + 1
        if any(output.output_type == "error" for output in cell.outputs):
            found.append(f"{cell.id}: stores an error")
        if any(output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"{cell.id}: stores a warning, which a reader sees")
        texts = [output.get("text", "") for output in cell.outputs]
        if any(map(UNPRINTABLE.search, texts)):
            found.append(f"{cell.id}: stores what LaTeX cannot print")
    return found


def not_run(notebook: NotebookNode, path: Path) -> list[str]:
    """An exercise is stored as its reader gets it: without any output."""
    if "exercises" not in path.parts:
        return []
    return [
        f"{cell.id}: stores outputs"
        for cell in code_cells(notebook)
        if cell.outputs or cell.execution_count is not None
    ]


def cells_fit(notebook: NotebookNode, path: Path) -> list[str]:
    """Code fits a page: at most 40 lines, 80 columns."""
    found = []
    for cell in code_cells(notebook):
        lines = cell.source.split("\n")
        if len(lines) > MOST_LINES:
            found.append(f"{cell.id}: {len(lines)} lines")
        found += [
            f"{cell.id}: a line of {len(line)} columns"
            for line in lines
            if len(line) > MOST_COLUMNS
        ]
    return found


def few_ignored(notebook: NotebookNode, path: Path) -> list[str]:
    """Fewer than one code cell in six keeps its output uncompared."""
    cells = list(code_cells(notebook))
    ignored = [
        cell.id for cell in cells if IGNORED in cell.metadata.get("tags", [])
    ]
    if cells and len(ignored) * 6 >= len(cells):
        return [f"{len(ignored)} of {len(cells)} cells are not compared"]
    return []


def skips_agree(notebook: NotebookNode, path: Path) -> list[str]:
    """nbval and nbclient each read a tag of their own for skipped cells."""
    pair = {"nbval-skip", "skip-execution"}
    return [
        f"{cell.id}: has one of {sorted(pair)} without the other"
        for cell in code_cells(notebook)
        if len(pair & set(cell.metadata.get("tags", []))) == 1
    ]


def clean_code(notebook: NotebookNode, path: Path) -> list[str]:
    """What the package may not do, notebooks do not teach."""
    found = []
    for cell in code_cells(notebook):
        try:
            tree = tree_of(cell)
        except SyntaxError as error:
            found.append(f"{cell.id}: {error.msg}")
            continue
        found += [f"{cell.id}: {word}" for word in forbidden(tree)]
    return found


def forbidden(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield "global"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield "a bare except"
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in ("exec", "eval"):
            yield called.id


def footnotes_match(notebook: NotebookNode, path: Path) -> list[str]:
    """Every footnote mark has its note, and every note its mark."""
    text = re.sub(r"`[^`\n]*`", "", text_of(notebook))
    notes = set(re.findall(r"^\[\^([\w-]+)\]:", text, re.MULTILINE))
    marks = set(re.findall(r"\[\^([\w-]+)\](?!:)", text))
    return [
        f"footnote {n} has no note or no mark" for n in sorted(notes ^ marks)
    ]


def folds_close(notebook: NotebookNode, path: Path) -> list[str]:
    """Each <details> is closed and has a summary; Markdown gets its lines."""
    found = []
    for cell in text_cells(notebook):
        opened = len(re.findall(r"<details\b", cell.source))
        closed = len(re.findall(r"</details>", cell.source))
        titles = len(re.findall(r"<summary>.+?</summary>", cell.source, re.S))
        if not opened == closed == titles:
            found.append(f"{cell.id}: a <details> lacks its end or its title")
        if re.search(r"</summary>[ \t]*\n[ \t]*\S", cell.source):
            found.append(f"{cell.id}: no empty line after </summary>")
    return found


def in_normal_form(notebook: NotebookNode, path: Path) -> list[str]:
    """It is stored as `make notebooks` stores it, so a refresh moves nothing.

    No times, no version of Python, no pieces of one stream, no widget ids
    that a kernel chose.
    """
    again = normalize(copy.deepcopy(notebook))
    found = [
        f"{new.id}: is not in its normal form"
        for old, new in zip(notebook.cells, again.cells, strict=True)
        if old != new
    ]
    if notebook.metadata != again.metadata:
        found.append("the notebook's metadata are not in their normal form")
    return found
