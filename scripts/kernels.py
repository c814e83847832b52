"""Kernels that have what a reader of Colab has, and how a notebook gets one.

A notebook names in its first cell what it installs; its kernel is that of the
environment that holds this and no more (`scripts.alone`). Jupyter finds the
kernel through variables of one run, so nothing is left on the machine.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
from pathlib import Path

from nbformat import NotebookNode

from scripts import check

ROOT = Path(__file__).resolve().parent.parent
INSTALLS = re.compile(r"\bllm-utils\[([\w\s,.-]+)\]")

Extras = tuple[str, ...]


def extras_of(notebook: NotebookNode) -> Extras:
    """The extras that a notebook installs: ("hf",) for `llm-utils[hf] @ ...`.

    A reader runs every cell, so the notebook has all that its cells name.
    """
    code = (c.source for c in notebook.cells if c.cell_type == "code")
    named = ",".join(found for text in code for found in INSTALLS.findall(text))
    return tuple(sorted({x.strip().lower() for x in named.split(",")} - {""}))


def name_of(extras: Extras) -> str:
    return "-".join(extras) or "core"


def python_of(home: Path) -> Path:
    return home / "bin" / "python"


def prove(root: str) -> None:
    """All that is imported so far comes from here, nothing from `root`."""
    import sys
    from pathlib import Path

    import llm_utils

    here = [Path(p).resolve() for p in (sys.prefix, sys.base_prefix)]
    files = [getattr(m, "__file__", None) for m in list(sys.modules.values())]
    for name in [*sys.path, *filter(None, files)]:
        place = Path(name).resolve()
        own = any(home in place.parents for home in here)
        if Path(root) in [place, *place.parents] and not own:
            raise AssertionError(f"{name} is of the repository")
    home = Path(llm_utils.__file__).resolve().parent.parent
    if here[0] not in home.parents or home.name != "site-packages":
        raise AssertionError(f"llm_utils comes from {home}, not the wheel")


def proof() -> str:
    """`prove` as the text of a cell."""
    return f"{inspect.getsource(prove)}\n\nprove({str(ROOT)!r})"


def name_for(extras: Extras) -> str:
    return f"alone-{name_of(extras)}"


def write(extras: Extras, home: Path, folder: Path) -> None:
    """Tell Jupyter, through `folder`, how to start this kernel."""
    python = str(python_of(home))
    path = os.pathsep.join([str(home / "bin"), outer_path()])
    spec = {
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name_for(extras),
        "language": "python",
        "env": {"PATH": path, "VIRTUAL_ENV": str(home)},
    }
    file = folder / "kernels" / name_for(extras) / "kernel.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(spec), encoding="utf-8")


def outer_path() -> str:
    """PATH without the tools of the environment that runs the checks."""
    ours = Path(sys.executable).parent
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(p for p in places if Path(p) != ours)


def environment(folder: Path) -> dict[str, str]:
    """The variables of a run: one thread, no path or setting from outside.

    `folder` holds the kernels, and settings of IPython that nobody made.
    """
    names = ("PYTHON", "IPYTHON", "JUPYTER", "VIRTUAL_ENV", "PWD", "OLDPWD")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    ours = {"JUPYTER_PATH": str(folder), "IPYTHONDIR": str(folder / "ipython")}
    return check.ENVIRONMENT | kept | ours
