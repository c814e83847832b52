"""Resolve requirements.lock: the exact packages that the checks use.

One file serves Linux, macOS and Windows and Python 3.10 to 3.13. PyTorch's
CUDA parts are left out: where the wheel of PyTorch that a machine installs
needs them, pip brings them in; where it is the CPU's, nobody pays for them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
TORCH = "2.13.0"
HEADER = """\
# The exact packages that the checks of this book use, on Python 3.10 to 3.13.
# Written by `make lock` from pyproject.toml; do not edit by hand.
"""
GPU_PARTS = re.compile(r"^(nvidia|cuda|triton|torch-c)")


def resolve() -> str:
    """What uv makes of pyproject.toml with every extra."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "compile", "--quiet", "--universal", "--no-header"]
    command += ["--no-annotate", "--python-version", "3.10", "--upgrade"]
    command += ["--all-extras", "--constraint", "-", "pyproject.toml"]
    run = subprocess.run(
        command, cwd=ROOT, input=f"torch=={TORCH}\n", text=True,
        capture_output=True,
    )  # fmt: skip
    if run.returncode:
        sys.exit(f"uv found no set of packages that fits:\n{run.stderr}")
    return run.stdout


def without_gpu_parts(resolved: str) -> str:
    lines = resolved.splitlines()
    return "\n".join(x for x in lines if not GPU_PARTS.match(x)) + "\n"


def main() -> None:
    LOCK.write_text(HEADER + without_gpu_parts(resolve()), encoding="utf-8")
    print(f"  {LOCK.name}: {len(LOCK.read_text().splitlines()) - 2} packages")


if __name__ == "__main__":
    main()
