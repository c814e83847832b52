"""The same items for EleutherAI's lm-eval: a folder of tasks, and a run of it.

Chapter 12 writes one and gets its own scores back from a program that we did
not write. Running it needs the extra `eval`; writing needs nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from llm_utils.infer.choices import Item
from llm_utils.text.saved import PathLike

CHOICES = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}, cache_dir: {cache}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{context}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: answer
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
metadata: {{version: 1.0}}
"""
TEXTS = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}, cache_dir: {cache}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list:
  - {{metric: word_perplexity}}
  - {{metric: byte_perplexity}}
  - {{metric: bits_per_byte}}
metadata: {{version: 1.0}}
"""


def write_choice_task(
    items: Sequence[Item], folder: PathLike, name: str
) -> Path:
    """Write items as the task `name`; -> its YAML file.

    Their contexts begin as they should be read: lm-eval adds no token to one
    that is not empty. Chapter 12; Gao et al. (2024).
    """
    rows = [
        {"context": x.context, "choices": list(x.choices), "answer": x.answer}
        for x in items
    ]
    return _write(rows, folder, name, CHOICES)


def write_text_task(texts: Iterable[str], folder: PathLike, name: str) -> Path:
    """Write texts as the task `name`, scored by perplexity; -> its YAML file.

    lm-eval begins each with the tokenizer's own token for it. Chapter 12.
    """
    return _write([{"text": x} for x in texts], folder, name, TEXTS)


def _write(
    rows: Sequence[Mapping[str, Any]], folder: PathLike, name: str, form: str
) -> Path:
    if not name.isidentifier():
        raise ValueError(f"name={name!r}: use letters, digits and _ only")
    if not rows:
        raise ValueError(f"nothing to ask in the task {name!r}")
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{name}.jsonl"
    lines = [json.dumps(row) for row in rows]
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    task = folder / f"{name}.yaml"
    fill = {
        "data": json.dumps(str(data)),
        "cache": json.dumps(str(folder / ".cache")),
    }
    task.write_text(form.format(name=name, **fill), encoding="utf-8")
    return task


@dataclass(frozen=True)
class Harness:
    """What lm-eval says of a task: its metrics, and those of each item."""

    metrics: dict[str, float]
    items: list[dict[str, Any]]


def run_harness(
    model_folder: PathLike,
    task_folder: PathLike,
    names: Sequence[str],
    batch_size: int = 16,
    **model_args: Any,
) -> dict[str, Harness]:
    """Score a Hugging Face folder with lm-eval -> a result for each task.

    model_args: of its model `hf`, such as max_length. Downloads nothing; set
    HF_HUB_OFFLINE=1 to be sure. Chapter 12.
    """
    try:
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise ImportError(
            "lm-eval is not installed: pip install 'llm-utils[eval]'"
        ) from error
    with _quiet():
        model = HFLM(
            str(model_folder), device="cpu", dtype="float32",
            batch_size=batch_size, **model_args,
        )  # fmt: skip
        tasks = TaskManager(
            include_path=str(task_folder), include_defaults=False
        )
        found = simple_evaluate(
            model, tasks=list(names), task_manager=tasks, bootstrap_iters=0,
            random_seed=None, numpy_random_seed=None, torch_random_seed=None,
        )  # fmt: skip
    return {
        name: Harness(
            {
                key.removesuffix(",none"): value
                for key, value in found["results"][name].items()
                if key.endswith(",none") and isinstance(value, float)
                and "_stderr" not in key
            },
            sorted(found["samples"][name], key=lambda x: x["doc_id"]),
        )
        for name in names
    }  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """No log, no output, no progress bars, which notebooks would store."""
    import datasets
    from transformers.utils import logging as bars

    log, said = logging.getLogger("lm_eval"), StringIO()
    level, shown = log.level, bars.is_progress_bar_enabled()
    log.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    bars.disable_progress_bar()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            yield
    finally:
        log.setLevel(level)
        datasets.enable_progress_bars()
        if shown:
            bars.enable_progress_bar()
