"""Virtual environments that hold the package's wheel alone, as Colab would.

Each set of extras that notebooks install has a virtual environment of its
own, `.cache/alone/core` or `.cache/alone/hf`. It holds the wheel of this tree,
what the wheel asks for at the versions of the lock file, and ipykernel: no
checkout, no test tools. It is made anew when any of that changes; the wheel
is installed afresh on each run.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from shutil import rmtree

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts import wheel
from scripts.kernels import Extras, name_of, proof, python_of
from scripts.versions import version_of

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
HOMES = ROOT / ".cache" / "alone"
KERNEL = "ipykernel"  # all that Colab brings besides
WITH_VENV = {"pip", "setuptools"}
HERE = sys.executable
UNMADE = """\
The notebooks run in a virtual environment that holds the package's wheel and
what it asks for. It could not be made:

{said}

It is made once, with pip, which must reach a package index or find wheels in
the folder that PIP_FIND_LINKS names. See to that, then run the check again:
`make test ONLY=notebooks`. Later runs need no network."""
LEAKS = "The environment of the notebooks is not alone:\n\n{said}"


def check_extras(extras: Extras, built: Path) -> None:
    """Refuse an extra that the wheel does not offer: pip would only warn."""
    offered = wheel.metadata(built).get_all("Provides-Extra", [])
    for extra in extras:
        if extra not in offered:
            raise ValueError(
                f"a notebook installs llm-utils[{extra}], but pyproject.toml"
                f" offers {', '.join(offered)}: name one of these"
            )


def call(command: list[str], trouble: str, cwd: Path = ROOT) -> None:
    """Run a tool; RuntimeError says what the trouble is when it fails."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=cwd, env=env, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        said = "\n".join("  " + x for x in done.stdout.splitlines()[-15:])
        raise RuntimeError(trouble.format(said=said))


def pip(home: Path, *words: str) -> None:
    options = ["-m", "pip", "install", "--quiet", "--no-compile"]
    call([str(python_of(home)), *options, *words], UNMADE)


def fingerprint(built: Path, extras: Extras, python: str = HERE) -> str:
    """A hash of what decides the packages: lock, ranges, Python, PyTorch."""
    digest = hashlib.sha256(LOCK.read_bytes())
    ranges = wheel.metadata(built).get_all("Requires-Dist", [])
    whose = [sys.version, sys.base_prefix, version("torch")]
    whose += [] if python == HERE else [python]
    for text in [*ranges, "", *extras, "", KERNEL, *whose]:
        digest.update(b"\0" + text.encode())
    return digest.hexdigest()


def installed(sites: Iterable[Path]) -> dict[str, Distribution]:
    """The packages in these folders, by name."""
    there = distributions(path=[str(site) for site in sites])
    return {canonicalize_name(one.name): one for one in there}


def needed(
    wanted: list[str], there: dict[str, Distribution], python: str = ""
) -> set[str]:
    """These packages, all that they ask for, all that those ask for ...

    python: whose conditions hold, "3.10"; this one's, if it is not said.
    """
    whose = {"python_version": python, "python_full_version": f"{python}.0"}
    todo, seen = [Requirement(line) for line in wanted], set()
    while todo:
        one = todo.pop()
        name, extras = canonicalize_name(one.name), frozenset(one.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        where = [
            {"extra": extra} | (whose if python else {})
            for extra in extras | {""}
        ]
        lines = (there[name].requires or []) if name in there else []
        for more in map(Requirement, lines):
            if not more.marker or any(map(more.marker.evaluate, where)):
                todo.append(more)
    return {name for name, _ in seen}


def unfit(home: Path, extras: Extras) -> list[str]:
    """What an environment lacks of its packages, and what it has besides."""
    sites = list(home.glob("lib/python*/site-packages"))
    there = installed(sites)
    python = sites[0].parent.name.removeprefix("python") if sites else ""
    due = needed([f"llm-utils[{','.join(extras)}]", KERNEL], there, python)
    return [f"lacks {n}" for n in sorted(due - there.keys())] + [
        f"holds {n}" for n in sorted(there.keys() - due - WITH_VENV)
    ]


def install_torch(home: Path, python: str = HERE) -> None:
    """The same variant of PyTorch as here: the CPU's spares gigabytes.

    Where another Python cannot have it, it takes what the index has.
    """
    here = version("torch")
    variant = Version(here).local
    if variant is None:  # pip installs what the index has with all the rest
        return
    wanted = ["--constraint", str(LOCK), f"torch=={here}"]
    try:
        pip(home, *wanted)
    except RuntimeError:  # not in pip's index: in PyTorch's own
        uv = str(Path(sys.executable).with_name("uv"))
        command = [uv, "pip", "install", "--quiet", "--python", str(home)]
        try:
            call([*command, "--torch-backend", variant, *wanted], UNMADE)
        except RuntimeError:
            if python == HERE:
                raise
            print("  PyTorch comes with CUDA: gigabytes", flush=True)
            pip(home, "--constraint", str(LOCK), "torch")


def make(home: Path, built: Path, extras: Extras, python: str = HERE) -> None:
    """A new environment: the wheel, what it asks for, and a kernel."""
    print(f"  making {home} (a minute or more)", flush=True)
    rmtree(home, ignore_errors=True)
    call([python, "-m", "venv", str(home)], UNMADE)
    install_torch(home, python)
    wanted = f"[{','.join(extras)}]" if extras else ""
    package = f"llm-utils{wanted} @ {built.as_uri()}"
    pip(home, "--constraint", str(LOCK), package, KERNEL)


def ready(extras: Extras, built: Path, python: str = HERE) -> Path:
    """The environment for these extras, with this wheel in it.

    python: the command of another Python, which has environments of its own.
    Raises ValueError for an extra that is none, and RuntimeError, which says
    what to do, where the environment cannot be made or is not alone.
    """
    check_extras(extras, built)
    whose = HOMES if python == HERE else HOMES / str(version_of(python))
    home = whose / name_of(extras)
    stamp, now = home / "stamp", fingerprint(built, extras, python)
    same = stamp.exists() and stamp.read_text(encoding="utf-8") == now
    if not same or unfit(home, extras):
        make(home, built, extras, python)
        stamp.write_text(now, encoding="utf-8")
    pip(home, "--no-index", "--no-deps", "--force-reinstall", str(built))
    with tempfile.TemporaryDirectory() as empty:
        call([str(python_of(home)), "-c", proof()], LEAKS, cwd=Path(empty))
    return home


@contextmanager
def one_at_a_time(folder: Path = HOMES) -> Iterator[None]:
    """Wait for another run to end: it uses the same environments."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
