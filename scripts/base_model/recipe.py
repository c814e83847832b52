"""A recipe: all that decides what the base model becomes, as a TOML file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from llm_utils.model.gpt import GPT, ModelConfig, writers
from llm_utils.model.zoo import qwen_block
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.muon import Muon, Together
from llm_utils.train.optim import AdamW, Schedule
from llm_utils.train.schedules import warmup_stable_decay

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LONGEST = 320  # tokens of a story that a model tells
END = "<|endoftext|>"


@dataclass(frozen=True)
class Recipe:
    """What a recipe file says; rates are multiples of the schedule's."""

    level: str
    seed: int
    tokenizer: dict[str, int]  # vocab_size, stories
    model: dict[str, Any]  # sizes of ModelConfig
    init: dict[str, float]  # standard deviations: tokens, head
    steps: int
    batch_tokens: int
    warmup: int
    decay: int
    peak: float
    rates: dict[str, float]  # of matrices, tokens, head, gains
    momentum: float
    weight_decay: float
    clip: float
    note: str = ""  # what the card should say of the run

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """ValueError for a name too many or too few."""
        try:
            return cls(**tomllib.loads(path.read_text(encoding="utf-8")))
        except TypeError as error:
            raise ValueError(f"{path}: {error}") from error

    def schedule(self) -> Schedule:
        return warmup_stable_decay(
            self.peak, self.steps, self.warmup, self.decay
        )


def make_tokenizer(recipe: Recipe, world: TinyWorld) -> ByteBPE:
    """Learned from the first stories of the recipe's seed."""
    n, size = recipe.tokenizer["stories"], recipe.tokenizer["vocab_size"]
    texts: Iterable[str] = (s.text for s in world.stories(n, recipe.seed))
    return ByteBPE.train(texts, size, [END])


@torch.no_grad()
def make_model(recipe: Recipe, vocab_size: int) -> GPT:
    """Nothing writes to the stream at first: it holds the tokens alone."""
    rng = torch.Generator().manual_seed(recipe.seed)
    cfg = ModelConfig(vocab_size, **recipe.model)
    model = GPT(cfg, qwen_block, rng)
    model.tokens.weight.normal_(0.0, recipe.init["tokens"], generator=rng)
    if model.head is not None:
        model.head.weight.normal_(0.0, recipe.init["head"], generator=rng)
    for linear in writers(model):
        linear.weight.zero_()
    return model


def make_optimizer(recipe: Recipe, model: GPT) -> Together:
    """Muon for the matrices of the blocks, AdamW for tables and gains."""
    blocks = list(model.blocks.parameters())
    groups = {
        "matrices": [p for p in blocks if p.dim() > 1],
        "tokens": [model.tokens.weight],
        "head": [] if model.head is None else [model.head.weight],
        "gains": [p for p in model.parameters() if p.dim() < 2],
    }
    matrices, *rest = (
        {"params": params, "lr_scale": recipe.rates[name]}
        for name, params in groups.items()
        if params
    )
    muon = Muon(
        [matrices], recipe.peak, recipe.momentum, recipe.weight_decay, True
    )
    return Together(muon, AdamW(rest, recipe.peak, weight_decay=0.0))
