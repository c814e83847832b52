"""Where a token stands: added to it, turned into it, or taken from the score.

Chapter 4 derives all of these. What is added at the input is a module
(x, start) -> x; `Rotary` turns queries and keys; `alibi` is a mask.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from llm_utils.model.rope_scaling import Scaling


def sinusoidal(T: int, C: int) -> Tensor:
    """-> (T, C): sin in even columns, cos in odd ones, float32.

    Wavelengths grow from 2 pi to 10,000 * 2 pi. Chapter 4; Vaswani et al.
    (2017), section 3.5.
    """
    if C % 2:
        raise ValueError(f"C={C} is odd: each frequency fills two columns")
    angles = torch.outer(torch.arange(T).float(), rope_frequencies(C, 1e4))
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(-2)


class NoPositions(nn.Module):
    """(B, T, C) -> (B, T, C): nothing is added; attention may know better."""

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        return x


class SinusoidalPositions(nn.Module):
    """(B, T, C) -> (B, T, C): adds rows start ... start + T - 1 of waves.

    The embeddings are scaled by sqrt(C) first, so that neither drowns the
    other. Derived in chapter 4; Vaswani et al. (2017), sections 3.4 and 3.5.
    """

    table: Tensor

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()
        table = sinusoidal(max_len, d_model)
        self.register_buffer("table", table, persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        T, C = x.shape[-2:]
        return x * math.sqrt(C) + self.table[start : start + T].to(x.dtype)


class LearnedPositions(nn.Module):
    """(B, T, C) -> (B, T, C): adds rows start ... start + T - 1 of a table.

    ValueError beyond the table's end. Derived in chapter 4; Radford et al.
    (2018).
    """

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(max_len, d_model))

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        T, max_len = x.shape[-2], len(self.weight)
        if start + T > max_len:
            raise ValueError(
                f"position {start + T - 1} has no row in a table of {max_len}: "
                "crop the text, or train with a larger max_len"
            )
        return x + self.weight[start : start + T]


POSITIONS = {
    "none": NoPositions,
    "sinusoidal": SinusoidalPositions,
    "learned": LearnedPositions,
}


def rope_frequencies(d_head: int, base: float) -> Tensor:
    """-> (D / 2,): base ** (-2i / D), radians per position, float32.

    Computed as every released model computed them, to the last bit. Su et al.
    (2021), section 3.2.2; chapter 4.
    """
    i = torch.arange(0, d_head, 2, dtype=torch.float32, device="cpu")
    return 1.0 / (base ** (i / d_head))


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """(B, H, T, D), 2 x (T, D) -> (B, H, T, D): turn the pairs (i, i + D/2).

    sin carries the signs of a rotation, - in its first half and + in its
    second. The half-split form of RoPE that released models use; chapter 4.
    """
    return x * cos + x.roll(x.shape[-1] // 2, -1) * sin


class Rotary(nn.Module):
    """(B, H, T, D), (B, K, T, D) -> the same: q and k turned by position.

    After it q . k depends on the distance of their positions only. `start` is
    the position of the first row. Derived in chapter 4; Su et al. (2021).
    """

    def __init__(
        self,
        d_head: int,
        base: float = 10_000.0,
        scaling: Scaling | None = None,
    ) -> None:
        """scaling: stretches the frequencies for texts beyond training."""
        super().__init__()
        if d_head % 2:
            raise ValueError(f"d_head={d_head} is odd: RoPE turns pairs")
        frequencies = rope_frequencies(d_head, base)
        self.frequencies = scaling(frequencies) if scaling else frequencies
        self.size = scaling.attention_factor if scaling else 1.0
        self._table = self.table(0)

    def forward(
        self, q: Tensor, k: Tensor, start: int = 0
    ) -> tuple[Tensor, Tensor]:
        cos, sin = self._turns(start, start + q.shape[-2], q)
        return rotate(q, cos, sin), rotate(k, cos, sin)

    def table(self, n: int) -> Tensor:
        """-> (2, n, D): cos and signed sin of the first n positions."""
        t = torch.arange(n, dtype=torch.float32, device="cpu")
        angles = torch.outer(t, self.frequencies)
        cos, sin = self.size * angles.cos(), self.size * angles.sin()
        return torch.stack((torch.cat((cos, cos), -1),
                            torch.cat((-sin, sin), -1)))  # fmt: skip

    def _turns(self, start: int, stop: int, like: Tensor) -> Tensor:
        """-> (2, T, D), out of a table that doubles when it is too short."""
        old = self._table
        fits = old.dtype == like.dtype and old.device == like.device
        if not fits or old.shape[1] < stop:
            with torch.inference_mode(False):  # later training may need it
                new = self.table(max(stop, 2 * old.shape[1] if fits else 0))
                self._table = new.to(like)
        return self._table[:, start:stop]


def alibi_slopes(n_heads: int) -> Tensor:
    """-> (H,): 2 ** (-8h / H) for h = 1 ... H, as for a power of two.

    Other numbers of heads take every second slope of the next power of two
    to fill up. Press et al. (2022), section 3.
    """
    power = 2 ** math.floor(math.log2(n_heads))
    slopes = [2 ** (-8 * h / power) for h in range(1, power + 1)]
    finer = [2 ** (-4 * h / power) for h in range(1, 2 * power + 1, 2)]
    return torch.tensor((slopes + finer)[:n_heads])


def alibi(H: int, T: int, S: int | None = None) -> Tensor:
    """-> (H, T, S): -slope * distance, and -inf where the future is.

    To be passed as `mask`: it says who may look and what distance costs. The
    T queries are the last of the S positions. Chapter 4; Press et al. (2022).
    """
    S = T if S is None else S
    if S < T:
        raise ValueError(f"S={S} keys are fewer than T={T} queries")
    back = torch.arange(S - T, S)[:, None] - torch.arange(S)  # (T, S)
    bias = -alibi_slopes(H)[:, None, None] * back
    return bias.masked_fill(back < 0, -torch.inf)
