"""The explorer of chapter 17's tricks: its JavaScript against the package."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llm_utils.capstone.tricks import LADDER
from llm_utils.widgets import ladder_explorer
from llm_utils.widgets.ladder import foretold, rungs

TOLD = """() => ({...document.querySelector(".lx-total").dataset})"""


def test_every_number_is_the_packages(play: Any) -> None:
    rng = random.Random(0)
    for _ in range(4):
        tricks = [name for name in LADDER if rng.random() < 0.5]
        told = play(ladder_explorer(tricks)).page.evaluate(TOLD)
        below, above = foretold(tricks)
        assert float(told["below"]) == pytest.approx(below)
        assert float(told["above"]) == pytest.approx(above)


def test_both_ways_end_where_they_were_measured() -> None:
    ends = rungs()[1]
    assert foretold(LADDER) == pytest.approx((ends["best"], ends["best"]))
    assert foretold(())[0] == pytest.approx(ends["plain"])


def test_a_button_changes_what_is_shown(play: Any) -> None:
    page = play(ladder_explorer())
    assert page.status().startswith("0 of 10 tricks")
    page.button("muon").click()
    assert page.status().startswith("1 of 10 tricks")
    assert page.button("muon").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(ladder_explorer(["muon"]), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_an_unknown_trick_is_refused() -> None:
    with pytest.raises(ValueError, match="choose from"):
        ladder_explorer(["luck"])
