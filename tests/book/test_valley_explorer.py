"""The explorer of chapter 8: its paths are those of torch and of our AdamW."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from explorers import LIVE, bundle

from llm_utils.train.optim import AdamW
from llm_utils.widgets import EXPLORER_MIME, valley_explorer
from llm_utils.widgets.valley import OPTIMIZERS, RATES, START, STEEP, TURNS

MAKE = {
    "gradient descent": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
    "AdamW": lambda p, lr: AdamW(p, lr, weight_decay=0.0),
}


def path(name: str, rate: float, turn: int) -> list[list[float]]:
    """The weights before the first step and after each of sixty."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    floor = torch.tensor([[c, s], [-s, c]], dtype=torch.float64)
    start = torch.tensor(START, dtype=torch.float64) @ floor
    point = start.clone().requires_grad_()
    opt = MAKE[name]([point], rate)
    found = [point.tolist()]
    for _ in range(60):
        a, b = floor @ point
        opt.zero_grad()
        ((a**2 + STEEP * b**2) / 2).backward()
        opt.step()
        found.append(point.tolist())
    return found


def slide(page: Any, name: str, to: int) -> None:
    page.page.get_by_role("slider", name=name).fill(str(to))


def drawn(page: Any) -> list[tuple[float, float]]:
    line = page.page.locator("polyline").get_attribute("points")
    return [tuple(map(float, p.split(","))) for p in line.split()]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("rate", "turn"), [(3, 0), (2, 2), (5, 3)])
def test_the_path_is_that_of_the_optimizer(play, name, rate, turn) -> None:
    page = play(valley_explorer())
    page.button(name).click()
    slide(page, "Learning rate", rate)
    slide(page, "Valley turned by", turn)
    found = [((x - 320) / 62, (200 - y) / 62) for x, y in drawn(page)]
    due = path(name, RATES[rate], TURNS[turn])
    assert len(found) == 61
    for got, want in zip(found, due, strict=True):
        seen = [max(-80, min(80, w)) for w in want]
        assert got == pytest.approx(seen, abs=2) or max(map(abs, want)) > 50
        if max(map(abs, want)) < 50:
            assert got == pytest.approx(want, abs=1e-6)


def test_what_is_said(play: Any) -> None:
    page = play(valley_explorer("gradient descent", 0.07))
    assert "After 60 steps the loss is 0.0013, of 21." in page.status()
    assert "gone: at step" in page.status()
    slide(page, "Learning rate", 5)
    assert "it diverges. It began at 21." in page.status()
    slide(page, "Learning rate", 0)
    assert "gone: never" in page.status()
    page.button("AdamW").click()
    pressed = page.page.locator("[aria-pressed=true]").all_inner_texts()
    assert pressed == ["AdamW"]


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_nothing_moves_or_overflows(play: Any, width: int) -> None:
    page = play(valley_explorer(), width)
    places = set()
    for name in OPTIMIZERS:
        page.button(name).click()
        for rate in range(len(RATES)):
            slide(page, "Learning rate", rate)
            places.add(page.page.locator("#after").bounding_box()["y"])
    assert len(places) == 1
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_accessible_in_light_and_dark(play: Any) -> None:
    page = play(valley_explorer())
    assert page.axe() == []
    assert page.requests == [page.url]


def test_python_hears_and_is_heard(play: Any) -> None:
    explorer = valley_explorer()
    page = play(explorer, html="<p>live</p>")
    page.page.evaluate(LIVE, [explorer._esm, explorer.state()])
    page.button("momentum").click()
    assert page.page.evaluate("told") == [["optimizer", "momentum"], "saved"]
    page.page.evaluate("model.set('turn', 45)")  # w.turn = 45
    assert "45" in page.page.locator(".lx-sliders").inner_text()
    page.page.evaluate("stop()")


def test_the_output_is_plain_and_the_same_every_time() -> None:
    one, two = (bundle(valley_explorer("AdamW", 0.1, 45)) for _ in range(2))
    assert one[EXPLORER_MIME] == two[EXPLORER_MIME]
    assert one[EXPLORER_MIME]["state"]["optimizer"] == "AdamW"


@pytest.mark.parametrize(
    "wrong", [{"optimizer": "Muon"}, {"rate": 0.3}, {"turn": 90}]
)
def test_the_border_refuses_what_is_not_there(wrong) -> None:
    with pytest.raises(ValueError, match="choose from"):
        valley_explorer(**wrong)
