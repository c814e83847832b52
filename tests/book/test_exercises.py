"""Exercises come from solutions, and nothing of a solution stays behind."""

from __future__ import annotations

import nbformat
import pytest
from helpers import code, notebook, printed, text

from scripts import cells, exercises

SOLVED = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return secret * x
    ### END SOLUTION'''


def convert(tmp_path, *made) -> nbformat.NotebookNode:
    path = tmp_path / "solution.ipynb"
    cells.write(notebook(*made), path)
    return nbformat.reads(exercises.convert(path), as_version=4)


def test_code_becomes_a_stub_at_its_own_depth(tmp_path) -> None:
    cell = convert(tmp_path, code(SOLVED, printed("4"))).cells[0]
    assert cell.source.splitlines() == [
        "def double(x):",
        '    """Twice x."""',
        "    # YOUR CODE HERE",
        "    raise NotImplementedError",
    ]
    assert cell.outputs == [] and cell.execution_count is None


def test_text_and_whole_cells_go(tmp_path) -> None:
    answer = (
        "Say why.\n\n<!-- BEGIN SOLUTION -->\nsecret\n<!-- END SOLUTION -->"
    )
    only = text("secret", id="why")
    only.metadata["tags"] = ["solution-only"]
    made = convert(tmp_path, text(answer), only, text("stays", id="last"))
    assert [c.id for c in made.cells] == ["text", "last"]
    assert "secret" not in str(made) and "*Your answer here.*" in str(made)


def test_names_follow_the_notebook(tmp_path) -> None:
    source = "(sol-01)=\n# Solutions: tokens\n[run](x/blob/main/solutions/week1"
    made = convert(tmp_path, text(source)).cells[0].source
    assert (
        made
        == "(ex-01)=\n# Exercises: tokens\n[run](x/blob/main/exercises/week1"
    )


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\n1",
        "1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
    ],
)
def test_a_marker_without_its_partner_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="here"):
        exercises.strip_source(source, exercises.CODE_STUB, "here")


def test_the_same_solution_gives_the_same_bytes(tmp_path) -> None:
    path = tmp_path / "solution.ipynb"
    cells.write(notebook(code(SOLVED)), path)
    assert exercises.convert(path) == exercises.convert(path)


def test_stale_and_orphaned_exercises_are_found(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(exercises, "EXERCISES", tmp_path)
    good, old, orphan = (tmp_path / f"{n}.ipynb" for n in "abc")
    good.write_text("new"), old.write_text("old"), orphan.write_text("x")
    texts = {good: "new", old: "new"}
    assert exercises.stale(texts) == [old, orphan]


def test_no_solution_is_left_in_the_book() -> None:
    for path in exercises.EXERCISES.rglob("*.ipynb"):
        assert "SOLUTION" not in path.read_text(encoding="utf-8"), path
