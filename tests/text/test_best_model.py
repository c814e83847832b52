"""The best model of TinyWorld: its predictions are those of the world."""

import math
import random

import pytest
import torch

from llm_utils.text.bpe import ByteBPE
from llm_utils.text.next_token import gap
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tinyworld.best import BestModel, next_sentences

END = "<|endoftext|>"


@pytest.fixture(scope="module", params=[("mini", 300), ("small", 700)])
def best(request) -> BestModel:
    level, size = request.param
    world = TinyWorld(level)
    bpe = ByteBPE.train(world.corpus(20_000, seed=1), size, [END])
    return BestModel(world, bpe, bpe.vocab_size - 1)


def ids_of(best: BestModel, text: str) -> list[int]:
    return [best.end, *best.tokenizer.encode(text), best.end]


def test_tokens_multiply_to_the_probability_of_the_story(best) -> None:
    for story in best.world.stories(4, seed=7):
        row = ids_of(best, story.text)
        odds = [best.next(row[:t]) for t in range(1, len(row))]
        for table in odds:
            assert math.isclose(math.fsum(table.values()), 1.0)
        picked = [t[i] for t, i in zip(odds, row[1:], strict=True)]
        nats = math.fsum(map(math.log, picked))
        assert math.isclose(nats, story.log_prob, abs_tol=1e-9)


def test_it_stands_on_the_floor(best) -> None:
    found = gap(
        best, best.world.stories(3, seed=8), lambda t: ids_of(best, t)
    )
    assert abs(found.kl) < 1e-9 < found.floor


def test_logits_are_log_probabilities(best) -> None:
    row = ids_of(best, next(best.world.stories(1, seed=9)).text)[:12]
    logits = best(torch.tensor([row, row]))
    assert logits.shape == (2, 12, best.tokenizer.vocab_size)
    assert torch.equal(logits[0], logits[1])
    sums = logits.logsumexp(-1)
    torch.testing.assert_close(sums, torch.zeros_like(sums))


def test_sentences_are_what_the_storyteller_says() -> None:
    world, seen = TinyWorld("mini"), dict[str, int]()
    begin = "It was a sunny day."
    told = next_sentences(world, begin)
    assert math.isclose(math.fsum(told.values()), 1.0)
    rng, n = random.Random(0), 0
    while n < 300:
        text = world.story(rng).text
        if text.startswith(begin + " "):
            n += 1
            first = next(s for s in told if text.startswith(f"{begin} {s}"))
            seen[first] = seen.get(first, 0) + 1
    assert sum(seen.values()) == n and len(seen) > 50


def test_after_the_end_only_the_end_is_left() -> None:
    world = TinyWorld("mini")
    bpe = ByteBPE(special_tokens=[END])
    best = BestModel(world, bpe, 256)
    text = next(world.stories(1, seed=3)).text
    assert best.next([256, *bpe.encode(text)]) == {256: 1.0}
    assert next_sentences(world, text) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [("Once upon a time.", "no story"), ("It was a sunny da!", "no story")],
)
def test_what_no_story_begins_with_is_refused(text, message) -> None:
    best = BestModel(TinyWorld("mini"), ByteBPE(special_tokens=[END]), 256)
    with pytest.raises(ValueError, match=message):
        best.next([256, *best.tokenizer.encode(text)])
    with pytest.raises(ValueError, match=r"not with 256"):
        best.next(best.tokenizer.encode("It"))


def test_a_planted_bug_is_caught(best, monkeypatch) -> None:
    """Sentences all equally likely: sums are still 1, the product is not."""
    text = next(best.world.stories(1, seed=11)).text
    bad = BestModel(best.world, best.tokenizer, best.end)
    real = bad._sentences
    monkeypatch.setattr(
        bad, "_sentences", lambda b: [(ids, 1.0) for ids, _ in real(b)]
    )
    row = ids_of(best, text)
    nats = sum(
        math.log(bad.next(row[:t])[row[t]]) for t in range(1, len(row))
    )
    assert abs(nats - best.world.log_prob(text)) > 0.1
