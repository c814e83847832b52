"""The base model that ships with the package, ready to use.

Chapter 8 shows how it was trained: a recipe of an hour on two cores. Its card
is `assets/base/README.md`, its recipe stands beside it.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import torch

from llm_utils.model.gpt import GPT
from llm_utils.model.hf import from_hf
from llm_utils.model.hf_tokenizer_read import tokenizer_from_hf
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.saved import PathLike


def load_base(folder: PathLike | None = None) -> tuple[GPT, ByteBPE]:
    """-> the model (float32, eval) and the tokenizer of the base model.

    A story begins after the id of <|endoftext|>, which also ends it. folder:
    another one of the same form. ValueError says why a folder is wrong.
    Chapter 8.
    """
    if folder is not None:
        return _load(Path(folder))
    with as_file(files("llm_utils") / "assets" / "base") as shipped:
        return _load(shipped)


def _load(folder: Path) -> tuple[GPT, ByteBPE]:
    return from_hf(folder, torch.float32), tokenizer_from_hf(folder)
