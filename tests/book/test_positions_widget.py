"""Chapter 4's explorer: its JavaScript against the package's `Rotary`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from explorers import LIVE, Play, bundle

from llm_utils.model.positions import Rotary
from llm_utils.widgets import EXPLORER_MIME, positions_explorer

Start = Callable[..., Play]
Q = [0.9, -0.4, 1.1, 0.3, 0.2, 0.8, -0.5, 0.6]
K = [0.7, 0.5, 0.9, -0.2, -0.6, 0.4, 0.3, 0.8]


def score(m: int, n: int, base: float = 10_000.0) -> float:
    """The dot product after Rotary, in float64."""
    q, k = (torch.tensor(x).double().view(1, 1, 1, -1) for x in (Q, K))
    rotary = Rotary(len(Q), base)
    return float((rotary(q, k, m)[0] * rotary(q, k, n)[1]).sum())


def shown(page: Play) -> float:
    text = page.page.locator(".lx-figure b").first.inner_text()
    return float(text.replace("\u2212", "-"))


def dial(page: Play, name: str) -> Any:
    return page.page.get_by_role("slider", name=name)


@pytest.mark.parametrize(
    ("m", "n", "base"),
    [(9, 4, 1e4), (0, 0, 1e4), (3, 40, 1e2), (64, 1, 5e5), (17, 17, 777.0)],
)
def test_the_score_is_that_of_rotary(
    play: Start, m: int, n: int, base: float
) -> None:
    page = play(positions_explorer(Q, K, m, n, base=base))
    assert shown(page) == pytest.approx(score(m, n, base), abs=6e-4)
    wrong = score(m + 1, n, base)
    assert shown(page) != pytest.approx(wrong, abs=6e-4), "vacuous test"


def test_moving_both_leaves_the_score_and_moving_one_does_not(
    play: Start,
) -> None:
    page = play(positions_explorer(Q, K, 9, 4))
    before = shown(page)
    for _ in range(5):
        page.button("Both on").click()
    assert dial(page, "Query position m").input_value() == "14"
    assert dial(page, "Key position n").input_value() == "9"
    assert shown(page) == before
    dial(page, "Key position n").press("ArrowRight")
    assert shown(page) == pytest.approx(score(14, 10), abs=6e-4)
    assert shown(page) != before


def test_both_stop_at_the_ends(play: Start) -> None:
    page = play(positions_explorer(Q, K, 1, 64))
    on = page.button("Both on")
    assert on.get_attribute("aria-disabled") == "true"
    on.click(force=True)
    page.button("Both back").click()
    page.button("Both back").click(force=True)
    assert dial(page, "Query position m").input_value() == "0"
    assert dial(page, "Key position n").input_value() == "63"


def test_a_pair_says_how_fast_it_turns(play: Start) -> None:
    page = play(positions_explorer(Q, K))
    assert "57.3 degrees a position, once around in 6.3" in page.status()
    dial(page, "Pair").press("End")
    assert "0.0573 degrees a position, once around in 6,283" in page.status()
    dial(page, "Base").press("Home")
    assert "Pair 3 turns 10.2 degrees" in page.status()


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_nothing_moves_or_overflows(play: Start, width: int) -> None:
    page = play(positions_explorer(Q, K, 9, 4), width)
    places = set()
    for name in ("Pair", "Base", "Key position n"):
        for key in ("End", "Home"):
            dial(page, name).press(key)
            places.add(page.page.locator("#after").bounding_box()["y"])
    assert len(places) == 1
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_accessible_in_light_and_dark(play: Start) -> None:
    page = play(positions_explorer(Q, K))
    assert page.axe() == []


def test_python_and_the_page_share_what_is_set(play: Start) -> None:
    explorer = positions_explorer(Q, K)
    page = play(explorer, html="<p>live</p>")
    page.page.evaluate(LIVE, [explorer._esm, explorer.state()])
    page.button("Both on").click()
    assert page.page.evaluate("told") == [["m", 10], ["n", 5], "saved"]
    page.page.evaluate("model.set('m', 40)")
    assert shown(page) == pytest.approx(score(40, 5), abs=6e-4)
    page.page.evaluate("model.set('base', 777)")
    assert shown(page) == pytest.approx(score(40, 5, 777.0), abs=6e-4)
    page.page.evaluate("stop()")
    page.page.evaluate("model.set('m', 5)")
    assert dial(page, "Query position m").input_value() == "40"


def test_the_stored_output_is_the_same_every_time() -> None:
    one, two = (bundle(positions_explorer(Q, K)) for _ in "12")
    assert one[EXPLORER_MIME] == two[EXPLORER_MIME]
    names = {"q", "k", "m", "n", "pair", "base", "last"}
    assert set(one[EXPLORER_MIME]["state"]) == names


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"k": K[:-1]}, "q has 8 numbers and k 7"),
        ({"q": Q[:7], "k": K[:7]}, "RoPE turns pairs"),
        ({"q": [], "k": []}, "RoPE turns pairs"),
        ({"q": [float("nan")] * 8}, "finite q and k"),
        ({"base": 1.0}, "a base over 1"),
        ({"m": 65}, "from 0 to last=64"),
        ({"n": -1}, "from 0 to last=64"),
        ({"pair": 4}, "there are 4"),
    ],
)
def test_the_border_refuses_what_cannot_be_turned(
    more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        positions_explorer(**({"q": Q, "k": K} | more))
