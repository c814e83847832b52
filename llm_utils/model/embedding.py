"""The table that turns ids into vectors, and vectors back into scores.

Chapter 2 shows that a lookup is a product with one-hot rows; chapter 6 ties
both directions to one table.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TokenEmbedding(nn.Module):
    """(B, T) -> (B, T, C): row `id` of a table (V, C).

    Derived in chapter 2; tied in chapter 6 (Press and Wolf, 2017).
    """

    def __init__(self, vocab_size: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocab_size, d_model))

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.weight)

    def unembed(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, V): the dot product with every row."""
        return F.linear(x, self.weight)
