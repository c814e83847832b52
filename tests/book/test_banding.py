"""The explorer of bands: its numbers are those of the formula, in Python."""

from __future__ import annotations

import random
from typing import Any

import pytest
from explorers import LIVE, bundle

from llm_utils.widgets import EXPLORER_MIME, banding_explorer

RNG = random.Random(0)
COPIES = [RNG.uniform(0.7, 1) for _ in range(40)]
OTHERS = [RNG.uniform(0, 0.3) for _ in range(5000)]


def found(similarities: list[float], bands: int, rows: int) -> float:
    each = (1 - (1 - round(s, 2) ** rows) ** bands for s in similarities)
    return sum(each)


def slide(page: Any, name: str, to: int) -> None:
    page.page.get_by_role("slider", name=name).fill(str(to))


def test_what_it_says_is_what_the_formula_says(play: Any) -> None:
    page = play(banding_explorer(COPIES, OTHERS))
    for bands, rows in [(14, 8), (40, 2), (1, 16)]:
        slide(page, "Bands", bands)
        slide(page, "Hashes in a band", rows)
        text = page.status()
        assert f"{bands * rows} hashes a document" in text
        assert f"Of 40 copies {found(COPIES, bands, rows):.1f} are" in text
        wrong = found(OTHERS, bands, rows)
        shown = f"{wrong:.1f}" if wrong < 99.95 else f"{wrong:,.0f}"
        assert f"of 5,000 other pairs {shown} are compared" in text


def test_the_line_is_the_formula(play: Any) -> None:
    page = play(banding_explorer(COPIES, OTHERS, bands=20, rows=5))
    line = page.page.locator("polyline").get_attribute("points")
    heights = [float(p.split(",")[1]) for p in line.split()]
    low, high = heights[0], heights[-1]
    for i in range(101):
        p = 1 - (1 - (i / 100) ** 5) ** 20
        assert heights[i] == pytest.approx(low + p * (high - low), abs=0.06)


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_nothing_moves_or_overflows(play: Any, width: int) -> None:
    page = play(banding_explorer(COPIES, OTHERS), width)
    places = set()
    for bands in (1, 14, 40):
        slide(page, "Bands", bands)
        for rows in (1, 8, 16):
            slide(page, "Hashes in a band", rows)
            places.add(page.page.locator("#after").bounding_box()["y"])
    assert len(places) == 1
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_accessible_in_light_and_dark(play: Any) -> None:
    page = play(banding_explorer(COPIES, OTHERS))
    assert page.axe() == []
    assert page.requests == [page.url]


def test_python_hears_and_is_heard(play: Any) -> None:
    explorer = banding_explorer(COPIES, OTHERS)
    page = play(explorer, html="<p>live</p>")
    page.page.evaluate(LIVE, [explorer._esm, explorer.state()])
    slide(page, "Bands", 20)
    assert page.page.evaluate("told") == [["bands", 20], "saved"]
    page.page.evaluate("model.set('rows', 5)")
    assert "100 hashes a document" in page.status()
    page.page.evaluate("stop()")
    page.page.evaluate("model.set('rows', 6)")
    assert "100 hashes a document" in page.status(), "nobody listens any more"


def test_the_border_refuses_what_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        banding_explorer([1.1], OTHERS)
    with pytest.raises(ValueError, match="give some"):
        banding_explorer(COPIES, [])
    with pytest.raises(ValueError, match="at most 40 of 16"):
        banding_explorer(COPIES, OTHERS, bands=41)
    state = bundle(banding_explorer([0.91, 0.912], [0.1]))[EXPLORER_MIME]
    assert state["state"]["copies"] == "0.91:2"
