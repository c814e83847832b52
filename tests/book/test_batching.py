"""The explorer of batches: its JavaScript against the package."""

from __future__ import annotations

from typing import Any

import pytest

from llm_utils.infer import schedule
from llm_utils.widgets import batching_explorer

GROUPS = {
    "alike": [5] * 9,
    "mixed": [9, 1, 4, 4, 2, 7, 3, 3, 8, 1, 1, 6],
    "long": [40, 1, 2, 1, 3],
}
SHOWN = """() => [...document.querySelectorAll(".bt-rows")].map((rows) =>
  [...rows.querySelectorAll("[data-turn]")].map((x) =>
    x.dataset.turn.split(" ").map(Number)))"""


def both(lengths: list[int], places: int) -> list[list[list[int]]]:
    ways = schedule.static, schedule.continuous
    return [sorted(map(list, way(lengths, places))) for way in ways]


def shown(page: Any) -> list[list[list[int]]]:
    return [sorted(turns) for turns in page.page.evaluate(SHOWN)]


def test_every_turn_is_the_packages(play: Any) -> None:
    page = play(batching_explorer(GROUPS, 3))
    assert shown(page) == both(GROUPS["alike"], 3)
    for name, lengths in GROUPS.items():
        page.button(name).click()
        for places in (1, 2, 5, 8):
            page.page.get_by_role("slider").fill(str(places - 1))
            assert shown(page) == both(lengths, places)
    used = schedule.utilization(schedule.static(GROUPS["mixed"], 4), 4)
    page.button("mixed").click()
    page.page.get_by_role("slider").fill("3")
    notes = page.page.locator(".lx-group .lx-note").all_inner_texts()
    assert f"{100 * used:.0f} %" in notes[0]


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(batching_explorer(GROUPS), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_it_can_be_read_by_everybody(play: Any) -> None:
    assert play(batching_explorer(GROUPS)).axe() == []


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="two groups"):
        batching_explorer({"a": [1]})
    with pytest.raises(ValueError, match="below 1"):
        batching_explorer({"a": [1], "b": []})
    with pytest.raises(ValueError, match="places=9"):
        batching_explorer(GROUPS, 9)
