"""Rules of code: what a notebook imports, and what source it shows."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from llm_utils import notebook as shows
from scripts.rules.notebook import (
    ROOT,
    calls,
    chapter_number,
    code_cells,
    tree_of,
)

STAGES = (
    "text", "model", "train", "infer", "align", "capstone", "appendix",
)  # fmt: skip
PACKAGE = "llm_utils."


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a piece of code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{a.name}" for a in node.names)


def own_imports(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """(cell id, name below llm_utils) of all that comes from the package."""
    for cell in code_cells(notebook):
        for name in imported(tree_of(cell)):
            if name.startswith(PACKAGE):
                yield cell.id, name.removeprefix(PACKAGE)


def imports_of_the_week(notebook: NotebookNode, path: Path) -> list[str]:
    """A notebook uses only what its week and the weeks before have built."""
    week = re.match(r"week\d+_(\w+)", path.parent.name)
    if week is None or week[1] not in STAGES:
        return []
    late = set(STAGES[STAGES.index(week[1]) + 1 :])
    return [
        f"{where}: imports llm_utils.{name}"
        for where, name in own_imports(notebook)
        if name.split(".")[0] in late
    ]


def file_of(name: str, root: Path = ROOT) -> Path | None:
    """The file of the module that a dotted name below llm_utils lies in."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        base = (root / "llm_utils").joinpath(*parts[:n])
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file
    return None


@cache
def chapter_of(file: Path) -> int | None:
    """The chapter that derives a module: the first its docstring names."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = re.search(r"[Cc]hapter\s+(\d+)", ast.get_docstring(tree) or "")
    return int(found[1]) if found else None


def imports_of_the_chapter(notebook: NotebookNode, path: Path) -> list[str]:
    """Within a stage, a notebook uses no module that a later chapter derives.

    Which chapter that is, the module's docstring says. A package whose
    docstring names none is open to its whole week.
    """
    here, found = chapter_number(path), []
    for where, name in own_imports(notebook):
        file = file_of(name)
        derived = chapter_of(file) if file else None
        if here and derived and derived > here:
            found.append(f"{where}: llm_utils.{name} is of chapter {derived}")
    return found


def checks_of_its_own(notebook: NotebookNode, path: Path) -> list[str]:
    """An exercise is checked by the checks of its own chapter."""
    topic = re.sub(r"^(\d+|[A-Z])_", "", path.stem)
    return [
        f"{where}: imports llm_utils.{name}"
        for where, name in own_imports(notebook)
        if re.match(r"checks\.(?!exercise\b|result\b)", name)
        and name.split(".")[1] != topic
    ]


def origins(notebook: NotebookNode) -> dict[str, tuple[str, str]]:
    """What each imported name stands for: (module, attribute or "")."""
    found: dict[str, tuple[str, str]] = {}
    for cell in code_cells(notebook):
        for node in ast.walk(tree_of(cell)):
            if isinstance(node, ast.ImportFrom) and node.module:
                for a in node.names:
                    found[a.asname or a.name] = (node.module, a.name)
            if isinstance(node, ast.Import):
                for a in node.names:
                    if a.asname or "." not in a.name:
                        found[a.asname or a.name] = (a.name, "")
    return found


def resolve(node: ast.expr, known: dict[str, tuple[str, str]]) -> Any:
    """The object that `name` or `name.attribute` stands for.

    Raises LookupError for a name that no cell imports.
    """
    if isinstance(node, ast.Attribute):
        return getattr(resolve(node.value, known), node.attr)
    if not isinstance(node, ast.Name) or node.id not in known:
        raise LookupError(f"{ast.unparse(node)} is imported nowhere")
    module, attribute = known[node.id]
    found = importlib.import_module(module)
    if not attribute:
        return found
    if not hasattr(found, attribute):  # a submodule
        return importlib.import_module(f"{module}.{attribute}")
    return getattr(found, attribute)


def definitions(notebook: NotebookNode) -> dict[str, str]:
    """The source of each function and class that a cell defines."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {
        node.name: ast.get_source_segment(cell.source, node) or ""
        for cell in code_cells(notebook)
        for node in tree_of(cell).body
        if isinstance(node, kinds)
    }


def source_is_of_today(notebook: NotebookNode, path: Path) -> list[str]:
    """What `show_source` and `show_delta` show is the package as it is now."""
    if "exercises" in path.parts:
        return []  # stored without outputs
    known, own, found = origins(notebook), definitions(notebook), []
    for cell in code_cells(notebook):
        data = [output.get("data", {}) for output in cell.outputs]
        stored = [d["text/markdown"] for d in data if "text/markdown" in d]
        for call in calls(tree_of(cell), "show_source", "show_delta"):
            if not any(is_today(call, text, known, own) for text in stored):
                shown = ast.unparse(call)
                found.append(f"{cell.id}: {shown} gives another source now")
    return found


def is_today(
    call: ast.Call,
    stored: str,
    known: dict[str, tuple[str, str]],
    own: dict[str, str],
) -> bool:
    """Whether a stored output is what the call gives today."""
    assert isinstance(call.func, ast.Name)
    if call.func.id == "show_delta" and any(
        isinstance(a, ast.Name) and a.id in own for a in call.args
    ):
        return delta_is_today(call.args, stored, known, own)
    options = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
    objects = [resolve(a, known) for a in call.args]
    return stored == getattr(shows, call.func.id)(*objects, **options).data


def delta_is_today(
    args: list[ast.expr],
    stored: str,
    known: dict[str, tuple[str, str]],
    own: dict[str, str],
) -> bool:
    """A stored delta's lines stand, in order, in what it compares."""
    lines = [x for x in stored.split("\n") if x[:1] in ("+", "-", " ")]
    for arg, mark in zip(args, "-+", strict=True):
        mine = isinstance(arg, ast.Name) and arg.id in own
        source = (
            own[ast.unparse(arg)] if mine
            else shows.source_of(resolve(arg, known), False)
        )  # fmt: skip
        left = iter(source.split("\n"))
        if not all(x[1:] in left for x in lines if x[0] in (mark, " ")):
            return False
    return bool(lines)
