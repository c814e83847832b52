"""The explorer of a test's power: its JavaScript against the package."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llm_utils.infer.intervals import items_needed, power, spread_of
from llm_utils.widgets import verdict_explorer

SHOWN = """() => [...document.querySelectorAll(".lx-group")].map((group) =>
  [...group.querySelectorAll(".lx-row")].map((x) => Number(x.dataset.value)))"""
NEEDED = """() => Number(
  document.querySelector(".lx-total").dataset.needed)"""


def test_every_number_is_the_packages(play: Any) -> None:
    rng = random.Random(0)
    for _ in range(6):
        a, b = sorted((rng.uniform(0.2, 0.99), rng.uniform(0.2, 0.99)))
        n, shared = rng.randrange(10, 3000), rng.random()
        page = play(verdict_explorer(n=n, better=b, worse=a, shared=shared))
        errors, found = page.page.evaluate(SHOWN)
        spread = spread_of(b, a, shared)
        apart = (a * (1 - a) + b * (1 - b)) ** 0.5
        wanted = [(x * (1 - x)) ** 0.5 for x in (b, a)] + [apart, spread]
        assert errors == pytest.approx([x / n**0.5 for x in wanted])
        assert found == pytest.approx(
            [power(b - a, apart, n), power(b - a, spread, n), 0.8], abs=1e-5
        )
        needed = page.page.evaluate(NEEDED)
        assert items_needed(b - a, spread) == pytest.approx(needed, abs=1.01)


def test_a_dial_changes_what_is_shown(play: Any) -> None:
    page = play(verdict_explorer(n=100))
    assert "5.0 points" in page.status()
    before = page.page.evaluate(SHOWN)
    items = page.page.get_by_role("slider", name="Items")
    items.fill(items.get_attribute("max"))
    after = page.page.evaluate(SHOWN)
    assert after[0][0] < before[0][0] / 10 and after[1][1] > before[1][1]


def test_equal_models_are_never_told_apart(play: Any) -> None:
    page = play(verdict_explorer(better=0.9, worse=0.9))
    assert "no number of items" in page.status()
    assert page.page.evaluate(SHOWN)[1] == pytest.approx(
        [0.05, 0.05, 0.8], abs=1e-5
    )


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(verdict_explorer(), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_another_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="no setting"):
        verdict_explorer(items=8)
    with pytest.raises(ValueError, match="0 to 1"):
        verdict_explorer(better=90)
