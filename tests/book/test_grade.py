"""Grading: what a class hands in, honest, lazy, sly or broken."""

import csv

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from scripts import cells, grade
from scripts.exercises import TEXT_STUB

RIGHT = """def utf8(codepoint):
    if 0xD800 <= codepoint < 0xE000 or not 0 <= codepoint < 0x110000:
        raise ValueError(codepoint)
    return chr(codepoint).encode()"""
STUB = "def utf8(codepoint):\n    raise NotImplementedError"


def notebook(answer=STUB, check="check.utf8(utf8)", text=TEXT_STUB[0]):
    return new_notebook(
        cells=[
            new_code_cell(
                "from llm_utils.checks import tokenization as check",
                id="imports",
            ),
            new_code_cell(answer, id="ex1-solution"),
            new_code_cell(check, id="ex1-check"),
            new_markdown_cell(text, id="ex2-solution"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "3"}},
    )


@pytest.fixture
def exercise(tmp_path):
    path = tmp_path / "exercise.ipynb"
    cells.write(notebook(), path)
    return path


def graded(exercise, handed):
    path = exercise.with_name("handed.ipynb")
    cells.write(handed, path)
    return grade.grade(exercise, path, timeout=60)


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        (STUB, "not started"),
        (RIGHT, "right"),
        ("def utf8(codepoint):\n    return b''", "not yet"),
        ("def utf8(codepoint:", "error"),
    ],
)
def test_each_answer_gets_its_mark(exercise, answer, mark):
    got = graded(exercise, notebook(answer))
    assert got.marks == {"ex1": mark}
    assert got.right == (mark == "right")
    assert not got.written


def test_an_edited_check_changes_nothing(exercise):
    sly = notebook(check="from llm_utils.checks.result import Result\n"
                         "Result(True, '')")  # fmt: skip
    assert graded(exercise, sly).marks == {"ex1": "not started"}


def test_helpers_in_new_cells_are_run_where_they_stood(exercise):
    handed = notebook(RIGHT.replace("chr(codepoint)", "helper(codepoint)"))
    handed.cells.insert(1, new_code_cell("helper = chr", id="mine"))
    assert graded(exercise, handed).marks == {"ex1": "right"}


def test_a_deleted_cell_counts_as_not_started(exercise):
    handed = notebook(RIGHT)
    del handed.cells[1:3]
    assert graded(exercise, handed).marks == {"ex1": "not started"}


def test_the_table_has_a_row_each_and_the_written_answers(exercise, tmp_path):
    good, broken = tmp_path / "good.ipynb", tmp_path / "broken.ipynb"
    cells.write(notebook(RIGHT, text="Because pairs overlap."), good)
    broken.write_text("{no json")
    table = tmp_path / "grades.csv"
    paths = [str(x) for x in (exercise, good, broken, tmp_path / "none.ipynb")]
    assert grade.main([*paths, "--csv", str(table)]) == 0
    rows = list(csv.DictReader(table.open()))
    assert [r["right"] for r in rows] == ["1", "0", "0"]
    assert [r["ex1"] for r in rows] == ["right", "error", "error"]
    assert rows[1]["trouble"].startswith("NotJSONError")
    assert rows[2]["trouble"].startswith("FileNotFoundError")
    assert "Because pairs overlap." in table.with_suffix(".txt").read_text()


def test_an_exercise_that_is_not_there_is_said(tmp_path, capsys):
    with pytest.raises(SystemExit):
        grade.main([str(tmp_path / "no.ipynb"), "x.ipynb"])
    assert "is no file" in capsys.readouterr().err


def test_a_notebook_of_something_else_counts_as_not_started(exercise):
    other = new_notebook(cells=[new_code_cell("x = 1", id="a")])
    assert graded(exercise, other).marks == {"ex1": "not started"}
