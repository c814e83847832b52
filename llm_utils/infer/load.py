"""A model and its tokenizer, from wherever they are.

The commands of chapter 13 use it: the model that ships with the package, a
Hugging Face folder, or the folder of a run.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from llm_utils.model.gpt import GPT
from llm_utils.model.hf import from_hf
from llm_utils.model.hf_tokenizer_read import tokenizer_from_hf
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.saved import PathLike, read_json
from llm_utils.train.base import load_base
from llm_utils.train.checkpoint import MODEL, latest, verify
from llm_utils.train.recipe import from_dict
from llm_utils.train.run import build_model


def load(source: PathLike) -> tuple[GPT, ByteBPE]:
    """ "base", a folder of `export`, or one of `train` -> model, tokenizer.

    Of a run the last checkpoint that is whole. ValueError says what a folder
    lacks. Chapter 13.
    """
    folder = Path(source)
    if str(source) == "base":
        return load_base()
    if (folder / "recipe.json").exists():
        return of_run(folder)
    return from_hf(source, torch.float32), tokenizer_from_hf(source)


def of_run(folder: Path) -> tuple[GPT, ByteBPE]:
    """The model of a run of `python -m llm_utils train`, in eval mode."""
    recipe = from_dict(read_json(folder / "recipe.json", "recipe", 1))
    if recipe.data.tokenizer == "char":
        raise ValueError(
            f"{folder} has characters for tokens, and nothing that ends a "
            "text: train with data.tokenizer = 'bpe'"
        )
    path = latest(folder / "checkpoints")
    if path is None:
        raise ValueError(f"{folder} has no checkpoint yet: train longer")
    verify(path)
    tokenizer = ByteBPE.load(folder / "data" / "tokenizer.json")
    model = build_model(recipe, tokenizer.vocab_size, torch.Generator())
    model.load_state_dict(load_file(path / MODEL), strict=True)
    return model.eval(), tokenizer
