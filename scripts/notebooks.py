"""Run the notebooks of chapters/ and solutions/ and store their outputs.

    python -m scripts.notebooks                 those that changed
    python -m scripts.notebooks --force [PATHS] these, or all

A notebook runs again when its code, the package or the lock file changed.
What is stored is the same on every machine: no times of execution, no Python
version, widget ids by order of appearance. Run twice, nothing changes but the
cells whose output varies by nature, which carry `nbval-ignore-output`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from scripts import cells, needs

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("chapters", "solutions")
STAMPS = ROOT / ".cache" / "notebooks.json"
TIMEOUT = 600  # seconds a cell
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
IGNORED = "nbval-ignore-output"
WIDGETS = "application/vnd.jupyter.widget-state+json"


def all_notebooks() -> list[Path]:
    """The notebooks whose outputs are stored."""
    paths = (p for f in FOLDERS for p in (ROOT / f).rglob("*.ipynb"))
    return sorted(p for p in paths if ".ipynb_checkpoints" not in p.parts)


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighboring pieces of one stream as one: where they split is chance."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        stream = output.output_type == "stream"
        if stream and last is not None and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def widget_ids(notebook: NotebookNode) -> list[str]:
    """Ids of the stored widget models: those shown first, in order."""
    state = notebook.metadata.get("widgets", {}).get(WIDGETS, {})
    models = state.get("state", {})
    shown = json.dumps(notebook.cells)
    order = {name: shown.find(name) for name in models}

    def place(name: str) -> tuple[bool, int, str]:
        content = json.dumps(models[name], sort_keys=True)
        for other in models:
            content = content.replace(other, "")
        return order[name] < 0, order[name], content

    return sorted(models, key=place)


def normalize(notebook: NotebookNode) -> NotebookNode:
    """The notebook without what differs from run to run or by machine."""
    notebook.metadata["kernelspec"] = dict(KERNEL)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
    text = nbformat.writes(notebook, version=4)
    for number, name in enumerate(widget_ids(notebook)):
        text = text.replace(name, f"{number:032x}")
    fresh = nbformat.reads(text, as_version=4)
    states = fresh.metadata.get("widgets", {}).get(WIDGETS, {})
    if "state" in states:
        states["state"] = dict(sorted(states["state"].items()))
    return fresh


def execute(path: Path) -> NotebookNode:
    """Run one notebook from its own folder, in a fresh kernel.

    Raises CellExecutionError for a cell that fails.
    """
    notebook = cells.read(path)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources=resources,
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors alone
    )
    return normalize(client.execute())


def fingerprint(path: Path) -> str:
    """A hash of what decides the outputs: code, package, lock file."""
    digest = hashlib.sha256()
    for cell in cells.read(path).cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    package = sorted((ROOT / "llm_utils").rglob("*"))
    for file in [*package, ROOT / "requirements.lock"]:
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def has_all_outputs(path: Path) -> bool:
    code = [c for c in cells.read(path).cells if c.cell_type == "code"]
    return all(c.execution_count is not None for c in code if c.source.strip())


def unstable(before: NotebookNode, after: NotebookNode) -> list[str]:
    """Cells that gave another output when run again, and do not say so."""
    first = {c.id: (c.source, c.get("outputs")) for c in before.cells}
    return [
        f"{cell.id}: its output changes from run to run"
        for cell in after.cells
        if cell.cell_type == "code"
        and IGNORED not in cell.metadata.get("tags", [])
        and cell.id in first
        and first[cell.id][0] == cell.source
        and first[cell.id][1] != cell.outputs
    ]


def load_stamps() -> dict[str, Any]:
    return json.loads(STAMPS.read_text()) if STAMPS.exists() else {}


def refresh(path: Path, stamps: dict[str, Any], force: bool) -> None:
    """Run a notebook unless its stamp says that nothing changed."""
    name = path.relative_to(ROOT).as_posix()
    now = fingerprint(path)
    if not force and stamps.get(name) == now and has_all_outputs(path):
        print(f"  {name} is up to date", flush=True)
        return
    print(f"  running {name} ...", flush=True)
    start, before, after = time.monotonic(), cells.read(path), execute(path)
    unmet = needs.unmet([before])
    kept = needs.keep_outputs(before, after, unmet)
    if kept:
        why = "; ".join(unmet.values())
        print(f"  {kept} cells keep their stored outputs: {why}", flush=True)
    cells.write(after, path)
    for line in unstable(before, after) if force else []:
        print(f"  {line}", flush=True)
    stamps[name] = now
    STAMPS.parent.mkdir(parents=True, exist_ok=True)
    STAMPS.write_text(json.dumps(stamps, indent=1, sort_keys=True))
    print(f"  {name} ran in {time.monotonic() - start:.0f} s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="run and store notebooks")
    parser.add_argument("paths", nargs="*", type=Path, help="default: all")
    parser.add_argument("--force", action="store_true", help="run in any case")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    stamps = load_stamps()
    for path in [p.resolve() for p in args.paths] or all_notebooks():
        try:
            refresh(path, stamps, args.force)
        except CellExecutionError as error:
            print(f"{path.name} stopped:\n{error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
