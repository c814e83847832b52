"""Run every stored notebook again and compare its outputs strictly.

Each notebook is copied, alone, into an empty folder outside the repository and
runs in a virtual environment that holds the package's wheel and no checkout
(`scripts.alone`), so that it cannot lean on a file of the book: what passes
here works on Colab. nbval compares. Cells that need what this machine cannot
have run, but are not compared.

    python -m scripts.check_notebooks [PATHS]
    python -m scripts.check_notebooks --python 3.12   another, where it is here
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from nbformat.v4 import new_code_cell

from scripts import alone, cells, kernels, needs, versions, wheel
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


def isolate(notebook: nbformat.NotebookNode) -> None:
    """Name the kernel that has what this notebook installs, and no more.

    A last cell proves that nothing was imported from the repository.
    """
    kernel = kernels.name_for(kernels.extras_of(notebook))
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    notebook.metadata["kernelspec"] = spec
    notebook.cells.append(new_code_cell(kernels.proof(), id="alone"))


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
        isolate(notebook)
        cells.write(notebook, copy)
        copies.append(copy)
    return copies


def nbval(copies: list[Path], folder: Path) -> int:
    """Run copies, which are in `folder`, in the kernels that it describes.

    Returns 0 if every output agrees, and no cell was left out.
    """
    report = folder / "report.xml"
    options = ["--nbval", "--nbval-cell-timeout", "600"]
    options += ["--nbval-sanitize-with", str(SANITIZE)]
    # Without loadfile the cells of one notebook go to different processes.
    options += ["-n", str(min(2, len(copies))), "--dist", "loadfile"]
    options += ["-p", "no:cacheprovider", "--rootdir", str(folder), "-q"]
    options += ["-c", "/dev/null", "--junitxml", str(report)]
    command = [sys.executable, "-m", "pytest", *options, *map(str, copies)]
    env = kernels.environment(folder)
    status = subprocess.run(command, cwd=folder, env=env).returncode
    if status:
        return status
    notebooks = map(cells.read, copies)
    due = sum(c.cell_type == "code" for nb in notebooks for c in nb.cells)
    ran = len(list(ElementTree.parse(report).iter("testcase")))
    if ran != due:
        print(f"{due} cells were to run, and {ran} ran")
    return int(ran != due)


def make_kernels(
    paths: list[Path], folder: Path, python: str = alone.HERE
) -> dict[kernels.Extras, Path]:
    """The environments that the notebooks need, each with today's wheel.

    Raises RuntimeError or ValueError where one cannot be had.
    """
    built = wheel.build(folder / "dist")
    faults = wheel.faults(built)
    if faults:
        raise ValueError(f"the wheel {'; it '.join(faults)}")
    wanted = sorted({kernels.extras_of(cells.read(path)) for path in paths})
    homes = {extras: alone.ready(extras, built, python) for extras in wanted}
    for extras, home in homes.items():
        kernels.write(extras, home, folder)
    return homes


def run(paths: list[Path], folder: Path, python: str = alone.HERE) -> int:
    """Compare these notebooks; 0 if all agree and none installed a package."""
    homes = make_kernels(paths, folder, python)
    status = nbval(prepare(paths, folder / "notebooks"), folder)
    for extras, home in homes.items():
        for fault in alone.unfit(home, extras):
            print(f"after the notebooks {home.name} {fault}")
            status = status or 1
    return status


def main() -> int:
    parser = argparse.ArgumentParser(description="compare stored outputs")
    parser.add_argument("paths", nargs="*", type=Path, help="default: all")
    found = versions.interpreters()
    parser.add_argument("--python", choices=found, help="default: this one")
    args = parser.parse_args()
    paths = [p.resolve() for p in args.paths] or all_notebooks()
    if not paths:
        return 0
    python = found[args.python] if args.python else alone.HERE
    with alone.one_at_a_time(), tempfile.TemporaryDirectory() as name:
        try:
            return run(paths, Path(name).resolve(), python)
        except (RuntimeError, ValueError) as error:
            print(error, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
