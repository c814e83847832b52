"""Starting several processes from a notebook, which is one.

Chapter 9 uses it; in a terminal one types `torchrun` itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def torchrun(script: Path | str, *words: str, ranks: int = 2) -> Any:
    """Run a script in so many processes; -> the JSON that it printed last.

    As `torchrun --standalone --nproc-per-node RANKS SCRIPT WORDS` does, one
    thread to a process. RuntimeError, with the end of what it said, when one
    of them fails or prints no JSON. Chapter 9.
    """
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={ranks}", str(script), *words]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-2000:]}")
    try:
        return json.loads(lines[-1])
    except json.JSONDecodeError as error:
        raise RuntimeError(
            f"{script} ended with {lines[-1]!r}: print json.dumps(...) last, "
            "on one rank"
        ) from error
