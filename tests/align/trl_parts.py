"""What the tests against TRL share: models, settings, a batch."""

from __future__ import annotations

import logging
from pathlib import Path

import transformers
from datasets.utils import disable_progress_bars
from transformers import AutoModelForCausalLM, AutoTokenizer

transformers.utils.logging.set_verbosity(logging.CRITICAL)
transformers.utils.logging.disable_progress_bar()
disable_progress_bars()


def load(path: Path, kind=AutoModelForCausalLM, **more):
    return kind.from_pretrained(path, **more)


def words(path: Path, **more):
    return AutoTokenizer.from_pretrained(path, **more)


def settings(folder: Path, config, **more):
    """TRL on the CPU, in float32, with nothing added to the loss."""
    return config(
        output_dir=str(folder / "out"), use_cpu=True, report_to=[], bf16=False,
        gradient_checkpointing=False, disable_tqdm=True,
        per_device_train_batch_size=4, **more,
    )  # fmt: skip


def batch_of(trainer, n: int = 4):
    return trainer.data_collator([trainer.train_dataset[i] for i in range(n)])
