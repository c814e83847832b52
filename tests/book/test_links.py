"""One address, rewritten everywhere at once; a stray one is found.

Badges and bootstrap cells come from one template, `scripts.launch`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from helpers import code, notebook, printed, text

from scripts import cells, launch, links

BADGE = "https://colab.research.google.com/github/{}/blob/main/a.ipynb"
TOML = """\
[project]
version = "1.2.0"
[project.urls]
Repository = "https://github.com/old/book"
"""
# Each place of a repository that names its address, and how.
PLACES = {
    "README.md": f"[run]({BADGE.format('old/book')}) [me](https://me.dev)",
    "CITATION.cff": "repository-code: https://github.com/old/book\n",
    "CHANGELOG.md": "[1]: https://github.com/old/book/releases/tag/v1\n",
    "_config.yml": "baseurl: https://old.github.io/book/\n",
    ".devcontainer/create.sh": "git clone git@github.com:old/book.git\n",
    ".github/workflows/a.yml": "url: https://old.github.io/book\n",
    "binder/apt": "https://mybinder.org/v2/gh/old/book/main\n",
    "Makefile": "RAW := https://raw.githubusercontent.com/old/book/main/a\n",
    "badge.html": "https://img.shields.io/github/license/old/book",
}


@pytest.fixture
def book(tmp_path):
    """A repository in which everything names old/book."""
    nb = notebook(
        text("# One", id="title"),
        code("x", printed("1\n"), id="x"),
    )
    page = tmp_path / "chapters" / "week1_text" / "01_x.ipynb"
    launch.write(nb, page, "old/book", "v1.2.0")
    cells.write(nb, page)
    for name, words in {"pyproject.toml": TOML, **PLACES}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    (tmp_path / "a.md").write_text("bold/book old/bookend old.github.iox/book")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\0old/book")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def read_page(book: Path):
    return cells.read(book / "chapters" / "week1_text" / "01_x.ipynb")


def test_the_new_address_stands_everywhere(book) -> None:
    changed = links.set_address("new/name.x", book)
    assert {p.name for p in changed} == {
        "pyproject.toml",
        "01_x.ipynb",
        *(Path(name).name for name in PLACES),
    }
    assert links.address(book) == "new/name.x"
    for name, words in PLACES.items():
        now = (book / name).read_text()
        assert "old" not in now, name
        moved = words.replace("old/book", "new/name.x")
        moved = moved.replace("old.github.io/book", "new.github.io/name.x")
        assert now == moved, name


def test_there_and_back_is_the_same(book) -> None:
    before = {p: p.read_bytes() for p in links.text_files(book)}
    links.set_address("new/name", book)
    links.set_address("old/book", book)
    assert {p: p.read_bytes() for p in links.text_files(book)} == before


def test_a_name_that_contains_the_address_stays(book) -> None:
    links.set_address("new/name", book)
    words = (book / "a.md").read_text()
    assert words == "bold/book old/bookend old.github.iox/book"
    assert b"old/book" in (book / "a.png").read_bytes()


def test_the_notebooks_follow_the_template(book) -> None:
    links.set_address("new/name", book)
    page = read_page(book)
    assert page.cells[1].source == launch.badge(
        "chapters/week1_text/01_x.ipynb", "new/name", "v1.2.0"
    )
    assert page.cells[2].source == launch.bootstrap("new/name", "v1.2.0")
    assert page.cells[3].outputs, "a cell's outputs are lost"
    assert links.write_launch_cells(book) == []


def test_lost_launch_cells_come_back(book) -> None:
    path = book / "chapters" / "week1_text" / "01_x.ipynb"
    whole = path.read_bytes()
    for spoil in (
        lambda nb: nb.cells.pop(1),
        lambda nb: nb.cells.append(nb.cells.pop(2)),
        lambda nb: nb.cells[1].update(source="[Open](https://x.org)"),
        lambda nb: nb.cells[2].metadata.clear(),
    ):
        nb = read_page(book)
        spoil(nb)
        cells.write(nb, path)
        assert links.write_launch_cells(book) == [path]
        assert path.read_bytes() == whole


def test_an_extra_of_the_package_stays() -> None:
    nb = notebook(
        text("# One", id="title"),
        text("", id="badge"),
        code(launch.bootstrap("old/book", "v1", "hf"), id="bootstrap"),
    )
    launch.write(nb, Path("a/b/c.ipynb"), "new/book", "v2")
    made = next(c.source for c in nb.cells if c.id == "bootstrap")
    assert made == launch.bootstrap("new/book", "v2", "hf")
    assert '"llm-utils[hf] @ git+https://github.com/new/book@v2"' in made


@pytest.mark.parametrize(
    ("version", "at"), [("0.1.0", "v0.1.0"), ("0.2.0.dev0", "main")]
)
def test_the_cells_name_the_release(version: str, at: str, tmp_path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'version = "{version}"\n')
    assert launch.release(tmp_path) == at


def test_a_project_without_version_is_refused(tmp_path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ValueError, match="version"):
        launch.release(tmp_path)
    with pytest.raises(ValueError, match="Repository"):
        links.address(tmp_path)


@pytest.mark.parametrize("bad", ["", "name", "a/b/c", "https://x/y"])
def test_what_is_no_address_is_refused(book, bad: str) -> None:
    with pytest.raises(ValueError, match="owner/name"):
        links.set_address(bad, book)


@pytest.mark.parametrize("name", PLACES)
def test_a_stray_is_found_in_every_place(name: str) -> None:
    assert links.strays(PLACES[name], "me/book") == ["old/book"]
    assert links.strays(PLACES[name], "old/book") == []


@pytest.mark.parametrize(
    "stray",
    [
        "git+https://github.com/you/book@v1",
        "https://github.com/you/book/issues",
        "https://img.shields.io/github/actions/workflow/status/you/book/a.yml",
        "https://img.shields.io/github/v/release/you/book",
        "https://nbviewer.org/github/you/book/blob/main/a.ipynb",
        "https://codespaces.new/you/book",
        "https://mybinder.org/badge/gh/you/book",
    ],
)
def test_other_spellings_are_found(stray: str) -> None:
    assert links.strays(f"[a]({stray}) me/book", "me/book") == ["you/book"]


def test_known_repositories_of_others_are_no_strays() -> None:
    for slug in links.ELSEWHERE:
        assert links.strays(f"https://github.com/{slug}", "me/book") == []


def test_the_book_has_no_strays() -> None:
    slug = links.address()
    for path in links.text_files():
        assert links.strays(path.read_text(encoding="utf-8"), slug) == [], path


def test_every_repository_of_others_is_linked() -> None:
    texts = [p.read_text(encoding="utf-8") for p in links.text_files()]
    here = Path(links.__file__).read_text(encoding="utf-8")
    for slug in links.ELSEWHERE:
        assert any(slug in t for t in texts if t != here), slug
    for owner in links.BLOGS:
        assert any(f"//{owner}.github.io/" in t for t in texts), owner
