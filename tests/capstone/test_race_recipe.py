"""Recipes: what is written in them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_utils.capstone.recipe import (
    TICKS,
    Recipe,
    from_dict,
    read_recipe,
    shipped_recipes,
)
from llm_utils.capstone.tricks import (
    LADDER,
    changed,
    recipes,
    stored,
    with_tricks,
)


def test_the_shipped_recipes_can_be_read() -> None:
    assert shipped_recipes() == ["best", "plain"]
    assert read_recipe("plain").model["block"] == "gpt2"
    assert read_recipe("best").optim.name == "muon"


def test_the_best_recipe_is_the_ladders_top() -> None:
    top, best = with_tricks([*LADDER]).as_dict(), read_recipe("best").as_dict()
    assert {**top, "note": ""} == {**best, "note": ""}
    assert changed().as_dict() | {"note": 0} == read_recipe(
        "plain"
    ).as_dict() | {"note": 0}


def test_flags_go_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[optim]\npeak = 0.5\n")
    assert read_recipe(str(file)).optim.peak == 0.5
    assert read_recipe(str(file), ["--optim.peak=0.25"]).optim.peak == 0.25


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[optim]\npeek = 1.0", "peek"),
        ("[optim]\npeak = 'high'", "str"),
        ("[optim]\npeak = 0.0", "none may be negative"),
        ("[optim]\nname = 'sgd'", "adamw, muon"),
        ("[model]\nblock = 'rnn'", "gpt2, llama, qwen"),
        ("[model]\nvocab_size = 3", "vocab_size"),
        ("[model]\nn_heads = 5", "do not divide"),
        ("[data]\norder = 'any'", "told, length, packed"),
        ("[data]\nbatch_tokens = 0", "1 or more"),
        ("[schedule]\nshape = 'sine'", "cosine"),
        ("[schedule]\nwarmup = 0.5\ndecay = 0.6", "together at most 1"),
        ("[extra]\na = 1", "extra"),
        ("optim = 3", r"\[optim\]"),
        ("a = = 1", "no TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=says):
        read_recipe(str(file))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ValueError, match="best, plain"):
        read_recipe("nowhere.toml")


def test_shares_become_ticks() -> None:
    rates = from_dict(
        {"schedule": {"shape": "wsd", "warmup": 0.5, "decay": 0.5}}
    ).rates()
    assert rates(TICKS // 2) == pytest.approx(3e-4)
    assert rates(TICKS) == 0


def test_each_trick_changes_the_recipe() -> None:
    found = [repr(r.as_dict()) for r in recipes().values()]
    assert len(set(found)) == len(found)
    with pytest.raises(ValueError, match="luck"):
        with_tricks(["luck"])


def test_the_stored_table_has_every_recipe() -> None:
    for measure in ("above", "seconds_per_place", "tokens"):
        assert set(stored(measure)) == set(recipes())
    ladder = ["plain", *(f"+ {name}" for name in LADDER)]
    assert stored()[ladder[-1]][0] < 0.1 * stored()["plain"][0]
    assert isinstance(recipes()["plain"], Recipe)
