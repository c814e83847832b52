"""The race: its budget, its schedule, its clock, and what it starts with."""

from __future__ import annotations

import math
from itertools import islice

import pytest
import torch

from llm_utils.capstone import race as module
from llm_utils.capstone.race import (
    WallClock,
    WorkClock,
    load_tokenizer,
    make_model,
    make_optimizer,
    race,
    story_batches,
    timed,
)
from llm_utils.capstone.recipe import TICKS, DataConfig, Recipe, from_dict
from llm_utils.train.schedules import constant, warmup_stable_decay
from llm_utils.train.trainer import train


def weights(run) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in run.model.parameters()])


class Set:
    """A clock that shows what it was set to."""

    now = 0.0

    def seconds(self) -> float:
        return self.now

    def work(self, tokens: int) -> None:
        self.now += 0.0


def test_the_schedule_at_its_start_its_half_and_its_end() -> None:
    clock = Set()
    shape = warmup_stable_decay(1.0, TICKS, round(0.02 * TICKS), TICKS // 2)
    rate = timed(shape, clock, 40.0)
    assert rate(0) == pytest.approx(1 / 201)
    for now, wanted in [(0.4, 0.5), (8, 1), (20, 1), (30, 0.5), (40, 0)]:
        clock.now = now
        assert rate(0) == rate(10**6) == pytest.approx(wanted, abs=0.01)
    clock.now = 50.0  # a step that ended late does not climb
    assert rate(0) == 0


def test_the_budget_holds_and_is_used(tiny: Recipe) -> None:
    run = race(tiny, 6000, 0, WorkClock())
    assert 5000 < run.moments[-1].seconds <= 6000
    assert run.moments[-1].lr < 0.12 * max(m.lr for m in run.moments)
    real = race(tiny, 0.6)
    assert 0.05 < real.moments[-1].seconds < 5  # the machine may be busy


def test_a_loop_that_asks_whether_the_time_is_up_is_caught(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: no step is expected to take any time."""

    class Forgets(list):
        def __init__(self, maxlen: int) -> None:
            super().__init__([0.0])

        def append(self, took: float) -> None:
            assert took > 0

        def __class_getitem__(cls, kind: type) -> type:
            return cls

    monkeypatch.setattr(module, "deque", Forgets)
    assert race(tiny, 6000, 0, WorkClock()).moments[-1].seconds > 6000


def test_one_seed_and_one_clock_give_one_run(tiny: Recipe) -> None:
    a, b = (race(tiny, 3000, 1, WorkClock()) for _ in range(2))
    assert torch.equal(weights(a), weights(b))
    assert a.moments == b.moments
    other = race(tiny, 3000, 2, WorkClock())
    assert not torch.equal(weights(a), weights(other))


def test_a_faster_machine_takes_more_steps_to_the_same_end(
    tiny: Recipe,
) -> None:
    slow, fast = (race(tiny, 1, 0, WorkClock(1 / n)) for n in (2000, 6000))
    assert len(fast.moments) > 2 * len(slow.moments)
    for run in (slow, fast):
        at = [m.seconds for m in run.moments]
        half = next(i for i, x in enumerate(at) if x > 0.55)
        share = run.moments[half].lr / 0.01
        assert share == pytest.approx(0.5, abs=0.1)


def test_a_schedule_of_steps_would_be_caught(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: a plan for as many steps as a fast machine takes."""
    shape = tiny.rates()
    monkeypatch.setattr(
        module, "timed", lambda s, c, b: lambda i: shape(i * TICKS // 500)
    )
    run = race(tiny, 3000, 0, WorkClock())
    assert run.moments[-1].lr > 0.5 * tiny.optim.peak


def test_making_the_model_is_on_the_clock(tiny: Recipe) -> None:
    times = iter([0.0, *(5 + i for i in range(100))])
    run = race(tiny, 12, 0, WallClock(lambda: next(times)))
    assert run.moments[0].seconds > 5


@pytest.mark.parametrize("budget", [0.0, -1.0, math.nan])
def test_no_budget_is_refused(tiny: Recipe, budget: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        race(tiny, budget)


def test_too_little_time_is_refused(tiny: Recipe) -> None:
    with pytest.raises(ValueError, match="too few"):
        race(tiny, 10, 0, WorkClock())


@pytest.mark.parametrize("order", ["told", "length", "packed"])
def test_batches_have_the_places_that_were_asked_for(order: str) -> None:
    data = DataConfig(batch_tokens=1024, order=order)
    batches = [*islice(story_batches(load_tokenizer(), data, 0), 20)]
    sizes = [x.numel() for x, _ in batches]
    assert 800 < sum(sizes) / len(sizes) < 1400
    for x, y in batches:
        there = y[:, 1:] != -100  # the end of a story is only a target
        assert torch.equal(x[:, 1:][there], y[:, :-1][there])


def test_sorted_stories_have_less_padding() -> None:
    padding = {}
    for order in ("told", "length"):
        data = DataConfig(batch_tokens=1024, order=order)
        ys = [y for _, y in islice(story_batches(load_tokenizer(), data, 0), 9)]
        empty = sum(int((y == -100).sum()) for y in ys)
        padding[order] = empty / sum(y.numel() for y in ys)
    assert padding["length"] < 0.1 < 0.15 < padding["told"]


def test_no_race_trains_on_the_stories_of_the_score() -> None:
    from llm_utils.capstone.score import SEED
    from llm_utils.text.tinyworld import TinyWorld

    bpe = load_tokenizer()
    scored = {s.text for s in TinyWorld("mini").stories(400, SEED)}
    data = DataConfig(batch_tokens=4096, order="packed")
    text = "".join(
        bpe.decode(row.tolist())
        for x, _ in islice(story_batches(bpe, data, 0), 10)
        for row in x
    )
    assert not any(story in text for story in scored)


def test_every_weight_is_in_one_group(tiny: Recipe) -> None:
    for name in ("adamw", "muon"):
        recipe = from_dict({**as_tables(tiny), "optim": {"name": name}})
        model = make_model(recipe, 300, torch.Generator().manual_seed(0))
        opt = make_optimizer(recipe, model)
        ids = [id(p) for g in opt.param_groups for p in g["params"]]
        assert sorted(ids) == sorted(map(id, model.parameters()))
        vectors = [g for g in opt.param_groups if g["params"][0].dim() < 2]
        assert all(g["weight_decay"] == 0 for g in vectors)


def test_zero_start_adds_nothing(tiny: Recipe) -> None:
    model = make_model(tiny, 300, torch.Generator().manual_seed(0))
    ids = torch.arange(10)[None]
    x = model.tokens(ids)
    torch.testing.assert_close(model.stream(ids), model.norm(x))
    assert float(model.tokens.weight.detach().std()) == pytest.approx(
        0.5, rel=0.1
    )


def as_tables(recipe: Recipe) -> dict:
    return {k: v for k, v in recipe.as_dict().items() if k != "note"}


def test_chapter_8s_loop_is_the_one_that_runs() -> None:
    assert module.train is train and constant(1.0)(3) == 1.0
