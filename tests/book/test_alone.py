"""The notebooks meet the wheel alone: each way out of it is closed.

The real environment is made by `python -m scripts.check_notebooks`. Here a
stub stands in for it: a kernel, the wheel, and links to what the kernel needs.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from helpers import code, notebook, printed

from scripts import alone, cells, check_notebooks, kernels, wheel

ROOT = alone.ROOT
BOOTSTRAP = """try:
    import llm_utils
except ImportError:
    %pip install -q "llm-utils[hf] @ git+https://github.com/OWNER/REPO"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The wheel of this tree."""
    return wheel.build(tmp_path_factory.mktemp("dist"))


# -- the wheel


def tree_with(folder: Path, hatch: str) -> Path:
    """A copy of what a wheel is built from, with other settings of hatch."""
    shutil.copytree(
        ROOT / "llm_utils",
        folder / "llm_utils",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("README.md", "LICENSE", "LICENSE-TEXT.md"):
        shutil.copy(ROOT / name, folder)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ours = 'packages = ["llm_utils"]'
    assert ours in text
    (folder / "tests").mkdir()
    (folder / "tests" / "test_a.py").write_text("", encoding="utf-8")
    (folder / "pyproject.toml").write_text(text.replace(ours, hatch), "utf-8")
    return folder


def test_the_wheel_is_the_package(built: Path) -> None:
    assert wheel.faults(built) == []
    with zipfile.ZipFile(built) as archive:
        kinds = {Path(name).suffix for name in archive.namelist()}
    assert {".js", ".css", ".mplstyle"} <= kinds


@pytest.mark.parametrize(
    ("hatch", "fault"),
    [
        ('packages = ["llm_utils"]\nexclude = ["*.css"]',
         "lacks llm_utils/assets/explorer.css"),
        ('packages = ["llm_utils", "tests"]', "holds tests/test_a.py"),
    ],
)  # fmt: skip
def test_a_wheel_that_is_not_the_package_fails_the_check(
    tmp_path: Path, monkeypatch, capsys, hatch: str, fault: str
) -> None:
    root = tree_with(tmp_path, hatch)
    wrong = wheel.build(tmp_path / "dist", root)
    assert fault in wheel.faults(wrong, root)
    monkeypatch.setattr(wheel, "build", lambda folder: wrong)
    monkeypatch.setattr(alone, "HOMES", tmp_path / "homes")
    monkeypatch.setattr(sys, "argv", ["check_notebooks"])
    assert check_notebooks.main() == 1
    assert fault in capsys.readouterr().err


def test_a_wheel_of_yesterday_is_found(tmp_path: Path, built: Path) -> None:
    root = tree_with(tmp_path, 'packages = ["llm_utils"]')
    for rest in ("__pycache__/style.pyc", ".ipynb_checkpoints/style.py"):
        path = root / "llm_utils" / "viz" / rest
        path.parent.mkdir()
        path.write_text("", encoding="utf-8")
    assert wheel.faults(built, root) == []
    with (root / "llm_utils" / "viz" / "style.py").open("a") as file:
        file.write("# new\n")
    assert wheel.faults(built, root) == ["has another llm_utils/viz/style.py"]


# -- what a notebook asks for


def test_the_extras_are_those_that_the_cells_install(built: Path) -> None:
    plain = BOOTSTRAP.replace("[hf]", "")
    both = BOOTSTRAP.replace("[hf]", "[hf, app]")
    assert kernels.extras_of(notebook(code(plain))) == ()
    assert kernels.extras_of(notebook(code(BOOTSTRAP))) == ("hf",)
    assert kernels.extras_of(notebook(code(both))) == ("app", "hf")
    alone.check_extras(("hf",), built)
    with pytest.raises(ValueError, match=r"llm-utils\[fast\].*offers app"):
        alone.check_extras(("fast",), built)


def packages(site: Path, **requires: str) -> None:
    """Installed packages, each with what it asks for, one a line."""
    for name, lines in requires.items():
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        text += "".join(f"Requires-Dist: {x}\n" for x in lines.splitlines())
        folder = site / f"{name}-1.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(text, encoding="utf-8")


def test_an_environment_has_what_is_asked_for_and_no_more(
    tmp_path: Path,
) -> None:
    site = tmp_path / "lib" / "python3" / "site-packages"
    asks = "far\nhub>=1; extra == 'hf'\nold; python_version < '3'"
    packages(site, llm_utils=asks, far="near[x]", pip="", ipykernel="")
    packages(site, near="nearer; extra == 'x'", nearer="llm-utils")
    assert alone.unfit(tmp_path, ()) == []
    assert alone.unfit(tmp_path, ("hf",)) == ["lacks hub"]
    packages(site, hub="", Py_Test="")
    assert alone.unfit(tmp_path, ("hf",)) == ["holds py-test"]
    assert alone.unfit(tmp_path, ()) == ["holds hub", "holds py-test"]


@pytest.mark.parametrize(("python", "due"), [("3.10", True), ("3.12", False)])
def test_conditions_are_those_of_the_environments_python(
    tmp_path: Path, python: str, due: bool
) -> None:
    site = tmp_path / "lib" / f"python{python}" / "site-packages"
    asks = "backport; python_version < '3.11'"
    packages(site, llm_utils=asks, ipykernel="")
    assert alone.unfit(tmp_path, ()) == (["lacks backport"] if due else [])


# -- making and keeping


@pytest.fixture
def made(tmp_path: Path, monkeypatch) -> list[str]:
    """Environments that are made in name only; those that were."""
    names: list[str] = []

    def make(home: Path, built: Path, extras: kernels.Extras, python) -> None:
        home.mkdir(parents=True, exist_ok=True)
        names.append(str(home.relative_to(alone.HOMES)))

    lock = tmp_path / "lock"
    lock.write_text("torch==2\n", encoding="utf-8")
    for name, value in {
        "HOMES": tmp_path / "homes", "LOCK": lock, "make": make,
        "pip": lambda *words: None, "call": lambda *words, cwd: None,
        "unfit": lambda home, extras: [],
    }.items():  # fmt: skip
        monkeypatch.setattr(alone, name, value)
    return names


def test_an_environment_is_kept_until_its_packages_change(
    made: list[str], built: Path, monkeypatch
) -> None:
    alone.ready((), built)
    alone.ready((), built)
    assert made == ["core"]
    alone.ready(("hf",), built)
    alone.ready((), built)
    assert made == ["core", "hf"]
    alone.LOCK.write_text("torch==3\n", encoding="utf-8")
    alone.ready((), built)
    assert made == ["core", "hf", "core"]
    monkeypatch.setattr(alone, "unfit", lambda home, extras: ["holds x"])
    alone.ready((), built)
    assert made == ["core", "hf", "core", "core"]


def test_another_python_has_environments_of_its_own(
    made: list[str], built: Path, monkeypatch
) -> None:
    monkeypatch.setattr(alone, "version_of", lambda python: "3.99")
    alone.ready((), built)
    alone.ready((), built, "python3.99")
    alone.ready((), built, "python3.99")
    alone.ready((), built)
    assert made == ["core", "3.99/core"]


def test_other_ranges_or_another_python_are_other_packages(
    tmp_path: Path, built: Path, monkeypatch
) -> None:
    now = alone.fingerprint(built, ())
    assert alone.fingerprint(built, ()) == now
    root = tree_with(tmp_path, 'packages = ["llm_utils"]')
    same = wheel.build(tmp_path / "same", root)
    assert alone.fingerprint(same, ()) == now
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace('"tqdm>=4.66"', '"tqdm>=4.67"'), "utf-8")
    other = wheel.build(tmp_path / "other", root)
    assert alone.fingerprint(other, ()) != now
    monkeypatch.setattr(sys, "version", "3.99")
    assert alone.fingerprint(built, ()) != now


def test_what_could_not_be_made_is_said_and_not_kept(
    made: list[str], built: Path, monkeypatch, capsys, tmp_path: Path
) -> None:
    def make(home: Path, built: Path, extras: kernels.Extras, python) -> None:
        raise RuntimeError(alone.UNMADE.format(said="no route"))

    monkeypatch.setattr(alone, "make", make)
    monkeypatch.setattr(sys, "argv", ["check_notebooks"])
    assert check_notebooks.main() == 1
    said = capsys.readouterr().err
    assert "no route" in said and "make test ONLY=notebooks" in said
    assert not (alone.HOMES / "core" / "stamp").exists()


def test_a_failing_tool_is_heard_and_sees_no_python_path(monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "book"))
    fails = [sys.executable, "-c", "import sys; sys.exit('dark outside')"]
    with pytest.raises(RuntimeError, match="Trouble:\n  dark outside"):
        alone.call(fails, "Trouble:\n{said}")
    with pytest.raises(RuntimeError, match="No module named 'helpers'"):
        alone.call([sys.executable, "-c", "import helpers"], "{said}")


@pytest.mark.parametrize("here", ["2.13.0", "2.13.0+cpu"])
@pytest.mark.parametrize("reached", [True, False])
def test_pytorch_comes_in_the_variant_that_is_here(
    monkeypatch, here: str, reached: bool
) -> None:
    said: list[str] = []

    def call(command: list[str], trouble: str, cwd: Path = ROOT) -> None:
        said.append(" ".join(command))
        if not reached and "+cpu" in said[-1] and "-m pip" in said[-1]:
            raise RuntimeError("no such version")

    monkeypatch.setattr(alone, "call", call)
    monkeypatch.setattr(alone, "version", lambda name: here)
    alone.install_torch(Path("home"))
    if "+" not in here:
        assert said == []
        return
    assert all(f"{alone.LOCK} torch==2.13.0+cpu" in x for x in said)
    assert [("--torch-backend cpu" in x) for x in said] == (
        [False] if reached else [False, True]
    )


def test_another_python_takes_pytorch_as_the_index_has_it(
    monkeypatch,
) -> None:
    said: list[str] = []

    def call(command: list[str], trouble: str, cwd: Path = ROOT) -> None:
        said.append(" ".join(command))
        if "+cpu" in said[-1]:
            raise RuntimeError("no such version")

    monkeypatch.setattr(alone, "call", call)
    monkeypatch.setattr(alone, "version", lambda name: "2.13.0+cpu")
    alone.install_torch(Path("home"), "python3.99")
    assert said[-1].endswith(f"{alone.LOCK} torch") and len(said) == 3
    with pytest.raises(RuntimeError, match="no such version"):
        alone.install_torch(Path("home"))


def test_one_run_waits_for_the_other(tmp_path: Path) -> None:
    with (
        alone.one_at_a_time(tmp_path),
        (tmp_path / "lock").open("w") as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


# -- the kernel


def test_a_run_has_one_thread_and_no_paths(monkeypatch, tmp_path) -> None:
    ours = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join([ours, "/elsewhere"]))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("LLM_UTILS_DATA", "/data")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    env = kernels.environment(tmp_path)
    assert "PYTHONPATH" not in env and env["LLM_UTILS_DATA"] == "/data"
    assert env["OMP_NUM_THREADS"] == "1"
    assert env["JUPYTER_PATH"] == str(tmp_path)
    assert kernels.outer_path() == "/elsewhere"
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert kernels.environment(tmp_path)["OMP_NUM_THREADS"] == "2"


@pytest.fixture
def stub(tmp_path: Path, built: Path, monkeypatch) -> Path:
    """A folder with the kernel "alone-core", beside a repository.

    The packages of the kernel are links, the package itself is the wheel's.
    """
    home = tmp_path / "home"
    venv = [sys.executable, "-m", "venv", "--without-pip", str(home)]
    subprocess.run(venv, check=True)
    (site,) = home.glob("lib/python*/site-packages")
    lender = Path(sysconfig.get_path("purelib"))
    there = alone.installed([lender])
    for name in alone.needed([alone.KERNEL], there):
        files = there[name].files or []
        for top in {f.parts[0] for f in files} - {"..", "__pycache__"}:
            (site / top).symlink_to(lender / top)
    with zipfile.ZipFile(built) as archive:
        archive.extractall(site)
    repository = tmp_path / "repository"
    (repository / "scripts").mkdir(parents=True)
    (repository / "scripts" / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(repository))
    monkeypatch.setattr(kernels, "ROOT", repository)
    monkeypatch.setattr(check_notebooks, "ROOT", repository)
    kernels.write((), home, tmp_path)
    return tmp_path


def test_notebooks_that_lean_on_the_repository_fail(stub: Path, capfd) -> None:
    beside = stub / "repository" / "beside.txt"
    beside.write_text("2", encoding="utf-8")
    plants = {
        "right": [code("print(1 + 1)", printed("2\n"), id="a"),
                  code("import os, llm_utils; os.environ['OMP_NUM_THREADS']",
                       tags=["nbval-ignore-output"], id="b")],
        "wrong": [code("print(1 + 1)", printed("3\n"))],
        "beside": [code("open('beside.txt').close()")],
        "tools": [code("import scripts")],
        "format": [code("import nbformat")],
        "path": [code(f"import sys; sys.path.append({str(beside.parent)!r})")],
    }  # fmt: skip
    paths = [stub / "repository" / f"{name}.ipynb" for name in plants]
    for path in paths:
        cells.write(notebook(*plants[path.stem]), path)
    copies = check_notebooks.prepare(paths, stub / "copies")
    assert check_notebooks.nbval(copies, stub) == 1
    said = re.sub(r"\x1b\[\d+m", "", capfd.readouterr().out)
    failed = set(re.findall(r"^FAILED \S*?(\w+)\.ipynb::(Cell \d)", said, re.M))
    assert failed == {
        (name, "Cell 1" if name == "path" else "Cell 0")
        for name in plants.keys() - {"right"}
    }


@pytest.mark.parametrize(("ran", "status"), [(2, 0), (1, 1), (0, 1)])
def test_a_run_that_leaves_a_cell_out_fails(
    tmp_path: Path, monkeypatch, capfd, ran: int, status: int
) -> None:
    # pytest is content with fewer: it runs but one of two cells of one name.
    path = tmp_path / "a.ipynb"
    cells.write(notebook(code("1", id="a"), code("2", id="b")), path)

    def run(command: list[str], cwd: Path, env: dict[str, str]):
        report = "<testsuite>" + ran * "<testcase/>" + "</testsuite>"
        (cwd / "report.xml").write_text(report, encoding="utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(check_notebooks.subprocess, "run", run)
    assert check_notebooks.nbval([path], tmp_path) == status
    said = f"2 cells were to run, and {ran} ran"
    assert (said in capfd.readouterr().out) is bool(status)


@pytest.mark.parametrize("besides", [[], ["holds einops"]])
def test_a_notebook_that_installs_a_package_fails(
    monkeypatch, tmp_path: Path, capsys, besides: list[str]
) -> None:
    homes = {(): tmp_path / "core"}
    for name in ("make_kernels", "prepare", "nbval"):
        answer = {"make_kernels": homes, "prepare": [], "nbval": 0}[name]
        monkeypatch.setattr(
            check_notebooks, name, lambda *words, answer=answer: answer
        )
    monkeypatch.setattr(alone, "unfit", lambda home, extras: besides)
    assert check_notebooks.run([], tmp_path) == len(besides)
    said = "after the notebooks core holds einops" in capsys.readouterr().out
    assert said is bool(besides)


def test_a_package_from_the_checkout_is_found(monkeypatch) -> None:
    # Here, in the tests, it does come from the checkout.
    with pytest.raises(AssertionError, match="is of the repository"):
        kernels.prove(str(ROOT))
    with pytest.raises(AssertionError, match="llm_utils comes from"):
        kernels.prove("/nowhere")
