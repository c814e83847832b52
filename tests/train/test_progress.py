"""A bar, a log that survives, a plot that is drawn again."""

from __future__ import annotations

import io
import json
import math
import sys

import matplotlib.pyplot as plt
import pytest

from llm_utils.train import progress as p
from llm_utils.train.trainer import StepStats


def stats(n: int, start: int = 0) -> list[StepStats]:
    return [
        StepStats(i + 1, math.log(8) / (i + 1), 0.1, 1.0, 500, 0.25)
        for i in range(start, n)
    ]


def test_the_bar_shows_loss_perplexity_speed_and_time_left() -> None:
    out = io.StringIO()
    steps = iter(stats(3, start=1))
    seen = list(p.progress(steps, 4, 1, file=out, mininterval=0))
    assert seen == stats(3, start=1)
    first, last = out.getvalue().split("\r")[2], out.getvalue().split("\r")[-1]
    assert "loss 1.040, perplexity 2.8, 2,000 tokens/s" in first
    assert "loss 0.693, perplexity 2.0" in last
    assert "3/4" in last and "<" in last


def test_the_bar_takes_no_step_of_its_own() -> None:
    steps = iter(stats(3))
    bar = p.progress(steps, 3, file=io.StringIO())
    assert len(list(steps)) == 3
    assert list(bar) == []


def test_a_row_of_a_log() -> None:
    row = p.as_row(stats(1)[0])
    assert row["step"] == 1 and row["tokens"] == 500
    assert row["loss"] == 2.07944
    assert row["tokens_per_second"] == 2000


def test_the_log_of_a_resumed_run_has_each_step_once(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    log = p.JsonlLog(path)
    for s in stats(5):
        log(p.as_row(s))
    assert [r["step"] for r in p.read_log(path)] == [1, 2, 3, 4, 5]
    with path.open("a") as file:
        file.write('{"step": 6, "lo')  # killed while it wrote
    assert [r["step"] for r in p.read_log(path)] == [1, 2, 3, 4, 5]
    log = p.JsonlLog(path, start=3)
    for s in stats(5, start=3):
        log(p.as_row(s))
    lines = [json.loads(x) for x in path.read_text().splitlines()]
    assert [r["step"] for r in lines] == [1, 2, 3, 4, 5]
    assert p.read_log(tmp_path / "none.jsonl") == []


def test_tensorboard_gets_the_numbers(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match="pip install tensorboard"):
        p.tensorboard(tmp_path)

    class Writer:
        def __init__(self, folder: str, purge_step: int) -> None:
            self.purge_step, self.rows = purge_step, []
            made.append(self)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            self.rows.append((name, value, step))

        def flush(self) -> None:
            self.rows.append("flushed")

    made: list[Writer] = []
    fake = type(sys)("fake")
    fake.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    p.tensorboard(tmp_path, start=3)({"step": 4, "loss": 2.0, "lr": 0.1})
    assert made[0].purge_step == 4
    assert made[0].rows == [("loss", 2.0, 4), ("lr", 0.1, 4), "flushed"]


def test_the_plot_is_drawn_again_in_its_place(monkeypatch) -> None:
    drawn = []

    class Handle:
        def update(self, figure) -> None:
            drawn.append(("again", figure))

    def display(figure, display_id):
        drawn.append(("first", figure))
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    live = p.LivePlot(floor=0.5, seconds=0)
    live({"step": 1, "loss": 3.0})
    live({"step": 2, "loss": 2.0, "validation": 2.5})
    assert [kind for kind, _ in drawn] == ["first", "again"]
    lines = {x.get_label(): x for x in drawn[1][1].axes[0].get_lines()}
    assert set(lines) == {"train", "validation", "entropy"}
    assert list(lines["train"].get_ydata()) == [3.0, 2.0]
    assert list(lines["validation"].get_xdata()) == [2.0]
    assert not plt.get_fignums()  # the notebook must not show it twice
    slow = p.LivePlot(seconds=60)
    for i in range(1000):
        slow({"step": i, "loss": float(i)})
    assert len(drawn) == 3  # the first, and no other within a minute
    steps, losses = slow.column("loss", most=10)
    assert len(steps) == 10 and losses.mean() == pytest.approx(499.5)
