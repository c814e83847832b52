"""Run every stored notebook again and compare its outputs strictly.

Each notebook is copied, alone, into an empty folder outside the repository,
so that it cannot lean on a file of the book; nbval runs it there. Cells that
need what this machine cannot have run, but are not compared.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from scripts import cells, needs
from scripts.notebooks import ROOT, all_notebooks

SANITIZE = ROOT / "tests" / "book" / "sanitize.cfg"
IGNORE = "nbval-ignore-output"


def relax(notebook: nbformat.NotebookNode, unmet: dict[str, str]) -> int:
    """Leave the cells with an unmet need uncompared; how many there are."""
    count = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if set(tags) & set(unmet):
            count += IGNORE not in tags
            cell.metadata["tags"] = [*tags, IGNORE]
    return count


def prepare(paths: list[Path], folder: Path) -> list[Path]:
    """Copies of the notebooks, each alone in a folder of its own."""
    unmet, copies = needs.unmet(map(cells.read, paths)), []
    for path in paths:
        name = "-".join(path.relative_to(ROOT).with_suffix("").parts)
        copy = folder / name / path.name
        notebook = cells.read(path)
        count = relax(notebook, unmet)
        if count:
            why = "; ".join(unmet.values())
            print(f"skipped: {count} cells of {name} not compared: {why}")
        cells.write(notebook, copy)
        copies.append(copy)
    return copies


def nbval(copies: list[Path], folder: Path) -> int:
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "600"]
    options += ["--nbval-sanitize-with", str(SANITIZE)]
    # Without loadfile the cells of one notebook go to different processes.
    options += ["-n", str(min(2, len(copies))), "--dist", "loadfile"]
    options += ["-p", "no:cacheprovider", "--rootdir", str(folder), "-q"]
    options += ["-c", "/dev/null"]
    command = [sys.executable, "-m", "pytest", *options, *map(str, copies)]
    return subprocess.run(command, cwd=folder).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description="compare stored outputs")
    parser.add_argument("paths", nargs="*", type=Path, help="default: all")
    given = parser.parse_args().paths
    paths = [p.resolve() for p in given] or all_notebooks()
    with tempfile.TemporaryDirectory() as name:
        copies = prepare(paths, Path(name))
        return nbval(copies, Path(name)) if copies else 0


if __name__ == "__main__":
    sys.exit(main())
