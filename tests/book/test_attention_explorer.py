"""Chapter 3's explorer: its weights are the package's, and it can be used."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from explorers import bundle

from llm_utils.model.attention import attention_weights
from llm_utils.widgets import EXPLORER_MIME, attention_explorer

TOKENS = ["Anna", "had", "a", "red", "kite", "."]
SHARES = """() => [...document.querySelectorAll(".lx-key")].map((key) =>
  key.querySelector(".lx-share").textContent)"""
CELLS = """() => [...document.querySelectorAll(".lx-cell")].map((cell) =>
  Number(cell.style.getPropertyValue("--lx-weight")))"""


def heads(n: int = 3, T: int = len(TOKENS), D: int = 8) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    q, k = (2 * torch.randn(n, T, D, generator=rng) for _ in "qk")
    return [(1000 * x).round() / 1000 for x in (q, k)]


def choose(page: Any, label: str, on: bool) -> None:
    page.page.get_by_label(label).set_checked(on)


@pytest.mark.parametrize("masked", [True, False], ids=["causal", "open"])
@pytest.mark.parametrize("scaled", [True, False], ids=["scaled", "plain"])
def test_the_javascript_has_the_weights_of_the_package(
    play: Any,
    scaled: bool,
    masked: bool,
) -> None:
    q, k = heads()
    page = play(attention_explorer(TOKENS, q, k))
    choose(page, "divide by", scaled)
    choose(page, "causal mask", masked)
    asked = q if scaled else q * math.sqrt(q.shape[-1])
    mask = None if masked else torch.ones(6, 6, dtype=torch.bool)
    true = attention_weights(asked[None], k[None], mask)[0]
    for h in range(3):
        page.page.get_by_role("combobox").select_option(str(h))
        shown = torch.tensor(page.page.evaluate(CELLS)).view(6, 6)
        torch.testing.assert_close(shown, true[h], atol=1e-5, rtol=0)


def test_the_chosen_row_is_told(play: Any) -> None:
    q, k = torch.zeros(1, 6, 4), torch.zeros(1, 6, 4)
    page = play(attention_explorer(TOKENS, q, k, ["layer 1, head 1"], query=1))
    assert page.page.evaluate(SHARES) == ["50 %", "50 %", "", "", "", ""]
    text = " ".join(page.status().split())
    assert text.startswith('In layer 1, head 1, "had" (2) looks at Anna (1) 50')
    assert "0.69 nats of entropy" in text
    assert "0.0 % of the weight in the future" in text
    choose(page, "causal mask", False)
    text = " ".join(page.status().split())
    assert "67 % of the weight in the future" in text
    page.page.locator(".lx-key").nth(4).click()
    assert '"kite" (5) looks at' in page.status()


def test_arrows_walk_over_the_tokens(play: Any) -> None:
    page = play(attention_explorer(TOKENS, *heads(), query=4))
    page.page.locator(".lx-key").nth(4).focus()
    for key, word in [
        ("ArrowRight", '"." (6)'),
        ("ArrowRight", '"." (6)'),
        ("ArrowLeft", '"kite" (5)'),
        ("ArrowLeft", '"red" (4)'),
    ]:
        page.page.keyboard.press(key)
        assert word in page.status()
    focused = page.page.evaluate("document.activeElement.ariaPressed")
    assert focused == "true"


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_nothing_overflows_or_moves(play: Any, width: int) -> None:
    tokens = (TOKENS * 8)[:48]
    page = play(attention_explorer(tokens, *heads(2, 48)), width)
    places = set()
    for i in (0, 10, 47):
        page.page.locator(".lx-key").nth(i).click()
        after = "document.querySelector('#after').offsetTop"
        places.add(page.page.evaluate(after))
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width and len(places) == 1
    assert page.requests == [page.url]


def test_accessible_in_light_and_dark(play: Any) -> None:
    page = play(attention_explorer(TOKENS, *heads()))
    assert page.axe() == []


def test_the_border_refuses_what_a_page_cannot_show() -> None:
    q, k = heads()
    with pytest.raises(ValueError, match="one row for each of the tokens"):
        attention_explorer(TOKENS[:5], q, k)
    with pytest.raises(ValueError, match="49 tokens > 48"):
        attention_explorer(["a"] * 49, *heads(1, 49))
    with pytest.raises(ValueError, match="2 names for 3 heads"):
        attention_explorer(TOKENS, q, k, ["one", "two"])
    with pytest.raises(ValueError, match="there are 3 heads and 6 tokens"):
        attention_explorer(TOKENS, q, k, head=3)


def test_the_stored_output_holds_all_that_the_page_needs() -> None:
    q, k = heads()
    one, two = (bundle(attention_explorer(TOKENS, q, k)) for _ in range(2))
    assert one[EXPLORER_MIME] == two[EXPLORER_MIME]
    state = one[EXPLORER_MIME]["state"]
    assert [float(x) for x in state["q"].split()] == pytest.approx(
        q.flatten().tolist(), abs=1e-3
    )
    assert state["query"] == 5 and state["names"][0] == "head 1"
