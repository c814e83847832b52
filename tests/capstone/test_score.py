"""The score: on a model that is the world itself, and on fools."""

from __future__ import annotations

import math

import pytest
import torch

from llm_utils.capstone.score import above, excess, score, share, tell
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.base import load_base


def test_the_ratio_and_its_interval() -> None:
    gap, least = torch.tensor([5.0, 10.0]), torch.tensor([10.0, 20.0])
    found = above(torch.stack((gap, least), 1).double())
    assert found.value == pytest.approx(50)
    assert found.interval == pytest.approx((50, 50))
    rng = torch.Generator().manual_seed(0)
    least = 50 + 10 * torch.rand(2000, generator=rng).double()
    gap = 0.1 * least + torch.randn(2000, generator=rng).double()
    low, high = above(torch.stack((gap, least), 1)).interval
    half = 196 * 1 / math.sqrt(2000) / 55
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)


def test_what_a_story_costs_is_what_the_model_says() -> None:
    model, bpe = load_base()
    pairs = excess(model, bpe, 3, seed=5)
    end = bpe.special_tokens["<|endoftext|>"]
    for story, (gap, least) in zip(
        TinyWorld("mini").stories(3, 5), pairs.tolist(), strict=True
    ):
        ids = torch.tensor([end, *bpe.encode(story.text), end])
        logs = model(ids[None, :-1])[0].log_softmax(-1).detach()
        nats = -float(logs[range(len(ids) - 1), ids[1:]].double().sum())
        assert least == pytest.approx(-story.log_prob, rel=1e-5)
        assert gap == pytest.approx(nats + story.log_prob, abs=1e-3)


def test_the_base_model_is_near_the_truth_and_says_so() -> None:
    model, bpe = load_base()
    found = score(model, bpe, stories=40, samples=20)
    assert 0 < found["above"].value < 5
    assert found["possible"].value > 0.8 < found["grammatical"].value
    assert [*score(model, bpe, 10, samples=0)] == ["above"]


def test_stories_come_in_the_number_that_was_asked_for() -> None:
    model, bpe = load_base()
    assert len(tell(model, bpe, 3, seed=0)) == 3
    assert tell(model, bpe, 2, seed=1) == tell(model, bpe, 2, seed=1)


def test_the_sentences_of_a_story_err_together() -> None:
    """Ten stories, each all good or all bad: no more than ten facts."""
    world = TinyWorld("mini")
    good = [world.judge(s.text) for s in world.stories(5, 0)]
    bad = [world.judge("Blue the is. " * 9) for _ in range(5)]
    found = share("true", good + bad, lambda s: s.true)
    low, high = found.interval
    assert high - low > 0.4
    assert share("true", [], lambda s: True).interval == (0.0, 1.0)
