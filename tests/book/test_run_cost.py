"""The explorer of a run's cost: its JavaScript against the package."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llm_utils.train.accounting import bill
from llm_utils.train.memory import training_memory
from llm_utils.train.scaling import CHINCHILLA_AGAIN
from llm_utils.widgets import run_cost_explorer

SHOWN = """() => [...document.querySelectorAll(".lx-group")].map((group) =>
  [...group.querySelectorAll(".lx-row")].map((x) => Number(x.dataset.value)))"""
TOTAL = """() => { const { work, hours } =
  document.querySelector(".lx-total").dataset;
  return [Number(work), Number(hours)]; }"""


def test_every_number_is_the_packages(play: Any) -> None:
    rng, law = random.Random(0), CHINCHILLA_AGAIN
    for _ in range(6):
        N, D = 10 ** rng.uniform(7, 12), 10 ** rng.uniform(8, 14)
        n, stage = 2 ** rng.randrange(15), rng.randrange(4)
        share, price = rng.uniform(0.05, 0.9), rng.uniform(0.5, 9)
        explorer = run_cost_explorer(
            n_params=N, n_tokens=D, devices=n, stage=stage, mfu=share,
            price=price,
        )  # fmt: skip
        page = play(explorer)
        memory, loss = page.page.evaluate(SHOWN)
        wanted = training_memory(N, 0, True, stage, n)[:3]
        assert memory == pytest.approx(list(wanted))
        assert sum(loss) == pytest.approx(law.loss(N, D))
        work, hours = page.page.evaluate(TOTAL)
        assert work == pytest.approx(6 * N * D)
        assert hours == pytest.approx(bill(work, 989e12, share, price)[0])


def test_a_dial_changes_what_is_shown(play: Any) -> None:
    page = play(run_cost_explorer())
    assert "1.86 EFLOP" in page.status() and "20.2 tokens" in page.status()
    before = page.page.evaluate(SHOWN)[0]
    page.page.get_by_role("slider", name="ZeRO stage").fill("3")
    after = page.page.evaluate(SHOWN)[0]
    assert [a / b for a, b in zip(before, after, strict=True)] == [8, 8, 8]


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(run_cost_explorer(n_params=7e9, n_tokens=1.4e11), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_another_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="no setting"):
        run_cost_explorer(gpus=8)
