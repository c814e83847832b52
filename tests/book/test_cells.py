"""A notebook as text and back: nothing is lost either way."""

from __future__ import annotations

import string

import nbformat
import pytest
from helpers import code, notebook, printed, text
from hypothesis import given
from hypothesis import strategies as st

from scripts import cells
from scripts.notebooks import all_notebooks

LINES = st.one_of(
    st.text(max_size=20).filter(lambda s: "\r" not in s),
    st.sampled_from(
        ["", "# %% [code] id=x", "## %% [markdown] id=y", "# notebook {}", "#"]
    ),
)
SOURCES = st.lists(LINES, max_size=5).map("\n".join)
TAGS = st.lists(
    st.sampled_from(["hide-input", "needs-gpt2"]), max_size=2, unique=True
)


@st.composite
def notebooks(draw: st.DrawFn) -> nbformat.NotebookNode:
    names = draw(
        st.lists(
            st.text(string.ascii_lowercase + "-_", min_size=1, max_size=9),
            unique=True,
            max_size=5,
        )
    )
    made = []
    for name in names:
        if draw(st.booleans()):
            made.append(text(draw(SOURCES), id=name))
        else:
            cell = code(draw(SOURCES), id=name, count=None, tags=draw(TAGS))
            made.append(cell)
    return notebook(*made, kernelspec={"name": "python3", "display_name": "é"})


@given(notebooks())
def test_text_and_back_is_the_notebook(nb: nbformat.NotebookNode) -> None:
    assert cells.from_text(cells.to_text(nb)) == nb


@given(notebooks())
def test_back_and_forth_is_the_text(nb: nbformat.NotebookNode) -> None:
    once = cells.to_text(nb)
    assert cells.to_text(cells.from_text(once)) == once


@pytest.mark.parametrize("path", all_notebooks(), ids=lambda p: p.name)
def test_the_book_survives_byte_for_byte(path, tmp_path) -> None:
    old = cells.read(path)
    copy = tmp_path / path.name
    cells.write(cells.from_text(cells.to_text(old), old), copy)
    again = tmp_path / "again.ipynb"
    cells.write(old, again)
    assert copy.read_bytes() == again.read_bytes()


def test_unchanged_cells_keep_their_outputs() -> None:
    old = notebook(
        code("print(1)", printed("1\n"), id="one", count=1),
        code("print(2)", printed("2\n"), id="two", count=2),
    )
    edited = cells.to_text(old).replace("print(2)", "print(3)")
    new = cells.from_text(edited, old)
    assert new.cells[0].outputs == old.cells[0].outputs
    assert new.cells[0].execution_count == 1
    assert new.cells[1].outputs == []
    assert new.cells[1].execution_count is None


def test_a_moved_cell_takes_its_outputs_along() -> None:
    one = code("1", printed("1"), id="one")
    two = code("2", printed("2"), id="two")
    new = cells.from_text(cells.to_text(notebook(two, one)), notebook(one, two))
    assert [c.outputs[0].text for c in new.cells] == ["2", "1"]


def test_a_broken_header_is_refused_with_its_line() -> None:
    broken = cells.to_text(notebook(text("a"))).replace("id=text", "text")
    with pytest.raises(ValueError, match="line 3 is no header"):
        cells.from_text(broken)


def test_a_text_without_a_title_is_refused() -> None:
    with pytest.raises(ValueError, match="first line"):
        cells.from_text("# %% [code] id=a\n1\n")
