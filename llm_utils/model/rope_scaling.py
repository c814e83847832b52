"""RoPE for texts longer than those of training: slower frequencies.

Chapter 4 shows why. Each way is a function of frequencies (D/2,), named as in
the config files of released models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Scaling(Protocol):
    """Frequencies (D/2,), radians per position -> slower ones."""

    @property
    def attention_factor(self) -> float:
        """What cos and sin are multiplied by: sharper attention."""

    def __call__(self, frequencies: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class LinearScaling:
    """(D/2,) -> (D/2,): all slower by `factor`: positions are squeezed.

    Chen et al. (2023), position interpolation; chapter 4.
    """

    factor: float
    attention_factor = 1.0

    def __call__(self, frequencies: Tensor) -> Tensor:
        return frequencies / self.factor


@dataclass(frozen=True)
class Llama3Scaling:
    """(D/2,) -> (D/2,): slow waves slower by `factor`, fast ones as before.

    A wave that turns `high_freq_factor` times or more within the trained
    length stays, one that turns `low_freq_factor` times or less is slowed;
    between them a line. Llama 3.1's form of NTK by parts (Peng et al., 2023,
    section 3.2); chapter 4.
    """

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_len: int
    attention_factor = 1.0

    def __post_init__(self) -> None:
        if not self.low_freq_factor < self.high_freq_factor:
            raise ValueError(
                f"low_freq_factor={self.low_freq_factor} must be below "
                f"high_freq_factor={self.high_freq_factor}"
            )

    def __call__(self, frequencies: Tensor) -> Tensor:
        low, high = self.low_freq_factor, self.high_freq_factor
        wavelength = 2 * math.pi / frequencies
        turns = self.original_max_len / wavelength
        keep = ((turns - low) / (high - low)).clamp(0, 1)
        mixed = (1 - keep) * frequencies / self.factor + keep * frequencies
        slow = torch.where(keep == 0, frequencies / self.factor, mixed)
        return torch.where(keep == 1, frequencies, slow)


@dataclass(frozen=True)
class YarnScaling:
    """(D/2,) -> (D/2,): as Llama 3's, with the line along i, not along turns.

    Attention is sharpened by 0.1 ln(factor) + 1 as well. Peng et al. (2023),
    sections 3.2 and 3.4; chapter 4.
    """

    factor: float
    original_max_len: int
    base: float = 10_000.0
    beta_fast: float = 32.0
    beta_slow: float = 1.0

    @property
    def attention_factor(self) -> float:
        return 0.1 * math.log(self.factor) + 1 if self.factor > 1 else 1.0

    def index_of(self, turns: float, n: int) -> float:
        """The i whose wave turns so often within the trained length."""
        wavelength = self.original_max_len / turns
        return n * math.log(wavelength / (2 * math.pi)) / math.log(self.base)

    def __call__(self, frequencies: Tensor) -> Tensor:
        n = len(frequencies)
        low = max(math.floor(self.index_of(self.beta_fast, n)), 0)
        high = min(math.ceil(self.index_of(self.beta_slow, n)), 2 * n - 1)
        i = torch.arange(n, dtype=torch.float32, device="cpu")
        slow = ((i - low) / max(high - low, 0.001)).clamp(0, 1)
        return frequencies / self.factor * slow + frequencies * (1 - slow)
