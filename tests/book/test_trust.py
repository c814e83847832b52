"""What agrees is noted, held to what is stored, and printed as it was found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from agreement import Agrees, merged, silently
from docutils import nodes

from scripts import trust

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book/_ext"))
book_trust = pytest.importorskip("book_trust")

# --- the fixture -------------------------------------------------------------

NOTING = """
import pytest
import torch
from hypothesis import given, strategies as st

def test_within(agrees):
    one = torch.ones(3)
    agrees("torch", "sums", one + 1e-6, one, atol=1e-5, rtol=0)
    agrees("torch", "sums", [1.0, 2.0], [1.0, 2.0], atol=1e-4, rtol=0)
    agrees("tiktoken", "ids", [1, 2, 3], [1, 2, 3])

@pytest.mark.parametrize("n", [1, 2])
def test_again(agrees, n):
    agrees("tiktoken", "ids", [n], [n])

@given(x=st.integers(0, 9))
def test_examples(agrees, x):
    agrees("numpy", "any text", str(x), str(x))

@pytest.fixture(scope="module")
def shared(agrees):
    agrees("numpy", "of a fixture", 1.0, 1.0)

def test_no_numbers(agrees, shared):
    agrees.held("openai", "it works")

def test_planted(agrees):
    agrees("torch", "passed before it failed", 1.0, 1.0)
    agrees("torch", "planted", 1.001, 1.0, atol=1e-5, rtol=0)

def test_skipped(agrees):
    agrees("torch", "passed before it was skipped", 1.0, 1.0)
    pytest.skip("no moon")

@pytest.mark.xfail
def test_expected_to_fail(agrees):
    agrees("torch", "not expected", 1.0, 1.0)

@pytest.fixture
def breaks():
    yield
    raise ValueError

def test_broken_afterwards(agrees, breaks):
    agrees("torch", "passed, then broken", 1.0, 1.0)

def test_of_nothing():
    pass
"""


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What two processes of pytest note of the tests above."""
    folder = tmp_path_factory.mktemp("noted")
    place = folder / "tests" / "model"
    place.mkdir(parents=True)
    (place / "test_some.py").write_text(NOTING)
    env = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    env.pop("PYTEST_XDIST_WORKER", None)
    command = "-p agreement -n 2 --trust out/found.json -p no:cacheprovider"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *command.split(), "tests"],
        cwd=folder, env=env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert "1 failed, 7 passed, 1 skipped, 1 xpassed, 1 error" in done.stdout
    return json.loads((folder / "out" / "found.json").read_text())


def test_only_tests_that_passed_leave_a_row(noted: dict) -> None:
    assert [(r["oracle"], r["what"]) for r in noted["rows"]] == [
        ("numpy", "any text"), ("numpy", "of a fixture"),
        ("openai", "it works"), ("tiktoken", "ids"), ("torch", "sums"),
    ]  # fmt: skip
    assert noted["skipped"] == ["tests/model/test_some.py::test_skipped"]


def test_a_row_says_how_close_how_often_and_where(noted: dict) -> None:
    rows = {row["what"]: row for row in noted["rows"]}
    sums, ids = rows["sums"], rows["ids"]
    assert sums["numbers"] == 5 and sums["version"] and sums["stage"] == "model"
    assert (sums["atol"], sums["rtol"]) == (1e-4, 0)
    assert 9e-7 < sums["difference"] < 1.1e-6
    assert sums["dtypes"] == ["float32", "float64"]
    assert (ids["atol"], ids["difference"], ids["numbers"]) == (0, 0, 6 - 1)
    names = ["test_again", "test_within"]
    assert ids["tests"] == [f"tests/model/test_some.py::{x}" for x in names]
    assert rows["it works"]["atol"] is None


ALIKE = [
    (torch.ones(3), torch.ones(3)),
    (1.0, 1.0 + 1e-9),
    ((0.1, torch.tensor([2.0])), (0.1, torch.tensor([2.0]))),
    ({"a": torch.ones(2)}, {"a": torch.ones(2)}),
    (torch.tensor([torch.inf, 0.0]), torch.tensor([torch.inf, 0.0])),
    ([[1, 2], []], [[1, 2], []]),
    ("text", "text"),
    ({(1, 2)}, {(1, 2)}),
]
UNLIKE = [
    (torch.ones(3) + 1e-4, torch.ones(3)),
    (torch.ones(3), torch.ones(4)),
    (torch.ones(3).double(), torch.ones(3)),
    (1.0, 1.01),
    ([1.0, 2.0], [1.0]),
    ({"a": 1.0}, {"b": 1.0}),
    (torch.tensor([torch.inf]), torch.tensor([1.0])),
    (torch.tensor([torch.nan]), torch.tensor([torch.nan])),
    ([1, 2], [1, 3]),
    ("text", "test"),
]


@pytest.mark.parametrize(("ours", "theirs"), UNLIKE, ids=str)
def test_a_planted_difference_is_seen(ours, theirs) -> None:
    with pytest.raises(AssertionError):
        silently("torch", "planted", ours, theirs)


@pytest.mark.parametrize(("ours", "theirs"), ALIKE, ids=str)
def test_what_is_alike_agrees(ours, theirs) -> None:
    silently("torch", "alike", ours, theirs)


def test_python_numbers_are_compared_in_float64() -> None:
    silently("torch", "close", 1.0, 1.0 + 1e-13, atol=1e-12, rtol=0)
    with pytest.raises(AssertionError):
        silently("torch", "apart", 1.0, 1.0 + 1e-11, atol=1e-12, rtol=0)
    with pytest.raises(ValueError, match="atol and rtol"):
        silently("torch", "half a tolerance", 1.0, 1.0, atol=1e-3)


def test_outside_of_a_test_nothing_can_be_noted() -> None:
    with pytest.raises(AssertionError, match="outside of a test"):
        Agrees()("torch", "nowhere", 1.0, 1.0)


# --- the script --------------------------------------------------------------


def row(what: str = "a", oracle: str = "torch", **more) -> dict:
    return {
        "stage": "model", "oracle": oracle, "what": what, "version": "2.9.0",
        "difference": 3e-7, "relative": 2e-5, "dtypes": ["float32"],
        "tests": [f"tests/model/test_x.py::test_{what}"], "numbers": 7,
        "atol": 1e-5, "rtol": 0, **more,
    }  # fmt: skip


def stored(*rows: dict, skipped: tuple[str, ...] = ()) -> trust.Trust:
    return trust.Trust({trust.key(r): r for r in rows}, frozenset(skipped))


def test_versions_and_differences_may_vary() -> None:
    new = row(version="3.0", difference=9e-6, relative=None, numbers=8)
    assert trust.problems(stored(new), stored(row())) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "missing from the run: torch, a"),
        ([row(), row("b")], "not stored: torch, b"),
        ([row(atol=1e-4)], "another tolerance: torch, a (stored: atol=1e-05"),
        ([row(rtol=1e-6)], "another tolerance"),
        ([row(tests=["tests/model/test_x.py::test_b"])], "by other tests"),
    ],
)
def test_what_has_changed_is_named(found: list[dict], said: str) -> None:
    (problem,) = trust.problems(stored(*found), stored(row()))
    assert said in problem


def test_a_skipped_test_may_leave_its_row_out() -> None:
    (test,) = row()["tests"]
    found = stored(row("b"), skipped=(test,))
    assert trust.problems(found, stored(row(), row("b"))) == []
    assert trust.renewed(found, stored(row(), row("c"))).keys() == {
        trust.key(row()), trust.key(row("b")),
    }  # fmt: skip
    both = row(tests=[test, "tests/model/test_x.py::test_other"])
    half = row(tests=both["tests"][1:])
    assert trust.problems(stored(half, skipped=(test,)), stored(both)) == []


def test_from_a_run_to_the_file_and_back(tmp_path, monkeypatch, capsys) -> None:
    found, kept = tmp_path / "found.json", tmp_path / "kept.json"
    options = ["trust", "--found", str(found), "--stored", str(kept)]

    def said(*more: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [*options, *more])
        return trust.main(), capsys.readouterr().out

    assert said()[0] == 1
    found.write_text(json.dumps({"rows": [row("b"), row()], "skipped": []}))
    status, text = said()
    assert status == 1 and text.count("not stored") == 2
    assert trust.REFRESH in text
    assert said("--write")[0] == 0
    assert said() == (0, "2 comparisons, as close as stored\n")
    assert len(kept.read_text().splitlines()) == 2 + 2  # a line each
    long = {"rows": [row("b"), row(difference=1.23456e-7)], "skipped": []}
    found.write_text(json.dumps(long))
    assert said("--write")[0] == 0
    assert '"difference": 1.2e-07' in kept.read_text()
    less = {"rows": [row()], "skipped": row("b")["tests"]}
    found.write_text(json.dumps(less))
    status, text = said()
    assert status == 0 and "skipped: torch, b" in text
    found.write_text(json.dumps({"rows": [row()], "skipped": []}))
    assert said()[0] == 1


def test_rows_of_a_kind_are_one() -> None:
    both = merged(row(), row(difference=1e-9, atol=1e-4, tests=["z"]))
    kept = both["difference"], both["atol"], both["numbers"]
    assert kept == (3e-7, 1e-4, 14)
    assert len(both["tests"]) == 2


# --- the page ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "closely", "found"),
    [
        ({}, "10^{-5}", "< 10^{-6}"),
        ({"difference": 1e-6}, "10^{-5}", "< 10^{-5}"),
        ({"difference": 0.0}, "10^{-5}", "0"),
        ({"atol": 0.013, "difference": 0.004}, "0.013", "< 10^{-2}"),
        ({"atol": 2e-4, "rtol": 2e-4},
         r"2 \cdot 10^{-4} + 2 \cdot 10^{-4}\,\lvert y \rvert", "< 10^{-6}"),
        ({"atol": 0, "rtol": 2e-7, "relative": 1.2e-7},
         r"2 \cdot 10^{-7}\,\lvert y \rvert", r"< 10^{-6}\,\lvert y \rvert"),
        ({"atol": 0, "difference": 0.0, "relative": None}, "0", "0"),
    ],
)  # fmt: skip
def test_a_line_of_the_table(more: dict, closely: str, found: str) -> None:
    texts = [cell[0].astext() for cell in book_trust.cells(row(**more))]
    assert texts == ["a", closely, found]


def test_what_has_no_numbers_takes_both_columns() -> None:
    held = row(atol=None, rtol=None, difference=None, relative=None)
    texts = [cell[0].astext() for cell in book_trust.cells(held)]
    assert texts == ["a", "it holds, without numbers"]
    line = book_trust.line(book_trust.cells(held))
    assert line[-1]["morecols"] == 1


def test_a_table_has_its_libraries_above_their_lines() -> None:
    rows = [row("a", "peft"), row("a"), row("b", version="2.8.0")]
    made = book_trust.table(rows)
    told = "3 comparisons with 2 libraries."
    assert book_trust.caption(rows) == told
    exact = [row(atol=0), row("b")]
    told = "2 comparisons with one library. In 1 of them nothing may differ."
    assert book_trust.caption(exact) == told
    lines = [
        [entry.astext() for entry in line.findall(nodes.entry)]
        for line in made.findall(nodes.row)
    ]
    assert [line[0] for line in lines] == [
        "what is compared", "peft 2.9.0", "a", "torch 2.8.0, 2.9.0", "a", "b",
    ]  # fmt: skip
    assert [len(line) for line in lines] == [3, 1, 3, 1, 3, 3]
    said = book_trust.made_by(rows).astext()
    assert said == "The tests: test_x.py in tests/model."


def test_a_stage_without_a_section_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    rows = [row(stage="nowhere")]
    text = json.dumps({"rows": rows})
    (tmp_path / book_trust.STORED).write_text(text)
    with pytest.raises(ValueError, match="no section for 'nowhere'"):
        book_trust.rows_of(tmp_path)


def test_what_is_stored_can_be_printed_and_its_tests_are_there() -> None:
    rows = book_trust.rows_of(ROOT)
    assert rows == sorted(rows, key=trust.key)
    counts = book_trust.counts(rows)
    assert int(counts["comparisons"]) == len(rows) >= 100
    assert int(counts["libraries"]) >= 10
    for one in rows:
        assert all(cell[0].astext() for cell in book_trust.cells(one))
        for test in one["tests"]:
            path, name = test.split("::")
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), test
        if one["atol"] is not None:  # y is unknown: a bound for small ones
            assert one["difference"] <= one["atol"] or one["rtol"], one["what"]
