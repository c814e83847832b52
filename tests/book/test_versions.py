"""Every Python that is promised, as far as this machine has it.

The short part: each Python found here compiles the sources, imports what
needs no package, and tells TinyWorld's stories byte for byte alike. The long
part, with packages, is `python -m scripts.versions`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import versions

ROOT = versions.ROOT
FOUND = versions.interpreters()
# Runs in any Python, without a package: compiles, imports, tells stories.
SMOKE = """
import hashlib, random, sys
from pathlib import Path
sys.dont_write_bytecode = True
root = Path(sys.argv[1])
sys.path.insert(0, str(root))
for folder in ("llm_utils", "scripts", "benchmarks", "book"):
    for path in sorted((root / folder).rglob("*.py")):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
import llm_utils.checks, llm_utils.notebook
from llm_utils.text.tinyworld import LEVELS, TinyWorld
digest = hashlib.sha256()
for level in LEVELS:
    world = TinyWorld(level)
    for story in world.stories(60, seed=1):
        digest.update(story.text.encode() + b"\\0")
        digest.update(f"{story.log_prob:.9f}".encode())
        if not all(s.true for s in world.judge(story.text).sentences):
            sys.exit(story.text)
print(digest.hexdigest())
"""


def smoke(python: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run SMOKE in a Python that sees no package of this environment."""
    command = [python, "-I", "-S", "-W", "error", "-c", SMOKE, str(root)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def here() -> str:
    done = smoke(sys.executable)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", versions.SUPPORTED)
def test_the_same_stories_on_every_python(version: str, here: str) -> None:
    if version not in FOUND:
        pytest.skip(f"there is no Python {version} here")
    done = smoke(FOUND[version])
    assert done.returncode == 0, done.stderr
    assert done.stdout == here


def test_stories_that_depend_on_the_machine_are_found(
    tmp_path: Path, here: str
) -> None:
    shutil.copytree(ROOT / "llm_utils", tmp_path / "llm_utils")
    world = tmp_path / "llm_utils" / "text" / "tinyworld" / "world.py"
    source, seeded = world.read_text("utf-8"), "rng = random.Random(seed)"
    assert seeded in source
    # Python hashes a str anew in each process, so sets of them are reordered.
    world.write_text(
        source.replace(seeded, "rng = random.Random(hash('Mia'))"), "utf-8"
    )
    done = smoke(sys.executable, tmp_path)
    assert done.returncode == 0 and done.stdout != here


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("scripts/new.py", "match = 1\nx = f'{match!r'"),
        ("llm_utils/checks/__init__.py", "import numpy"),
        ("llm_utils/notebook.py", "import torch"),
    ],
)
def test_what_an_old_python_cannot_read_is_found(
    tmp_path: Path, file: str, planted: str
) -> None:
    for folder in ("llm_utils/checks", "scripts"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("llm_utils/checks/__init__.py", "llm_utils/notebook.py"):
        (tmp_path / name).touch()
    (tmp_path / file).write_text(planted)
    done = smoke(sys.executable, tmp_path)
    assert done.returncode and planted.split()[-1][:5] in done.stderr


def test_the_promise_has_one_wording() -> None:
    low, high = versions.SUPPORTED[0], versions.SUPPORTED[-1]
    after = f"3.{int(high.split('.')[1]) + 1}"
    assert f'requires-python = ">={low}"' in text("pyproject.toml")
    assert f"python >={low},<{after}" in text("environment.yml")
    assert f"Python {low} to {high}" in text("requirements.lock")
    assert f"Python {low} or" in " ".join(text("README.md").split())


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_no_command_is_no_python() -> None:
    assert versions.version_of("no-such-python") is None
    assert versions.version_of("false") is None


def test_tests_that_need_pytorch_are_known() -> None:
    assert versions.imports_torch("import os\nimport torch.nn as nn")
    assert versions.imports_torch("from torch import Tensor")
    assert not versions.imports_torch("import torchless")
    assert not versions.imports_torch("def f():\n    import torch")


def test_pytorch_comes_only_when_asked_for() -> None:
    names = [versions.name_of(r) for r in versions.requirements()]
    assert "torch" not in names and {"regex", *versions.TESTING} <= set(names)
    assert versions.requirements("torch==9")[-1] == "torch==9"
    assert versions.requirements("")[-1].startswith("torch>=")


def test_a_failing_tool_stops_the_run_and_is_heard() -> None:
    assert versions.run([sys.executable, "-c", "print(3)"]) == "3\n"
    with pytest.raises(SystemExit, match="no such moon"):
        versions.run([sys.executable, "-c", "exit('no such moon')"])
