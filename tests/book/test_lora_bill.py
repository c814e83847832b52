"""The explorer of tuning's memory: its JavaScript against the package."""

from __future__ import annotations

import random
from typing import Any

import pytest

from llm_utils.align.lora import lora_params
from llm_utils.train.memory import training_memory
from llm_utils.widgets import lora_explorer
from llm_utils.widgets.lora import BITS, SIZES, TARGETS, tuning_bytes

SHOWN = """() => [...document.querySelectorAll(".lx-group")].map((group) =>
  [...group.querySelectorAll(".lx-row")].map((x) => Number(x.dataset.value)))"""
TRAINED = """() => Number(
  document.querySelector(".lx-total").dataset.trained)"""


def with_total(parts: dict[str, float]) -> list[float]:
    return [*parts.values(), sum(parts.values())]


def test_every_number_is_the_packages(play: Any) -> None:
    rng = random.Random(0)
    for _ in range(6):
        size, targets = rng.choice([*SIZES]), rng.choice([*TARGETS])
        rank, bits = rng.randrange(1, 300), rng.choice(BITS)
        page = play(lora_explorer(size, rank, targets, bits))
        full, lora = page.page.evaluate(SHOWN)
        assert full == pytest.approx(with_total(tuning_bytes(size, 0)))
        wanted = tuning_bytes(size, rank, targets, bits)
        assert lora == pytest.approx(with_total(wanted))
        trained = page.page.evaluate(TRAINED)
        assert trained == rank * SIZES[size].rank_one(targets)


def test_the_bill_is_that_of_chapters_9_and_14() -> None:
    for name, size in SIZES.items():
        bill = training_memory(size.n_params, mixed=True)
        full = tuning_bytes(name, 0)
        assert [*full.values()] == [*bill[:3]]
        maps = (size.maps[t] for t in TARGETS["all"])
        params = size.n_layers * sum(lora_params(a, b, 8) for a, b in maps)
        assert 8 * size.rank_one("all") == params
        # The name says how many, rounded.
        assert size.n_params / 1e9 == pytest.approx(float(name[:-1]), rel=0.06)


def test_a_dial_changes_what_is_shown(play: Any) -> None:
    page = play(lora_explorer(size="8B", rank=1, bits=16))
    assert "holds LoRA," in page.status()
    before = page.page.evaluate(SHOWN)
    rank = page.page.get_by_role("slider", name="Rank")
    rank.fill(rank.get_attribute("max"))
    after = page.page.evaluate(SHOWN)
    assert after[0] == before[0] and after[1][2] > 200 * before[1][2]
    page.page.get_by_role("button", name="q and v").click()
    assert page.page.evaluate(SHOWN)[1][2] < after[1][2]
    model = page.page.get_by_role("slider", name="Model")
    model.fill("0")
    assert "holds full tuning and LoRA" in page.status()


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(lora_explorer(), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_another_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="no '7B' here"):
        lora_explorer("7B")
    with pytest.raises(ValueError, match="no 3 here"):
        lora_explorer(bits=3)
    with pytest.raises(ValueError, match="rank=0"):
        lora_explorer(rank=0)
