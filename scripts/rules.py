"""The rules that every notebook of the book keeps.

A rule is a function: it returns one line for each place that breaks it.
`tests/book/test_rules.py` holds every notebook to all of them, and shows for
each rule, on a planted break, that it can fail.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from scripts.links import address, strays

Rule = Callable[[NotebookNode, Path], list[str]]
STAGES = ("text", "model", "train", "infer", "align", "appendix")
EVERYWHERE = {"notebook", "viz", "widgets", "checks", "assets"}
MOST_LINES = 40  # of a code cell
MOST_COLUMNS = 80
LEAST_ALT = 30  # characters: a sentence, not a file name
FIGURE = "image/png"


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def text_of(notebook: NotebookNode) -> str:
    cells = (c.source for c in notebook.cells if c.cell_type == "markdown")
    return "\n\n".join(cells)


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


def figures_speak(notebook: NotebookNode, path: Path) -> list[str]:
    """A figure has a name, a caption that says something, and alt text."""
    found = []
    for cell in code_cells(notebook):
        if not any(FIGURE in out.get("data", {}) for out in cell.outputs):
            continue
        meta = cell.metadata.get("mystnb", {})
        alt = meta.get("image", {}).get("alt", "")
        figure = meta.get("figure", {})
        if len(alt) < LEAST_ALT or " " not in alt:
            found.append(f"{cell.id}: alt text is no sentence: {alt!r}")
        if not figure.get("name"):
            found.append(f"{cell.id}: the figure has no name")
        if not figure.get("caption", "").rstrip().endswith((".", "?", "!")):
            found.append(f"{cell.id}: the caption is no sentence")
    return found


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
        cell.id
        for cell in cells
        if "nbval-ignore-output" in cell.metadata.get("tags", [])
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
            tree = ast.parse(without_magics(cell.source))
        except SyntaxError as error:
            found.append(f"{cell.id}: {error.msg}")
            continue
        found += [f"{cell.id}: {word}" for word in forbidden(tree)]
    return found


def without_magics(source: str) -> str:
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def forbidden(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield "global"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield "a bare except"
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in ("exec", "eval"):
            yield called.id


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a piece of code imports from llm_utils."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{a.name}" for a in node.names)


def imports_of_the_week(notebook: NotebookNode, path: Path) -> list[str]:
    """A notebook uses only what its week and the weeks before have built."""
    week = re.match(r"week\d+_(\w+)", path.parent.name)
    if week is None or week[1] not in STAGES:
        return []
    late = set(STAGES[STAGES.index(week[1]) + 1 :])
    found = []
    for cell in code_cells(notebook):
        for name in imported(ast.parse(without_magics(cell.source))):
            stage = name.removeprefix("llm_utils.").split(".")[0]
            if name.startswith("llm_utils.") and stage in late:
                found.append(f"{cell.id}: imports {name}")
    return found


def glued_once(notebook: NotebookNode, path: Path) -> list[str]:
    """Each glued name that the text quotes is there, exactly once."""
    given: list[str] = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            given += [name] if name else []
    quoted = set(re.findall(r"\{glue:?\w*\}`([\w-]+)[^`]*`", text_of(notebook)))
    found = [f"{n}: quoted, never glued" for n in sorted(quoted - set(given))]
    found += [f"{n}: glued, never quoted" for n in sorted(set(given) - quoted)]
    twice = sorted({n for n in given if given.count(n) > 1})
    return found + [f"{n}: glued twice" for n in twice]


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
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        opened = len(re.findall(r"<details\b", cell.source))
        closed = len(re.findall(r"</details>", cell.source))
        titles = len(re.findall(r"<summary>.+?</summary>", cell.source, re.S))
        if not opened == closed == titles:
            found.append(f"{cell.id}: a <details> lacks its end or its title")
        if re.search(r"</summary>[ \t]*\n[ \t]*\S", cell.source):
            found.append(f"{cell.id}: no empty line after </summary>")
    return found


def own_address(notebook: NotebookNode, path: Path) -> list[str]:
    """Launch links point into this book's own repository."""
    sources = "\n".join(cell.source for cell in notebook.cells)
    return [f"points to {slug}" for slug in strays(sources, address())]


RULES: tuple[Rule, ...] = (
    unique_ids,
    all_run,
    not_run,
    figures_speak,
    cells_fit,
    few_ignored,
    skips_agree,
    clean_code,
    imports_of_the_week,
    glued_once,
    footnotes_match,
    folds_close,
    own_address,
)
