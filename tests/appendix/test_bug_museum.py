"""The museum's stored curves are what its bugs do."""

from __future__ import annotations

import re
from math import log
from pathlib import Path

import pytest
import torch

from llm_utils.appendix.bug_museum import (
    MEAN_OF,
    STEPS,
    floor,
    numbered,
    run,
    sound,
    stored,
)
from llm_utils.appendix.bugs import EXHIBITS, STOREROOM
from llm_utils.train.tiny_runs import Words
from scripts import cells

APPENDIX = Path(__file__).parents[2] / "chapters/appendix/D_bug_museum.ipynb"
WORDS = Words()
CURVES = stored()
BUGS = {"sound": lambda setup: setup, **EXHIBITS, **STOREROOM}


def last(kind: str, name: str, seed: int = 0) -> float:
    return getattr(CURVES[name, seed], kind)[STEPS]


def test_all_runs_are_there_and_whole() -> None:
    seeds = {name: 2 for name in EXHIBITS} | {name: 1 for name in STOREROOM}
    want = {(name, s) for name, n in seeds.items() for s in range(n)}
    assert set(CURVES) == want | {("sound", s) for s in range(3)}
    for curves in CURVES.values():
        assert max(curves.train) == max(curves.held) == STEPS
        assert len(curves.train) == STEPS // MEAN_OF + 1


@pytest.mark.parametrize("name", ["sound", "unshifted_targets", "wrong_axis"])
def test_a_run_of_today_is_the_stored_one(name: str) -> None:
    torch.set_num_threads(1)
    curves = run(BUGS[name](sound(WORDS)), stop=15)
    for step, loss in curves.train.items():
        assert loss == pytest.approx(CURVES[name, 0].train[step], abs=0.03)
    for step, loss in curves.held.items():
        assert loss == pytest.approx(CURVES[name, 0].held[step], abs=0.03)


@pytest.mark.parametrize("name", sorted({*EXHIBITS, *STOREROOM}))
def test_every_bug_can_be_planted(name: str) -> None:
    setup = BUGS[name](sound(WORDS))
    assert run(setup, stop=1).train[1] > 0


def test_only_a_leak_ends_below_the_floor() -> None:
    bottom = floor(WORDS)
    below = {n for n in EXHIBITS if last("held", n) < bottom}
    assert below == {"open_mask"}
    flattered = {n for n in EXHIBITS if last("train", n) < bottom}
    assert flattered == {
        "open_mask", "counted_padding", "same_batch", "unshifted_targets",
    }  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1])
def test_the_marks_that_the_text_names(seed: int) -> None:
    lnv = log(WORDS.vocab_size)
    first = {n: CURVES[n, seed].train[1] for n in EXHIBITS}
    assert first["wide_table"] > 5 * lnv
    assert first["unshifted_targets"] < lnv - 0.5
    assert abs(last("train", "other_weights", seed) - lnv) < 0.05
    good = last("train", "sound", seed)
    assert last("train", "shifted_twice", seed) > good + 0.2
    assert last("held", "other_ids", seed) > lnv
    assert last("train", "other_ids", seed) == good
    assert last("train", "double_softmax", seed) > lnv - 1


def test_the_numbers_are_a_shuffle() -> None:
    names = numbered(list(EXHIBITS))
    assert sorted(names.values()) == sorted(EXHIBITS)
    assert list(names) == list(range(1, 13))
    assert list(names.values()) != sorted(EXHIBITS)


def test_the_solutions_of_the_text_are_those_of_the_check() -> None:
    text = "".join(cell.source for cell in cells.read(APPENDIX).cells)
    told = re.findall(r"<summary>Exhibit (\d+)</summary>\n\n`(\w+)`", text)
    assert {int(n): name for n, name in told} == numbered(list(EXHIBITS))
    listed = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert listed == sorted(EXHIBITS)
