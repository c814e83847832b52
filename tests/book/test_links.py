"""One address, rewritten everywhere at once; a stray one is found."""

from __future__ import annotations

import subprocess

import pytest

from scripts import links

BADGE = "https://colab.research.google.com/github/{}/blob/main/a.ipynb"


@pytest.fixture
def book(tmp_path):
    """A repository of two files that name old/book."""
    toml = '[project.urls]\nRepository = "https://github.com/old/book"\n'
    (tmp_path / "pyproject.toml").write_text(toml)
    (tmp_path / "a.md").write_text(
        f"[run]({BADGE.format('old/book')})\nbold/book"
    )
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_new_address_stands_everywhere(book) -> None:
    changed = links.set_address("new/name.x", book)
    assert {p.name for p in changed} == {"pyproject.toml", "a.md"}
    assert links.address(book) == "new/name.x"
    assert BADGE.format("new/name.x") in (book / "a.md").read_text()


def test_a_name_that_contains_the_address_stays(book) -> None:
    links.set_address("new/name", book)
    assert "bold/book" in (book / "a.md").read_text()


@pytest.mark.parametrize("bad", ["", "name", "a/b/c", "https://x/y"])
def test_what_is_no_address_is_refused(book, bad: str) -> None:
    with pytest.raises(ValueError, match="owner/name"):
        links.set_address(bad, book)


def test_strays_are_found() -> None:
    text = BADGE.format("me/book") + " " + BADGE.format("you/book")
    assert links.strays(text, "me/book") == ["you/book"]


def test_the_book_has_no_strays() -> None:
    slug = links.address()
    for path in links.text_files():
        assert links.strays(path.read_text(encoding="utf-8"), slug) == [], path
