"""The signal explorer of chapter 5: what it shows is what was measured."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from explorers import LIVE, ROOT, bundle

from llm_utils.widgets import EXPLORER_MIME, signal_explorer

DEPTHS, GAINS = (2, 30), (0.5, 1.0, 2.0)


def runs() -> dict[Any, Any]:
    """Sizes grow by the gain; gradients shrink, in post-norm faster."""
    return {
        (name, depth, gain): (
            [gain**i for i in range(depth + 1)],
            [10.0 ** (-i * fall / depth) for i in range(depth + 1)],
        )
        for name, fall in (("pre-norm", 1), ("post-norm", 3))
        for depth in DEPTHS
        for gain in GAINS
    }


def slide(page: Any, name: str, to: int) -> None:
    page.page.get_by_role("slider", name=name).fill(str(to))


def points(page: Any, kind: str) -> list[tuple[float, float]]:
    line = page.page.locator(f"polyline.sx-{kind}").get_attribute("points")
    return [tuple(map(float, p.split(","))) for p in line.split()]


def test_the_choice_decides_what_is_drawn(play: Any) -> None:
    page = play(signal_explorer(runs(), "pre-norm", 2, 2.0))
    assert len(points(page, "size")) == len(points(page, "grad")) == 3
    assert "from 1 to 4;" in page.status()
    assert "bottom is 10 times that at the top" in page.status()
    page.button("post-norm").click()
    assert "bottom is 1,000 times" in page.status()
    slide(page, "Gain of the initial weights", 0)
    assert "from 1 to 0.25;" in page.status()
    slide(page, "Blocks", 1)
    assert len(points(page, "size")) == 31
    pressed = page.page.locator("[aria-pressed=true]").all_inner_texts()
    assert pressed == ["post-norm"]


def test_the_scale_does_not_move_with_the_choice(play: Any) -> None:
    page = play(signal_explorer(runs(), "pre-norm", 30, 1.0))
    (_, one), *_ = points(page, "size")
    slide(page, "Gain of the initial weights", 2)
    heights = [y for _, y in points(page, "size")]
    assert heights[0] == one, "a size of 1 stands where it stood"
    steps = [a - b for a, b in pairwise(heights)]
    assert min(steps) > 0 and max(steps) < 1.2 * min(steps), "a straight line"


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_nothing_moves_or_overflows(play: Any, width: int) -> None:
    page = play(signal_explorer(runs()), width)
    places = set()
    for name in ("pre-norm", "post-norm"):
        page.button(name).click()
        for depth in range(2):
            slide(page, "Blocks", depth)
            places.add(page.page.locator("#after").bounding_box()["y"])
    assert len(places) == 1
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_accessible_in_light_and_dark(play: Any) -> None:
    page = play(signal_explorer(runs()))
    assert page.axe() == []
    assert page.requests == [page.url]


def test_python_hears_and_is_heard(play: Any) -> None:
    explorer = signal_explorer(runs())
    page = play(explorer, html="<p>live</p>")
    page.page.evaluate(LIVE, [explorer._esm, explorer.state()])
    page.button("post-norm").click()
    told = page.page.evaluate("told")
    assert told == [["wiring", "post-norm"], "saved"]
    page.page.evaluate("model.set('gain', 2)")  # w.gain = 2
    assert "to 4;" in page.status()
    page.page.evaluate("stop()")
    page.page.evaluate("model.set('gain', 1)")
    assert "to 4;" in page.status(), "nobody listens any more"


def test_the_output_is_plain_and_the_same_every_time() -> None:
    one, two = (bundle(signal_explorer(runs())) for _ in range(2))
    assert one[EXPLORER_MIME] == two[EXPLORER_MIME]
    assert one[EXPLORER_MIME]["state"]["logs"].startswith("0.00 -0.30 -0.60|")


def test_the_border_refuses_what_cannot_be_shown() -> None:
    some = runs()
    with pytest.raises(ValueError, match="no run"):
        signal_explorer(some, "pre-norm", 3, 1.0)
    cut = {**some, ("pre-norm", 2, 1.0): ([1.0, 2.0], [1.0, 2.0])}
    with pytest.raises(ValueError, match="give 3 positive ones"):
        signal_explorer(cut)
    zero = {**some, ("pre-norm", 2, 1.0): ([1.0, 0.0, 1.0], [1.0] * 3)}
    with pytest.raises(ValueError, match="positive"):
        signal_explorer(zero)
    del some["post-norm", 30, 2.0]
    with pytest.raises(ValueError, match="1 runs are missing"):
        signal_explorer(some)
    assert Path(ROOT / "llm_utils/assets/signal_explorer.js").is_file()
