"""A kernel that has what a reader of Colab has: the package's wheel alone.

Each set of extras that notebooks install has a virtual environment of its
own, `.cache/alone/core` or `.cache/alone/hf`. It holds the wheel of this tree,
what the wheel asks for at the versions of the lock file, and ipykernel: no
checkout, no test tools. It is made anew when any of that changes; the wheel
is installed afresh on each run.
"""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions, version
from pathlib import Path
from shutil import rmtree

from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts import check, wheel

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
HOMES = ROOT / ".cache" / "alone"
KERNEL = "ipykernel"  # all that Colab brings besides
WITH_VENV = {"pip", "setuptools"}
INSTALLS = re.compile(r"\bllm-utils\[([\w\s,.-]+)\]")
UNMADE = """\
The notebooks run in a virtual environment that holds the package's wheel and
what it asks for. It could not be made:

{said}

It is made once, with pip, which must reach a package index or find wheels in
the folder that PIP_FIND_LINKS names. See to that, then run the check again:
`make test ONLY=notebooks`. Later runs need no network."""
LEAKS = "The environment of the notebooks is not alone:\n\n{said}"

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


def check_extras(extras: Extras, built: Path) -> None:
    """Refuse an extra that the wheel does not offer: pip would only warn."""
    offered = wheel.metadata(built).get_all("Provides-Extra", [])
    for extra in extras:
        if extra not in offered:
            raise ValueError(
                f"a notebook installs llm-utils[{extra}], but pyproject.toml"
                f" offers {', '.join(offered)}: name one of these"
            )


# -- the virtual environment


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


def python_of(home: Path) -> Path:
    return home / "bin" / "python"


def pip(home: Path, *words: str) -> None:
    options = ["-m", "pip", "install", "--quiet", "--no-compile"]
    call([str(python_of(home)), *options, *words], UNMADE)


def fingerprint(built: Path, extras: Extras) -> str:
    """A hash of what decides the packages: lock, ranges, Python, PyTorch."""
    digest = hashlib.sha256(LOCK.read_bytes())
    ranges = wheel.metadata(built).get_all("Requires-Dist", [])
    python = [sys.version, sys.base_prefix, version("torch")]
    for text in [*ranges, "", *extras, "", KERNEL, *python]:
        digest.update(b"\0" + text.encode())
    return digest.hexdigest()


def unfit(home: Path, extras: Extras) -> list[str]:
    """What an environment lacks of its packages, and what it has besides."""
    sites = [str(p) for p in home.glob("lib/python*/site-packages")]
    there = {canonicalize_name(d.name): d for d in distributions(path=sites)}
    todo = [Requirement(f"llm-utils[{','.join(extras)}]"), Requirement(KERNEL)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        one = todo.pop()
        name, wanted = canonicalize_name(one.name), frozenset(one.extras)
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for line in (there[name].requires or []) if name in there else []:
            more = Requirement(line)
            where = [{"extra": extra} for extra in wanted | {""}]
            if not more.marker or any(map(more.marker.evaluate, where)):
                todo.append(more)
    needed = {name for name, _ in seen}
    return [f"lacks {n}" for n in sorted(needed - there.keys())] + [
        f"holds {n}" for n in sorted(there.keys() - needed - WITH_VENV)
    ]


def install_torch(home: Path) -> None:
    """The same variant of PyTorch as here: the CPU's spares gigabytes."""
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
        call([*command, "--torch-backend", variant, *wanted], UNMADE)


def make(home: Path, built: Path, extras: Extras) -> None:
    """A new environment: the wheel, what it asks for, and a kernel."""
    print(f"  making {home} (a minute or more)", flush=True)
    rmtree(home, ignore_errors=True)
    call([sys.executable, "-m", "venv", str(home)], UNMADE)
    install_torch(home)
    wanted = f"[{','.join(extras)}]" if extras else ""
    package = f"llm-utils{wanted} @ {built.as_uri()}"
    pip(home, "--constraint", str(LOCK), package, KERNEL)


def ready(extras: Extras, built: Path) -> Path:
    """The environment for these extras, with this wheel in it.

    Raises ValueError for an extra that is none, and RuntimeError, which says
    what to do, where the environment cannot be made or is not alone.
    """
    check_extras(extras, built)
    home = HOMES / name_of(extras)
    stamp, now = home / "stamp", fingerprint(built, extras)
    same = stamp.exists() and stamp.read_text(encoding="utf-8") == now
    if not same or unfit(home, extras):
        make(home, built, extras)
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


# -- the kernel


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


def kernel_of(extras: Extras) -> str:
    return f"alone-{name_of(extras)}"


def write_kernel(extras: Extras, home: Path, folder: Path) -> None:
    """Tell Jupyter, through `folder`, how to start this kernel."""
    python = str(python_of(home))
    path = os.pathsep.join([str(home / "bin"), outer_path()])
    spec = {
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": kernel_of(extras),
        "language": "python",
        "env": {"PATH": path, "VIRTUAL_ENV": str(home)},
    }
    file = folder / "kernels" / kernel_of(extras) / "kernel.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(spec), encoding="utf-8")


def outer_path() -> str:
    """PATH without the tools of the environment that runs the checks."""
    ours = Path(sys.executable).parent
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(p for p in places if Path(p) != ours)


def environment(folder: Path) -> dict[str, str]:
    """The variables of a run: those of all checks, none that name Python's.

    `folder` holds the kernels, and settings of IPython that nobody made.
    """
    names = ("PYTHON", "IPYTHON", "JUPYTER", "VIRTUAL_ENV", "PWD", "OLDPWD")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    ours = {"JUPYTER_PATH": str(folder), "IPYTHONDIR": str(folder / "ipython")}
    return check.ENVIRONMENT | kept | ours
