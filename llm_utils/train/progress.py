"""Watching a run: a bar, a log that survives a crash, a plot that redraws.

Chapter 8 uses them around `train`; each takes what a step was like.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from llm_utils.text.saved import PathLike
from llm_utils.train.trainer import StepStats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]  # {"step": 100, "loss": 1.25, ...}
Log = Callable[[Row], None]


def as_row(stats: StepStats) -> dict[str, float]:
    """A step as a row of a log, with tokens per second."""
    row = {**asdict(stats), "tokens_per_second": stats.tokens_per_second}
    return {k: float(f"{x:.6g}") if x % 1 else x for k, x in row.items()}


def progress(
    stats: Iterator[StepStats], steps: int, start: int = 0, **bar: Any
) -> Iterator[StepStats]:
    """The same steps, with a bar: loss, perplexity, tokens/s, time left.

    bar: options of tqdm. Chapter 8.
    """
    with tqdm(total=steps, initial=start, unit="step", **bar) as line:
        for s in stats:
            line.set_postfix_str(
                f"loss {s.loss:.3f}, perplexity {s.perplexity:,.1f}, "
                f"{s.tokens_per_second:,.0f} tokens/s",
                refresh=False,
            )
            line.update()
            yield s


class JsonlLog:
    """One JSON object a line, on the disk as soon as it is written.

    start: the step that a run goes on from. Rows of later steps, which a
    crashed run has left and which come again, are dropped. Chapter 8.
    """

    def __init__(self, path: PathLike, start: int = 0) -> None:
        self.path = Path(path)
        rows = [r for r in read_log(self.path) if r.get("step", 0) <= start]
        draft = self.path.with_name(f".{self.path.name}")
        draft.write_text("".join(map(as_line, rows)), encoding="utf-8")
        draft.replace(self.path)

    def __call__(self, row: Row) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(as_line(row))


def as_line(row: Row) -> str:
    return json.dumps(row) + "\n"


def read_log(path: PathLike) -> list[dict[str, Any]]:
    """The rows of a JSONL log; [] without a file.

    The last line may be half a row, of a run that was killed: it is left out.
    """
    path = Path(path)
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def tensorboard(folder: PathLike, start: int = 0) -> Log:
    """A log that TensorBoard shows; ValueError where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "TensorBoard is not installed: pip install tensorboard, or leave "
            "it out; log.jsonl holds the same numbers"
        ) from error
    writer = SummaryWriter(str(folder), purge_step=start + 1)

    def log(row: Row) -> None:
        for name, value in row.items():
            if name != "step":
                writer.add_scalar(name, value, row["step"])
        writer.flush()

    return log


class LivePlot:
    """In a notebook: the loss, drawn again while it falls.

    Rows may hold "loss", "validation", or both. floor: the entropy, in nats
    per token. seconds: the least time between two drawings. Chapter 8.
    """

    def __init__(
        self, floor: float | None = None, seconds: float = 1.0
    ) -> None:
        self.floor, self.seconds, self.drawn = floor, seconds, 0.0
        self.rows: list[Row] = []
        self.handle: Any = None

    def __call__(self, row: Row) -> None:
        self.rows.append(row)
        if time.monotonic() - self.drawn >= self.seconds:
            self.show()

    def show(self) -> None:
        """Draw all that is known in the place of the last drawing."""
        import matplotlib.pyplot as plt
        from IPython.display import display

        self.draw()
        figure = plt.gcf()
        if self.handle is None:
            self.handle = display(figure, display_id=True)
        else:
            self.handle.update(figure)
        plt.close(figure)  # or the notebook shows it once more
        self.drawn = time.monotonic()

    def draw(self) -> Axes:
        """The loss so far, over the floor."""
        from llm_utils import viz

        named = {"train": "loss", "validation": "validation"}
        found = {name: self.column(key) for name, key in named.items()}
        series = {name: pair for name, pair in found.items() if len(pair[0])}
        return viz.loss_curve(series, floor=self.floor)

    def column(self, key: str, most: int = 300) -> tuple[Any, Any]:
        """Steps and values; of very many, the means of neighbors."""
        pairs = [(r["step"], r[key]) for r in self.rows if key in r]
        if len(pairs) > most:
            parts: Any = np.array_split(np.array(pairs), most)
            pairs = [tuple(part.mean(0)) for part in parts]
        steps, values = np.array(pairs).reshape(-1, 2).T
        return steps, values
