"""What it costs to write a token: bytes to hold, bytes to read, seconds.

Chapter 11 derives it, over chapter 9's roofline. A lower bound, as a roofline
is: real machines come near it with large models, and less so with small ones.
"""

from __future__ import annotations

from typing import NamedTuple

from llm_utils.train.accounting import Roofline


class Shape(NamedTuple):
    """What of a model's sizes decides the cost of writing with it."""

    n_params: float
    n_layers: int
    n_kv_heads: int
    d_head: int


SHAPES = {
    "Llama 3.2 1B": Shape(1.24e9, 16, 8, 64),
    "Llama 3.1 8B": Shape(8.03e9, 32, 8, 128),
    "Llama 3.1 70B": Shape(70.6e9, 80, 8, 128),
}
"""Grattafiori et al. (2024), table 3, and the released configurations."""


def cache_bytes(shape: Shape, B: int, T: int, itemsize: int = 2) -> int:
    """Bytes of all keys and values of B texts of T tokens."""
    per_token = 2 * shape.n_layers * shape.n_kv_heads * shape.d_head
    return B * T * per_token * itemsize


class StepCost(NamedTuple):
    """One token for each of B texts."""

    weights: float  # bytes, read once for all texts
    caches: float  # bytes, read by the text they belong to
    reading: float  # seconds that the bytes take
    computing: float  # seconds that the FLOPs take

    @property
    def seconds(self) -> float:
        """Of a step: reading and computing overlap, the longer one counts."""
        return max(self.reading, self.computing)


def step_cost(
    shape: Shape, roof: Roofline, B: int = 1, T: int = 1024, bits: int = 16
) -> StepCost:
    """What a step costs at least: weights of `bits`, caches of 16 bits.

    Two FLOPs a parameter and text; those of looking back are left out.
    Chapter 11; Pope et al. (2022), section 2.
    """
    weights, caches = shape.n_params * bits / 8, cache_bytes(shape, B, T)
    reading = (weights + caches) / roof.bandwidth
    return StepCost(
        weights, caches, reading, 2 * shape.n_params * B / roof.flops
    )


def tokens_per_pass(alpha: float, k: int) -> float:
    """Tokens that k guesses and one pass give, on average.

    alpha: the chance that a guess is kept, the same for all. Leviathan et al.
    (2023), equation 1; chapter 11.
    """
    if not 0 <= alpha <= 1 or k < 0:
        raise ValueError(f"alpha={alpha} is no chance, or k={k} no number")
    return sum(alpha**i for i in range(k + 1))
