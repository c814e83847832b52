"""The explorer of filters: its JavaScript against the package's filters."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import torch
from explorers import Play

from llm_utils.infer.filters import chosen, filtered
from llm_utils.text.bpe import ByteBPE
from llm_utils.viz import visible
from llm_utils.widgets import EXPLORER_MIME, sampling_explorer
from llm_utils.widgets.sampling import OFF, Sampling

BYTES = ByteBPE(special_tokens=["<|endoftext|>"])
PROMPTS = [[256, *BYTES.encode("abc abd")], [256, *BYTES.encode("zz")]]
ROWS = """() => [...document.querySelectorAll(".sm-row")].map((x) =>
  [Number(x.dataset.id), Number(x.dataset.p)])"""


def model(ids: torch.Tensor) -> torch.Tensor:
    """Scores that depend on the last id; letters have the highest."""
    rng = torch.Generator().manual_seed(int(ids[0, -1]))
    scores = 3 * torch.randn(*ids.shape, 257, generator=rng)
    scores[..., ord("a") : ord("z") + 1] += 6
    return scores


def expected(made: Sampling) -> torch.Tensor:
    """What the package makes of the scores that the page holds."""
    at = made.at
    scores = torch.tensor([[float(z) for z in made.scores[at].split()]])
    ids = torch.tensor([[int(i) for i in made.past[at].split()]])
    knobs = {k: v or None if k == "top_k" else v for k, v in made.knobs.items()}
    after = filtered(scores.double(), ids, chosen(**knobs))
    return after.softmax(-1)[0]


def assert_shown(page: Play, made: Sampling) -> None:
    p = expected(made)
    for i, shown in page.page.evaluate(ROWS):
        assert shown == pytest.approx(float(p[i]), abs=1e-6)
    left, nats = page.page.locator(".lx-figure b").all_inner_texts()
    assert int(left) == int((p > 0).sum())
    assert float(nats) == pytest.approx(
        -float(torch.special.xlogy(p, p).sum()), abs=0.006
    )


def test_the_page_filters_as_the_package_does(play: Any) -> None:
    rng = random.Random(0)
    for n in range(12):
        knobs = {
            "repetition_penalty": rng.choice([1, 1.2, 2]),
            "temperature": rng.choice([0, 0.3, 1, 1.7]),
            "top_k": rng.choice([0, 1, 5, 50]),
            "top_p": rng.choice([0, 0.35, 0.9, 1]),
            "min_p": rng.choice([0, 0.05, 1]),
        }
        made = sampling_explorer(model, BYTES, PROMPTS, **knobs)
        made.at = n % 2
        assert_shown(play(made), made)


def test_each_knob_alone(play: Any) -> None:
    for knob in ({"top_k": 5}, {"top_p": 0.6}, {"min_p": 0.2},
                 {"temperature": 0.5}, {"repetition_penalty": 2}):  # fmt: skip
        made = sampling_explorer(model, BYTES, PROMPTS, **knob)
        p, plain = (
            expected(made),
            expected(sampling_explorer(model, BYTES, PROMPTS)),
        )
        assert not torch.allclose(p, plain), "vacuous test"
        assert_shown(play(made), made)


def test_a_slider_and_another_text_change_what_is_shown(play: Any) -> None:
    made = sampling_explorer(model, BYTES, PROMPTS)
    page = play(made)
    page.button("Text 2").click()
    made.at = 1
    assert_shown(page, made)
    slider = page.page.get_by_label("Top-k (0: all)")
    slider.focus()
    page.page.keyboard.press("ArrowRight")
    made.knobs = {**OFF, "top_k": 1}
    assert_shown(page, made)
    best = int(expected(made).argmax())
    page.button("Draw a token").click()
    chip = page.page.locator(".sm-chip").inner_text()
    assert chip == visible(BYTES.vocab[best])
    assert page.requests == [page.url]


def test_it_fits_a_phone(play: Any) -> None:
    page = play(sampling_explorer(model, BYTES, PROMPTS), 360)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360


def test_the_border_refuses_what_a_page_cannot_show() -> None:
    with pytest.raises(ValueError, match="one prompt"):
        sampling_explorer(model, BYTES, [])
    with pytest.raises(ValueError, match="none empty"):
        sampling_explorer(model, BYTES, [[]])
    with pytest.raises(ValueError, match=r"no knobs \['heat'\]"):
        sampling_explorer(model, BYTES, PROMPTS, heat=2)


def test_the_stored_output_is_the_same_every_time() -> None:
    def state() -> str:
        made = sampling_explorer(model, BYTES, PROMPTS, top_p=0.9)
        data, _ = made._repr_mimebundle_()
        return json.dumps(data[EXPLORER_MIME])

    assert state() == state() and len(state()) < 20_000
