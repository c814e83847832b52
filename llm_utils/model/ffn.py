"""What each position computes by itself: the feed-forward layer.

Chapter 5 derives both forms and compares them at equal parameters.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class MLP(nn.Module):
    """(..., C) -> (..., C): up to F, GELU, down again.

    Derived in chapter 5; Vaswani et al. (2017), section 3.3, with the GELU of
    GPT-2, in its tanh form (Hendrycks and Gimpel, 2016).
    """

    def __init__(self, d_model: int, d_ff: int, *, bias: bool = True) -> None:
        super().__init__()
        self.up = nn.Linear(d_model, d_ff, bias)
        self.down = nn.Linear(d_ff, d_model, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class SwiGLU(nn.Module):
    """(..., C) -> (..., C): up to F, each unit through its own gate, down.

    Derived in chapter 5; Shazeer (2020), equation 6.
    """

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.gate = nn.Linear(d_model, d_ff, bias=False)
        self.up = nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))
