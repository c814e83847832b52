"""The explorer of a group's answers: its JavaScript against the package."""

from __future__ import annotations

from typing import Any

import pytest

from llm_utils.widgets import group_explorer
from llm_utils.widgets.grouping import lesson

SHOWN = """() => [...document.querySelectorAll(".lx-group")].map((group) =>
  [...group.querySelectorAll(".lx-row")].map((x) => Number(x.dataset.value)))"""
TOLD = """() => ({...document.querySelector(".lx-total").dataset})"""


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(("p", "G"), [(0.3, 8), (0.02, 5), (0.9, 2)])
def test_every_number_is_the_packages(
    play: Any, p: float, G: int, scale: bool
) -> None:
    page = play(group_explorer(p, G, scale))
    chances, gains = page.page.evaluate(SHOWN)
    told = page.page.evaluate(TOLD)
    wanted = lesson(p, G, scale)
    assert chances == pytest.approx(wanted.chances, abs=1e-9)
    assert gains == pytest.approx(wanted.gains, abs=1e-9)
    assert float(told["silent"]) == pytest.approx(wanted.silent, abs=1e-9)
    assert float(told["pull"]) == pytest.approx(wanted.pull, abs=1e-9)


def test_a_lesson_by_hand() -> None:
    found = lesson(0.5, 2, scale=False)
    assert found.chances[:3] == [0.25, 0.5, 0.25]
    assert found.gains[:3] == [0.0, 0.5, 0.0]
    assert found.silent == 0.5 and found.pull == pytest.approx(0.125)
    rare = lesson(0.1, 8)
    assert rare.gains[1] > 2 > rare.gains[4]


def test_a_dial_changes_what_is_shown(play: Any) -> None:
    page = play(group_explorer(p=0.5))
    before = page.page.evaluate(SHOWN)
    page.page.get_by_role("slider", name="Answers").fill("0")
    after = page.page.evaluate(SHOWN)
    assert before[0][8] > 0 == after[0][8]


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(group_explorer(), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_nonsense_is_refused() -> None:
    for wrong in ({"p": 0.0}, {"p": 1.0}, {"G": 1}, {"G": 9}):
        with pytest.raises(ValueError, match="2 to 8"):
            group_explorer(**wrong)
