"""Run every stored notebook again and compare its outputs strictly.

Each notebook is copied, alone, into an empty folder outside the repository,
so that it cannot lean on a file of the book; nbval runs it there. Cells that
need what this machine cannot have (see NEEDS) run, but are not compared.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat

from scripts import cells
from scripts.notebooks import ROOT, all_notebooks

SANITIZE = ROOT / "tests" / "book" / "sanitize.cfg"
IGNORE = "nbval-ignore-output"


def has_gpt2() -> bool:
    """Whether GPT-2's real vocabulary is cached here or can be fetched."""
    code = "from llm_utils.text.bpe import ByteBPE; ByteBPE.gpt2()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True)
    return run.returncode == 0


# tag of a cell: how to find out, and what is missing
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "needs-gpt2": (
        has_gpt2,
        "GPT-2's vocabulary is neither cached nor reached",
    ),
}


def missing(tags: set[str]) -> dict[str, str]:
    """Of the tags that name a need, those that cannot be met, and why."""
    return {
        tag: why
        for tag, (found, why) in NEEDS.items()
        if tag in tags and not found()
    }


def relax(notebook: nbformat.NotebookNode, unmet: dict[str, str]) -> int:
    """Leave the cells with an unmet need uncompared; how many there are."""
    count = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if set(tags) & set(unmet):
            count += IGNORE not in tags
            cell.metadata["tags"] = [*tags, IGNORE]
    return count


def tags_of(paths: list[Path]) -> set[str]:
    notebooks = (cells.read(path) for path in paths)
    found = (c.metadata.get("tags", []) for nb in notebooks for c in nb.cells)
    return {tag for tags in found for tag in tags}


def prepare(paths: list[Path], folder: Path) -> list[Path]:
    """Copies of the notebooks, each alone in a folder of its own."""
    unmet, copies = missing(tags_of(paths)), []
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
