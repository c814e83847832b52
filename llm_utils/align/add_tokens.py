"""New special tokens for a model that was trained without them.

Chapter 14 needs it for templates with tokens of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from llm_utils.model.gpt import GPT
from llm_utils.text.bpe import ByteBPE


@torch.no_grad()
def add_tokens(
    model: GPT, tokenizer: ByteBPE, names: Sequence[str]
) -> tuple[GPT, ByteBPE]:
    """A model and its tokenizer -> new ones that know these tokens, too.

    No old id moves. A new row of the tables is the mean of the old rows: its
    logit is the mean of their logits, so that the model, which has never seen
    the token, gives it less than a V-th and changes the rest by less than
    that. ValueError for a name that is there already. Chapter 14; Hewitt
    (2021).
    """
    specials = [*tokenizer.special_tokens, *names]
    wider = ByteBPE(
        tokenizer.merges, specials, tokenizer.pattern, tokenizer.byte_order
    )
    old = tokenizer.vocab_size
    if old > model.cfg.vocab_size:
        raise ValueError(
            f"the tokenizer has {old} ids, the model only vocab_size="
            f"{model.cfg.vocab_size}: wrong tokenizer?"
        )
    V = max(model.cfg.vocab_size, wider.vocab_size)
    with torch.device("meta"):
        grown = GPT(replace(model.cfg, vocab_size=V), model.make_block)
    state = {
        name: longer(x, old, V) if _is_table(name) else x.clone()
        for name, x in model.state_dict().items()
    }
    grown.load_state_dict(state, strict=True, assign=True)
    return grown.train(model.training), wider


def longer(table: Tensor, n: int, V: int) -> Tensor:
    """(_, C) -> (V, C): the first n rows, the others their mean."""
    mean = table[:n].mean(0).expand(V - n, -1)
    return torch.cat((table[:n], mean))


def _is_table(name: str) -> bool:
    """Whether a weight of GPT has one row for each id."""
    return name in ("tokens.weight", "head.weight")
