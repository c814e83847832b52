"""What greets a newcomer agrees with the book: conda, Binder, CI, container.

Each test is a function that lists what is wrong, held to the real files and
then to a planted break.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import check, versions

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


PROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
TARGETS = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))

# -- conda and Binder: no list of their own


def asked() -> list[str]:
    """Every requirement of the package and its extras."""
    extras = PROJECT["optional-dependencies"].values()
    return PROJECT["dependencies"] + [r for extra in extras for r in extra]


def conda_gaps(environment: str, wanted: list[str], lock: str) -> list[str]:
    """How conda's packages and the book's differ.

    conda may bring Python and tools; what is imported comes from the lock
    file, and that must hold what pyproject.toml asks for.
    """
    parts = yaml.safe_load(environment)["dependencies"]
    pip = [p for part in parts if isinstance(part, dict) for p in part["pip"]]
    found = [f"{p}: in conda's list alone" for p in pip
             if p not in ("-r requirements.lock", "-e .")]  # fmt: skip
    names = {versions.name_of(p) for p in parts if isinstance(p, str)}
    found += [f"{n}: in conda's list alone"
              for n in sorted(names - {"python", "pip", "make"})]  # fmt: skip
    if "-r requirements.lock" not in pip or "-e ." not in pip:
        found.append("conda installs no lock file or no package")
    pins = {versions.name_of(x) for x in lock.splitlines() if "==" in x}
    lost = {versions.name_of(r) for r in wanted} - pins
    return found + [f"{n}: not in the lock file" for n in sorted(lost)]


def test_conda_users_get_the_same_packages() -> None:
    lock = read("requirements.lock")
    assert conda_gaps(read("environment.yml"), asked(), lock) == []


def test_a_package_added_to_one_list_only_is_found() -> None:
    conda, lock = read("environment.yml"), read("requirements.lock")
    both = conda.replace("  - make\n", "  - make\n  - graphviz\n")
    assert conda_gaps(both, asked(), lock) == [
        "graphviz: in conda's list alone"
    ]
    deeper = conda.replace("      - -e .", "      - -e .\n      - einops")
    assert conda_gaps(deeper, asked(), lock) == [
        "einops: in conda's list alone"
    ]
    more = [*asked(), "einops>=0.8"]
    assert conda_gaps(conda, more, lock) == ["einops: not in the lock file"]
    bare = conda.replace("      - -r requirements.lock\n", "")
    assert conda_gaps(bare, asked(), lock)


def binder_gaps(environment: str, after: str, mode: str) -> list[str]:
    """Binder takes PyTorch from conda and all else from the package."""
    parts = yaml.safe_load(environment)["dependencies"]
    torch = next(r for r in PROJECT["dependencies"] if r.startswith("torch"))
    bound = torch.removeprefix("torch")
    found = []
    if f"pytorch-cpu {bound}" not in parts:
        found.append(f"pytorch-cpu is not {bound}")
    names = {versions.name_of(part) for part in parts}
    found += sorted(names - {"python", "pytorch-cpu", "pip"})
    if not re.search(r"pip install .*-e \.$", after, re.MULTILINE):
        found.append("postBuild does not install the package")
    if mode != "100755":
        found.append("postBuild is not executable")
    return found


def test_binder_installs_the_package() -> None:
    listing = ["git", "ls-files", "-s", "binder/postBuild"]
    said = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True)
    mode = said.stdout.split()[0] if said.stdout else "100755"
    conda, after = read("binder/environment.yml"), read("binder/postBuild")
    assert binder_gaps(conda, after, mode) == []
    assert binder_gaps(conda.replace("=2.", "=1."), after, mode)
    assert binder_gaps(conda + "  - numpy\n", after, mode) == ["numpy"]
    assert binder_gaps(conda, "pip install numpy\n", mode)
    assert binder_gaps(conda, after, "100644")


# -- workflows and the dev container: commands that exist


# `make` where a command may stand, then its targets, not its variables
MADE = re.compile(r"(?:^|&& |`|run: )make ((?:[a-z]+\b ?)+)", re.MULTILINE)


def command_gaps(text: str) -> list[str]:
    """What a file tells make, a shell or Python to run, and is not there."""
    found = []
    for line in MADE.findall(text):
        found += [f"make {t}" for t in line.split() if t not in TARGETS]
    known = {c.name for c in check.checks()}
    for names in re.findall(r'ONLY="([^"]*)"', text):
        found += [f"the check {n}" for n in names.split() if n not in known]
    for name in re.findall(r"-m scripts\.(\w+)", text):
        if not (ROOT / "scripts" / f"{name}.py").is_file():
            found.append(f"scripts.{name}")
    for name in re.findall(r"bash ([\w./-]+\.sh)", text):
        if not (ROOT / name).is_file():
            found.append(name)
    return found


COMMANDS = [
    *(p.relative_to(ROOT).as_posix() for p in WORKFLOWS),
    ".devcontainer/devcontainer.json",
    ".devcontainer/create.sh",
    "CONTRIBUTING.md",
    "README.md",
    "book/setup.md",
    "book/how_to_use.md",
]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_exist(name: str) -> None:
    assert command_gaps(read(name)) == []


@pytest.mark.parametrize(
    "planted",
    [
        "run: make tests",
        "make notebooks && make bok",
        "`make exercises tests`",
        'make test ONLY="lint type"',
        "python -m scripts.version",
        "bash .devcontainer/creat.sh",
        "run: make test lnit",
    ],
)
def test_a_command_that_does_not_exist_is_found(planted: str) -> None:
    assert len(command_gaps(planted)) == 1


def workflow_gaps(text: str) -> list[str]:
    """Unpinned actions, and a matrix of Pythons other than the book's."""
    found = [
        f"{action} is not at a major version"
        for action in re.findall(r"uses: (\S+)", text)
        if not re.search(r"@v\d+$", action)
        and not (ROOT / action / "action.yml").is_file()
    ]
    jobs = yaml.safe_load(text).get("jobs", {})
    for name, job in jobs.items():
        matrix = job.get("strategy", {}).get("matrix", {}).get("python", [])
        odd = [v for v in matrix if v not in versions.SUPPORTED]
        found += [f"{name}: Python {v} is not supported" for v in odd]
        if name == "test" and tuple(matrix) != versions.SUPPORTED:
            found.append(f"{name}: not every Python")
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_the_workflows_are_sound(path: Path) -> None:
    assert workflow_gaps(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("checkout@v6", "checkout@main"),
        ("checkout@v6", "checkout"),
        ("actions/setup\n", "actions/nowhere\n"),
        (', "3.13"]', "]"),
        ('"3.10"', "3.10"),  # YAML reads a number: Python 3.1
    ],
)
def test_an_unsound_workflow_is_found(old: str, new: str) -> None:
    text = read(".github/workflows/tests.yml")
    assert old in text and workflow_gaps(text.replace(old, new, 1))


def test_the_dev_container_is_a_supported_python() -> None:
    container = json.loads(read(".devcontainer/devcontainer.json"))
    image = re.search(r"python:(3\.\d+)-", container["image"])
    assert image and image[1] in versions.SUPPORTED
    port = re.search(r"^PORT \?= (\d+)", read("Makefile"), re.MULTILINE)
    assert port and int(port[1]) in container["forwardPorts"]


def python_gaps(project: dict[str, Any], mypy: str, conda: str) -> list[str]:
    """Places that promise other Pythons than those that are tested."""
    found = []
    label = "Programming Language :: Python :: "
    named = [c.removeprefix(label) for c in project["classifiers"]
             if c.startswith(f"{label}3.")]  # fmt: skip
    if named != list(versions.SUPPORTED):
        found.append("classifiers")
    if mypy != versions.SUPPORTED[0]:
        found.append("mypy")
    pins = re.findall(r"^\s*- python\s*[=<>~]*\s*(3\.\d+)", conda, re.MULTILINE)
    if not pins or any(pin not in versions.SUPPORTED for pin in pins):
        found.append("conda")
    return found


def test_every_place_promises_the_tested_pythons() -> None:
    tools = tomllib.loads(read("pyproject.toml"))["tool"]
    mypy = tools["mypy"]["python_version"]
    for name in ("environment.yml", "binder/environment.yml"):
        assert python_gaps(PROJECT, mypy, read(name)) == []
    conda = read("environment.yml")
    fewer = PROJECT | {"classifiers": PROJECT["classifiers"][:-1]}
    assert python_gaps(fewer, mypy, conda) == ["classifiers"]
    assert python_gaps(PROJECT, "3.9", conda) == ["mypy"]
    assert python_gaps(PROJECT, mypy, "  - python=3.8\n") == ["conda"]
