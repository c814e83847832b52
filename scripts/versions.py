"""Try the package under other Pythons, and with the oldest packages allowed.

    python -m scripts.versions             each Python found, packages as locked
    python -m scripts.versions --lowest    the oldest Python, lowest versions
    python -m scripts.versions --python 3.11 --torch torch==2.13.0

Each Python gets a throw-away virtual environment with the package's wheel in
it and runs the tests of the package, not of the book. PyTorch is gigabytes on
many machines, so it takes part only with `--torch` (alone: the range that
pyproject.toml gives); without it the tests that import it are left out, by
name. Takes minutes: `make test` runs only the short part, in
`tests/book/test_versions.py`.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.10", "3.11", "3.12", "3.13")
HEAVY = "torch"
# Of the extra `test`, what the tests of the package itself import.
TESTING = ("pytest", "pytest-xdist", "hypothesis", "transformers", "tokenizers")
BOOK = ROOT / "tests" / "book"  # needs the whole of the book's tools


def version_of(python: str) -> str | None:
    """Which Python a command starts, as in "3.12", or None for no Python."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        run = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() if run.returncode == 0 else None


def candidates(version: str) -> Iterable[str]:
    """Commands that may start this Python: this one, PATH, then pyenv."""
    yield sys.executable
    yield from filter(None, [shutil.which(f"python{version}")])
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    found = pyenv.glob(f"versions/{version}.*/bin/python")
    yield from map(str, sorted(found, reverse=True))


def interpreters() -> dict[str, str]:
    """The supported Pythons that this machine has: version, command."""
    found = {}
    for version in SUPPORTED:
        for command in candidates(version):
            if version_of(command) == version:
                found[version] = command
                break
    return found


def name_of(requirement: str) -> str:
    """The package that a line of pyproject.toml or of a lock file names."""
    return re.split(r"[\s<>=!~;\[]", requirement)[0].lower().replace("_", "-")


def requirements(torch: str | None = None) -> list[str]:
    """What the tests of the package need, within pyproject.toml's ranges.

    torch: None leaves it out, "" keeps its range, else a line of its own.
    """
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extra = project["optional-dependencies"]["test"]
    asked = [r for r in extra if name_of(r) in TESTING]
    core = [r for r in project["dependencies"] if name_of(r) != HEAVY]
    ranged = [r for r in project["dependencies"] if name_of(r) == HEAVY]
    return (
        core + asked + ([] if torch is None else [torch] if torch else ranged)
    )


def imports_torch(source: str) -> bool:
    """Whether a test file cannot even be read without PyTorch."""
    names = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return any(name.split(".")[0] == HEAVY for name in names)


def left_out(tests: Path) -> list[Path]:
    """The test files that wait for PyTorch."""
    paths = sorted(tests.rglob("test_*.py"))
    return [p for p in paths if imports_torch(p.read_text(encoding="utf-8"))]


def run(command: list[str], cwd: Path = ROOT) -> str:
    """Run a tool; SystemExit with all it said when it fails."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=env, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def install(python: str, home: Path, args: argparse.Namespace) -> str:
    """A virtual environment with the package's wheel; returns its Python."""
    run([tool("uv"), "venv", "--quiet", "--python", python, str(home)])
    command = [tool("uv"), "pip", "install", "--quiet", "--python", str(home)]
    if args.lowest:
        how = ["--resolution", "lowest-direct"]
    else:
        how = ["--constraint", str(ROOT / "requirements.lock")]
    run([*command, *how, *requirements(args.torch)])
    dist = home / "dist"
    run([tool("hatchling"), "build", "-t", "wheel", "-d", str(dist)])
    wheel = next(dist.glob("*.whl"))
    run([*command, "--no-deps", "--reinstall", str(wheel)])
    return str(home / "bin" / "python")


def try_one(version: str, python: str, args: argparse.Namespace) -> None:
    """Install and run the tests; a line or two on it, or SystemExit."""
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(install(python, Path(folder) / "venv", args))
        print(f"  Python {version}: {', '.join(installed(inside))}", flush=True)
        skip = left_out(ROOT / "tests") if args.torch is None else []
        ignore = [f"--ignore={path}" for path in [BOOK, *skip]]
        # The wheel is what is tried, not the checkout: no `pythonpath`.
        options = ["-o", "pythonpath=", "-p", "no:cacheprovider"]
        pytest = str(inside.with_name("pytest"))
        said = run([pytest, *options, *ignore, str(ROOT / "tests")])
        print(f"    {said.strip().splitlines()[-1]}", flush=True)
        for path in skip:
            print(f"    skipped {path.relative_to(ROOT)}: it needs PyTorch")


def installed(inside: Path) -> list[str]:
    """The packages asked for, at the versions that came."""
    uv = [tool("uv"), "pip", "freeze", "--python", str(inside)]
    asked = {name_of(r) for r in requirements("")}
    return [x for x in run(uv).split() if name_of(x) in asked]


def main() -> None:
    parser = argparse.ArgumentParser(description="try other versions")
    parser.add_argument("--lowest", action="store_true", help="oldest packages")
    parser.add_argument("--python", choices=SUPPORTED, help="this one alone")
    parser.add_argument("--torch", nargs="?", const="", help="with PyTorch")
    args = parser.parse_args()
    found = interpreters()
    chosen = [args.python] if args.python else list(SUPPORTED)
    for version in [v for v in chosen if v not in found]:
        print(f"  Python {version}: skipped, there is none here")
    there = [v for v in chosen if v in found]
    for version in there[:1] if args.lowest else there:
        try_one(version, found[version], args)


if __name__ == "__main__":
    main()
