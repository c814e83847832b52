"""The next-token explorer: its JavaScript against the package, in a browser."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from explorers import Play

from llm_utils.text.bpe import ByteBPE
from llm_utils.text.next_token import Bigram
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tinyworld.best import BestModel
from llm_utils.widgets import EXPLORER_MIME, next_token_explorer

END = "<|endoftext|>"
WORLD = TinyWorld("mini")
STORIES = [s.text for s in WORLD.stories(2, seed=2)]


@pytest.fixture(scope="module")
def best() -> BestModel:
    bpe = ByteBPE.train(WORLD.corpus(20_000, seed=1), 400, [END])
    return BestModel(WORLD, bpe, bpe.vocab_size - 1)


@pytest.fixture(scope="module")
def bigram(best: BestModel) -> Bigram:
    text = WORLD.corpus(20_000, seed=1, separator=END)
    ids = best.tokenizer.encode(text, allowed_special={END})  # type: ignore[call-arg]
    return Bigram(best.tokenizer.vocab_size, alpha=0.01).fit([best.end, *ids])


def ids_shown(page: Play) -> list[int]:
    found = """[...document.querySelectorAll(".nt-strip [data-id]")]
      .map((x) => Number(x.dataset.id))"""
    return page.page.evaluate(found)  # type: ignore[no-any-return]


def sums(page: Play) -> list[str]:
    return page.page.locator(".lx-figure b").all_inner_texts()  # type: ignore[no-any-return]


def test_the_sums_are_those_of_the_package(
    play: Any, bigram: Bigram, best: BestModel
) -> None:
    page = play(next_token_explorer(bigram, best, STORIES))
    for k, text in enumerate(STORIES):
        page.page.get_by_label("Story").first.select_option(str(k))
        page.button("Last").click()
        row = [best.end, *best.tokenizer.encode(text), best.end]
        assert ids_shown(page) == row[1:]
        nats = -float(bigram.log_probs[row[:-1], row[1:]].sum())
        world = -(WORLD.log_prob(text) or 0.0)
        for shown, true in zip(sums(page), (nats, world), strict=True):
            assert abs(float(shown) - true / math.log(2)) < 0.06


def test_the_table_holds_both_predictions(
    play: Any, bigram: Bigram, best: BestModel
) -> None:
    page = play(next_token_explorer(bigram, best, STORIES, step=9))
    row = [best.end, *best.tokenizer.encode(STORIES[0])]
    true = best.next(row[:9])
    rows = page.page.locator(".nt-table tbody tr")
    shown = {
        int(rows.nth(i).locator("th").get_attribute("data-id")):
        rows.nth(i).locator("td").all_inner_texts()
        for i in range(rows.count())
    }  # fmt: skip
    assert row[9] in shown and 2 <= len(shown) <= 8
    for i, (mine, world) in shown.items():
        p = 100 * float(bigram.log_probs[row[8], i].exp())
        assert p < 0.1 or abs(float(mine.split()[0]) - p) < 0.06
        assert abs(float(world.split()[0]) - 100 * true.get(i, 0.0)) < 0.06
    came = page.page.locator(".nt-came th")
    assert came.get_attribute("data-id") == str(row[9])


def test_a_typed_story_is_cut_as_python_cuts_it(
    play: Any, bigram: Bigram, best: BestModel
) -> None:
    page = play(next_token_explorer(bigram, best, STORIES))
    page.page.get_by_label("Story").first.select_option("-1")
    for text in ["The kite flew, and it's 12 caf\u00e9s  away!", "", "\n x"]:
        page.page.locator("textarea").fill(text)
        assert ids_shown(page) == best.tokenizer.encode(text)
    begin = STORIES[1][:20]
    page.page.locator("textarea").fill(begin + "zzz")
    assert sums(page)[1] == "?", "the world's view ends with the story"
    page.page.locator("textarea").fill(begin.rsplit(" ", 1)[0])
    assert float(sums(page)[1]) > 0


def test_keys_step_and_python_can_set_the_step(
    play: Any, bigram: Bigram, best: BestModel
) -> None:
    page = play(next_token_explorer(bigram, best, STORIES))
    assert "Nothing is told yet." in page.status()
    page.button("Next").focus()
    for key, step in [("Enter", 1), ("ArrowRight", 2), ("Home", 0)]:
        page.page.keyboard.press(key)
        assert len(ids_shown(page)) == step
    assert page.requests == [page.url]


def test_it_fits_a_phone(
    play: Any, bigram: Bigram, best: BestModel
) -> None:
    page = play(next_token_explorer(bigram, best, STORIES, step=30), 360)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360


def test_the_border_refuses_what_a_page_cannot_show(
    bigram: Bigram, best: BestModel
) -> None:
    with pytest.raises(ValueError, match="count with the same one"):
        next_token_explorer(Bigram(7), best, STORIES)
    with pytest.raises(ValueError, match="give a story"):
        next_token_explorer(bigram, best, [])
    with pytest.raises(ValueError, match="no story"):
        next_token_explorer(bigram, best, ["A cat."])
    other = ByteBPE(pattern=r"(?s:.)", special_tokens=[END])
    with pytest.raises(ValueError, match="GPT-2's pattern"):
        next_token_explorer(Bigram(257), BestModel(WORLD, other, 256), STORIES)


def test_the_stored_output_is_the_same_every_time(
    bigram: Bigram, best: BestModel
) -> None:
    def state() -> str:
        data, _ = next_token_explorer(bigram, best, STORIES)._repr_mimebundle_()
        return json.dumps(data[EXPLORER_MIME])

    assert state() == state() and len(state()) < 200_000
