"""The leaderboard and the command that fills it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from llm_utils.__main__ import main
from llm_utils.capstone import board


def line(recipe: str, seed: int, above: float, **more) -> dict:
    return {
        "recipe": recipe, "digest": "a", "unit": "seconds", "budget": 60,
        "seed": seed, "tokens": 10, "flops": 1e9, "above": above, **more,
    }  # fmt: skip


def test_the_mean_ranks_and_not_the_best_seed() -> None:
    found = board.standings(
        [line("lucky", 0, 1.0), line("lucky", 1, 9.0), line("calm", 0, 4.0)]
    )
    assert [s.recipe for s in found] == ["calm", "lucky"]
    assert found[1].above == 5 and found[1].seeds == 2
    assert found[1].off == pytest.approx(4.0)
    assert math.isnan(found[0].off)


def test_a_seed_counts_once_and_budgets_stand_apart() -> None:
    lines = [line("a", 0, 1.0), line("a", 0, 3.0), line("a", 0, 5.0, budget=9)]
    found = board.standings(lines)
    assert [(s.budget, s.above, s.seeds) for s in found] == [
        ("60 seconds", 3.0, 1),
        ("9 seconds", 5.0, 1),
    ]


def test_two_recipes_of_one_name_are_not_averaged() -> None:
    assert len(board.standings([line("a", 0, 1), line("a", 1, 2, digest="b")]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"recipe": "cut', "no JSON"),
        ("[1, 2]", "no table"),
        (json.dumps(line("a", 0, 1.0) | {"above": "low"}), "number for above"),
        (json.dumps({"recipe": "a"}), "no digest"),
    ],
)
def test_a_broken_line_is_reported_and_the_rest_is_read(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "folder/board.jsonl"
    board.append(path, line("a", 0, 2.0))
    with path.open("a") as file:
        file.write(text + "\n")
    board.append(path, line("b", 0, 1.0))
    lines, wrong = board.read(path)
    assert [x["recipe"] for x in lines] == ["a", "b"]
    assert len(wrong) == 1 and "line 2" in wrong[0] and says in wrong[0]


SMALL = [
    "--model.n_layers=1", "--model.d_model=16", "--model.n_heads=2",
    "--model.d_ff=32",
]  # fmt: skip


def race(tmp_path: Path, *more: str) -> int:
    path = tmp_path / "board.jsonl"
    return main(["race", "--recipe", "best", "--board", str(path), *more])


def test_the_command_enters_the_board(tmp_path: Path, capsys) -> None:
    for seed in ("1", "0"):
        assert not race(tmp_path, "--tokens", "4000", "--seed", seed, *SMALL)
    said = capsys.readouterr().out
    assert "best changed" in said and "4000 places" in said
    lines, wrong = board.read(tmp_path / "board.jsonl")
    assert not wrong and {x["seed"] for x in lines} == {0, 1}
    assert all(x["used"] <= 4000 for x in lines)
    assert {"true_95", "clean", "flops", "threads"} <= set(lines[0])


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--minutes", "0"], "more than 0"),
        (["--minutes", "nan"], "more than 0"),
        (["--tokens", "5"], "too few"),
        (["--optim.peek=1"], "peek"),
        (["--recipe", "nowhere"], "best, plain"),
    ],
)
def test_bad_input_gets_one_line(
    tmp_path: Path, capsys, flags: list[str], says: str
) -> None:
    assert race(tmp_path, *flags) == 1
    error = capsys.readouterr().err
    assert error.startswith("error:") and says in error
    assert not (tmp_path / "board.jsonl").exists()
