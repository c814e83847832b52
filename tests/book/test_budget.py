"""The budget explorer: the real JavaScript against the package's models."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import torch

from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import PRESETS, build
from llm_utils.text.next_token import next_token_loss
from llm_utils.train.memory import saved_bytes
from llm_utils.widgets import budget_explorer
from llm_utils.widgets.budget import Budget, _numbers

SHOWN = """() => [...document.querySelectorAll(".lx-group")].map((group) =>
  [...group.querySelectorAll(".lx-row")].map((x) => Number(x.dataset.value)))"""
NAMES = [name for name in PRESETS if not name.startswith("tiny-")]


def on_meta(name: str, **sizes: Any) -> GPT:
    with torch.device("meta"):
        return build(name, **sizes)


def explorer(name: str, **sizes: Any) -> Budget:
    """The explorer of a preset with other sizes."""
    make_block, cfg = PRESETS[name]
    shown = {"recipe": make_block.__name__, **_numbers(replace(cfg, **sizes))}
    made = budget_explorer()
    made.preset, made.sizes = "", shown
    return made


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_those_of_the_package(play: Any, name: str) -> None:
    page = play(budget_explorer(name))
    parts, memory, work = page.page.evaluate(SHOWN)
    model = on_meta(name)
    assert sum(parts) == model.n_params
    assert memory[:3] == [4 * sum(parts)] * 2 + [8 * sum(parts)]
    assert all(x > 0 for x in memory + work)
    assert f"{model.n_params:,} parameters" in page.status()


def test_any_sizes_give_the_parameters_of_that_model(play: Any) -> None:
    rng = random.Random(0)
    for _ in range(8):
        kv = rng.choice([1, 2, 4])
        sizes = {
            "n_layers": rng.randint(1, 5), "d_model": 64 * rng.randint(1, 6),
            "n_kv_heads": kv, "n_heads": kv * rng.randint(1, 3),
            "d_head": 2 * rng.randint(2, 20), "d_ff": rng.randint(9, 99),
            "vocab_size": rng.randint(9, 999), "max_len": rng.randint(9, 99),
            "tie_embeddings": rng.random() < 0.5,
        }  # fmt: skip
        name = rng.choice(NAMES)
        parts, _, _ = play(explorer(name, **sizes)).page.evaluate(SHOWN)
        assert sum(parts) == on_meta(name, **sizes).n_params, (name, sizes)


@pytest.mark.parametrize("name", ["gpt2", "llama-3.2-1b", "qwen3-0.6b"])
def test_activations_are_what_torch_keeps(play: Any, name: str) -> None:
    sizes = {
        "n_layers": 3, "d_model": 48, "n_heads": 6, "n_kv_heads": 1,
        "d_head": 32, "d_ff": 96, "vocab_size": 200, "max_len": 64,
    }  # fmt: skip
    if name == "gpt2":
        sizes["n_kv_heads"] = 6
    _, memory, _ = play(explorer(name, **sizes)).page.evaluate(SHOWN)
    model, ids = build(name, **sizes), torch.randint(200, (1, 64))
    kept = saved_bytes(model, lambda: next_token_loss(model(ids), ids))
    assert memory[3] == pytest.approx(kept, rel=0.01)


def test_a_dial_and_a_preset_change_what_is_shown(play: Any) -> None:
    page = play(budget_explorer("gpt2"))
    slider = page.page.get_by_role("slider", name="Layers")
    slider.fill("23")  # the 24th stop
    model = on_meta("gpt2", n_layers=24)
    assert f"{model.n_params:,} parameters" in page.status()
    choice = page.page.get_by_label("Begin with")
    assert choice.input_value() == ""
    choice.select_option("llama-3.2-1b")
    assert "1,235,814,400 parameters" in page.status()
    page.page.get_by_role("slider", name="Heads", exact=True).fill("19")
    assert "key-value" not in page.status()
    kv = page.page.get_by_role("slider", name="Key-value heads")
    assert kv.get_attribute("aria-valuetext") == "5", "20 heads: 8 do not fit"


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(budget_explorer("mixtral-8x7b"), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_another_preset_is_refused() -> None:
    with pytest.raises(ValueError, match="no preset 'gpt-9'"):
        budget_explorer("gpt-9")
