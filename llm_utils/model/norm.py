"""Keeping vectors at one size: LayerNorm, and RMSNorm that forgets the mean.

Chapter 5 derives both.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm(nn.Module):
    """(..., C) -> (..., C): mean 0 and variance 1, then scaled and shifted.

    Derived in chapter 5; Ba et al. (2016), section 3.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(
            x, self.weight.shape, self.weight, self.bias, self.eps
        )


class RMSNorm(nn.Module):
    """(..., C) -> (..., C): root mean square 1, then scaled.

    Derived in chapter 5; Zhang and Sennrich (2019), equation 4.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.to(x.dtype)  # they differ under autocast
        return F.rms_norm(x, weight.shape, weight, self.eps)
