"""Write exercises/ from solutions/: the same notebooks, less the solutions.

    python -m scripts.exercises           write
    python -m scripts.exercises --check   fail if anything would change

What counts as a solution:

- in code, the lines between `### BEGIN SOLUTION` and `### END SOLUTION`;
  in text, those between `<!-- BEGIN SOLUTION -->` and `<!-- END SOLUTION -->`;
- a cell tagged `solution-only`.

The title `# Solutions: ...` becomes `# Exercises: ...`, labels `(sol-x)=`
become `(ex-x)=`, and a launch badge (`.../blob/main/solutions/...`) follows
the notebook to its new folder.
Cell ids, tags and the order of everything else stay.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from scripts import cells

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS, EXERCISES = ROOT / "solutions", ROOT / "exercises"
BEGIN = re.compile(r"^(\s*)(?:#+|<!--) *BEGIN SOLUTION\b")
END = re.compile(r"^\s*(?:#+|<!--) *END SOLUTION\b")
CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError")
TEXT_STUB = ("*Your answer here.*",)
RENAMED = (
    (re.compile(r"^# Solutions:", re.MULTILINE), "# Exercises:"),
    (re.compile(r"^\(sol-([\w-]+)\)=", re.MULTILINE), r"(ex-\1)="),
    (re.compile(r"(/blob/[\w.-]+/)solutions/"), r"\1exercises/"),
)


def strip_source(source: str, stub: tuple[str, ...], where: str) -> str:
    """The source with each marked solution replaced by the stub.

    Raises ValueError for a marker without its partner.
    """
    out: list[str] = []
    opened = False
    for line in source.split("\n"):
        begin = BEGIN.match(line)
        if (begin and opened) or (END.match(line) and not opened):
            raise ValueError(f"{where}: {line.strip()!r} has no partner")
        if begin:
            out += [begin.group(1) + text for text in stub]
            opened = True
        elif END.match(line):
            opened = False
        elif not opened:
            out.append(line)
    if opened:
        raise ValueError(f"{where}: a solution begins and never ends")
    return "\n".join(out)


def strip_cell(cell: NotebookNode, where: str) -> NotebookNode:
    """One cell as the reader of the exercises gets it."""
    code = cell.cell_type == "code"
    stub = CODE_STUB if code else TEXT_STUB
    cell.source = strip_source(cell.source, stub, f"{where}, cell {cell.id}")
    for pattern, new in RENAMED:
        cell.source = pattern.sub(new, cell.source)
    if code:
        cell.outputs, cell.execution_count = [], None
    cell.metadata.pop("execution", None)
    return cell


def convert(path: Path) -> str:
    """The text of the exercise notebook that belongs to a solution."""
    notebook = cells.read(path)
    notebook.cells = [
        strip_cell(cell, path.name)
        for cell in notebook.cells
        if "solution-only" not in cell.metadata.get("tags", [])
    ]
    notebook.metadata.pop("widgets", None)
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def wanted() -> dict[Path, str]:
    """Every exercise notebook there should be, and its text."""
    return {
        EXERCISES / path.relative_to(SOLUTIONS): convert(path)
        for path in sorted(SOLUTIONS.rglob("*.ipynb"))
        if ".ipynb_checkpoints" not in path.parts
    }


def stale(texts: dict[Path, str]) -> list[Path]:
    """Exercises that differ from their solution, or have none."""
    changed = [
        path
        for path, text in texts.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    there = EXERCISES.rglob("*.ipynb")
    orphans = [p for p in there if p not in texts and p.is_file()]
    return changed + [p for p in orphans if ".ipynb_checkpoints" not in p.parts]


def main() -> int:
    parser = argparse.ArgumentParser(description="exercises from solutions")
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    texts = wanted()
    paths = stale(texts)
    for path in paths:
        print(f"  {path.relative_to(ROOT)} {'differs' if check else 'written'}")
        if not check and path in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
        elif not check:
            path.unlink()
    if check and paths:
        print("`make exercises` writes them anew from solutions/.")
    return 1 if check and paths else 0


if __name__ == "__main__":
    sys.exit(main())
