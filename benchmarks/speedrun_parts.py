"""Two parts of the speedrun's models that know their neighbors cheaply.

Attention has to learn to look one character back before it can look further.
Both parts give that from the first step on, for a lookup or a multiplication
of each number: hashed n-grams at the input, and a look at the position before
in front of each branch. They are no part of the book's package, as a cache
would have to carry the characters before the ones it is fed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_utils.model.block import Block
from llm_utils.model.embedding import TokenEmbedding
from llm_utils.model.gpt import GPT, ModelConfig
from llm_utils.model.zoo import PRESETS


def before(x: Tensor, n: int = 1) -> Tensor:
    """(B, T, ...) -> the same, n positions later; zeros where nothing was."""
    pad = (0, 0) * (x.dim() - 2) + (n, 0)
    return F.pad(x, pad)[:, : x.shape[1]]


class NgramEmbedding(TokenEmbedding):
    """(B, T) -> (B, T, C): the token's row plus one for each n-gram it ends.

    An n-gram shares its row with others where `rows` are too few for all. As
    in the n-gram tables of Huang et al. (2025), Over-tokenized transformer.
    """

    def __init__(
        self, vocab_size: int, d_model: int, rows: int,
        orders: Sequence[int], dropout: float = 0.0,
    ) -> None:  # fmt: skip
        """dropout: of whole n-grams, so that none is relied upon."""
        super().__init__(vocab_size, d_model)
        self.base, self.orders = vocab_size + 1, tuple(orders)
        self.rows = rows
        self.tables = nn.ModuleList(
            nn.Embedding(min(rows, self.base**n), d_model) for n in orders
        )
        self.drop = dropout
        for table in self.tables:
            nn.init.zeros_(table.weight)

    def forward(self, ids: Tensor) -> Tensor:
        x = super().forward(ids)
        for n, table in zip(self.orders, self.tables, strict=True):
            key = ids + 1
            for k in range(1, n):
                key = key * self.base + before((ids + 1)[..., None], k)[..., 0]
            if self.base**n > self.rows:
                key = (key * 2_654_435_761 >> 7) % self.rows
            y = table(key)
            if self.training and self.drop:
                keep = torch.rand(key.shape, device=key.device) >= self.drop
                y = y * (keep[..., None] / (1 - self.drop))
            x = x + y
        return x


class Shift(nn.Module):
    """(B, T, C) -> (B, T, C): x plus a share of the position before.

    One learned share a channel, 0 at first; the token shift of RWKV (Peng et
    al., 2023), as a sum.
    """

    def __init__(self, d_model: int, width: int = 1) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.zeros(width, d_model))

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for k, share in enumerate(self.shares, 1):
            out = torch.addcmul(out, before(x, k), share)
        return out


def shifted_block(
    cfg: ModelConfig, layer: int, *, preset: str, width: int
) -> Block:
    """The preset's block, with a shift behind both norms."""
    block = PRESETS[preset].make_block(cfg, layer)
    block.norm1 = nn.Sequential(block.norm1, Shift(cfg.d_model, width))
    block.norm2 = nn.Sequential(block.norm2, Shift(cfg.d_model, width))
    return block


def with_parts(
    model: GPT, rng: torch.Generator, preset: str, rows: int,
    orders: Sequence[int], width: int, dropout: float,
) -> GPT:  # fmt: skip
    """The same model with n-gram tables of so many rows, and shifts."""
    cfg = model.cfg
    if width:
        make = partial(shifted_block, preset=preset, width=width)
        model = GPT(cfg, make, rng)
    if rows:
        tokens = NgramEmbedding(
            cfg.vocab_size, cfg.d_model, rows, orders, dropout
        )
        tokens.weight = model.tokens.weight
        model.tokens = tokens
    return model
