"""The explorer of how fast a model writes: JavaScript against the package."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llm_utils.infer.decode_cost import SHAPES, step_cost, tokens_per_pass
from llm_utils.train.accounting import Roofline
from llm_utils.widgets import decode_cost_explorer

ROOF = Roofline(989e12, 3.35e12)
SHOWN = """() => [...document.querySelectorAll(".lx-row")].map((x) =>
  Number(x.dataset.value))"""
EACH = """() => Number(document.querySelector(".lx-total").dataset.each)"""


def test_every_number_is_the_packages(play: Any) -> None:
    rng = random.Random(0)
    for name in SHAPES:
        bits, B, T = rng.choice([16, 8, 4]), rng.choice([1, 64]), 4096
        k, alpha = rng.choice([0, 3]), 0.35
        page = play(decode_cost_explorer(
            model=name, bits=bits, B=B, T=T, k=k, alpha=alpha
        ))  # fmt: skip
        cost = step_cost(SHAPES[name], ROOF, B, T, bits)
        computing = cost.computing * (k + 1)
        wanted = [
            cost.weights, cost.caches, cost.weights / ROOF.bandwidth,
            cost.caches / ROOF.bandwidth, computing,
        ]  # fmt: skip
        assert page.page.evaluate(SHOWN) == pytest.approx(wanted)
        each = tokens_per_pass(alpha, k) / max(cost.reading, computing)
        assert page.page.evaluate(EACH) == pytest.approx(each)


def test_the_wall_moves(play: Any) -> None:
    page = play(decode_cost_explorer())
    assert "the wall is reading weights" in page.status()
    page.page.get_by_role("slider", name="Texts at once").fill("7")
    assert "the wall is reading caches" in page.status()
    page.page.get_by_role("slider", name="Tokens of each").fill("0")
    page.page.get_by_role("slider", name="Texts at once").fill("10")
    assert "the wall is arithmetic" in page.status()
    page.page.get_by_role("slider", name="Texts at once").fill("5")
    assert "the wall is reading weights" in page.status()
    page.page.get_by_role("slider", name="Guesses a pass").fill("8")
    assert "the wall is arithmetic" in page.status()
    page.page.get_by_role("button", name="Llama 3.2 1B").click()
    assert page.page.evaluate(SHOWN)[0] == pytest.approx(2.48e9)


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(decode_cost_explorer(model="Llama 3.1 70B", B=1024), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_another_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="no setting"):
        decode_cost_explorer(gpus=8)
    with pytest.raises(ValueError, match="no chance"):
        tokens_per_pass(1.5, 2)
