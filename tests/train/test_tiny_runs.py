"""The runs of the scaling law: their rows, their floor, their table."""

from __future__ import annotations

import math
import random

import pytest

from llm_utils.train import tiny_runs
from llm_utils.train.tiny_runs import PAD, Words, batches, tiny_model


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def test_words_determine_the_text(words: Words) -> None:
    """Or a model of the words could be surer than the world itself."""
    texts = {s.text for s in words.world.stories(500, 3)}
    rows = {tuple(tiny_runs.split(text)) for text in texts}
    assert len(rows) == len(texts)


def test_every_row_is_used_once_and_padding_does_not_count(words) -> None:
    rows = list(words.rows(20_000, seed=5))
    assert 20_000 <= sum(len(r) - 1 for r in rows) < 20_300
    seen = []
    for x, y in batches(rows, random.Random(0)):
        assert x.shape == y.shape and len(x) <= tiny_runs.ROWS
        for ids, targets in zip(x.tolist(), y.tolist(), strict=True):
            kept = [t for t in targets if t != PAD]
            assert ids[1 : len(kept)] == kept[:-1]
            seen.append(tuple(kept))
    assert sorted(seen) == sorted(tuple(r[1:]) for r in rows)


def test_the_floor_is_the_worlds_entropy(words: Words) -> None:
    stories = list(words.world.stories(400, tiny_runs.UNSEEN_SEED))
    nats = -math.fsum(s.log_prob for s in stories)
    n = sum(len(tiny_runs.split(s.text)) + 1 for s in stories)
    assert tiny_runs.floor(words) == pytest.approx(nats / n)
    per_story = words.world.entropy().nats_per_story
    assert nats / 400 == pytest.approx(per_story, rel=0.05)


def test_a_run_learns_and_is_the_same_again(words: Words) -> None:
    small = [tiny_runs.tiny_run(16, 8_000, words) for _ in range(2)]
    assert small[0] == small[1]
    fresh = tiny_runs.unseen_loss(tiny_model(16, words, 0), words)
    assert fresh == pytest.approx(math.log(words.vocab_size), rel=0.02)
    assert small[0].loss < fresh - 0.3
    other = tiny_runs.tiny_run(16, 8_000, words, seed=1)
    assert other.loss != small[0].loss


def test_the_stored_table(words: Words) -> None:
    runs = tiny_runs.stored_runs()
    (dear,) = tiny_runs.stored_runs("held-out")
    assert len(runs) >= 12 and len(set(runs)) == len(runs)
    assert dear.n_params > max(r.n_params for r in runs), "a forecast"
    assert dear.n_tokens > max(r.n_tokens for r in runs)
    assert min(r.loss for r in runs) > tiny_runs.floor(words)
    for width in (16, 32, 64, 96):
        n = tiny_model(width, words, 0).n_params
        assert n in {r.n_params for r in runs}
