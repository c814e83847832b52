"""The package's wheel: built from a tree, and whether it is that tree.

`pip install git+...` on Colab builds the same wheel, so what it lacks no
reader has, and what it holds besides the package every reader gets.
"""

from __future__ import annotations

import re
import sys
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

from scripts.versions import run

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "llm_utils"
NO_PART = re.compile(r"(^|/)(__pycache__/|\.)")


def build(folder: Path, root: Path = ROOT) -> Path:
    """The wheel of a tree, built with what is installed: no network."""
    hatchling = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    run([*hatchling, "-d", str(folder)], cwd=root)
    return next(folder.glob("*.whl"))


def metadata(wheel: Path) -> Message:
    """What the wheel says of itself: Requires-Dist, Provides-Extra ..."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (
            n for n in archive.namelist() if n.endswith(".dist-info/METADATA")
        )
        return BytesParser().parsebytes(archive.read(name))


def faults(wheel: Path, root: Path = ROOT) -> list[str]:
    """Where the wheel is not the package: each file of it, nothing else."""
    package = {}
    for path in sorted((root / PACKAGE).rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not NO_PART.search(name):
            package[name] = path.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    about = {n for n in held if n.split("/")[0].endswith(".dist-info")}
    return (
        [f"lacks {n}" for n in sorted(package.keys() - held.keys())]
        + [f"holds {n}" for n in sorted(held.keys() - about - package.keys())]
        + [f"has another {n}" for n in package if held.get(n) not in
           (None, package[n])]
    )  # fmt: skip
