"""Counting the parameters of a mixture for exercise 2 of chapter 6.

The right count with its mistakes as knobs, and others that readers write.
"""

from __future__ import annotations

import math
from typing import Any

from llm_utils.checks.forms import number, sequence
from llm_utils.checks.watch import WrongForm
from llm_utils.model.gpt import ModelConfig


def count(
    c: ModelConfig,
    matrices: int = 3,
    router: int = 1,
    norms: int = 2,
    last: int = 1,
    heads: str = "own",
    tables: str = "own",
    layers: str = "all",
    places: int = 0,
    biases: int = 0,
) -> list[float]:
    """Both counts, with the parts as knobs: a mistake is one of them."""
    C, D = c.d_model, c.d_head
    H, K = c.n_heads, c.n_kv_heads
    D = C // H if heads == "divided" else D
    K = H if heads == "all" else K
    attn = 2 * C * H * D + 2 * C * K * D + biases * ((H + 2 * K) * D + C)
    attn = {"square": 4 * C * C, "no out": attn - C * H * D}.get(heads, attn)
    expert = matrices * C * c.d_ff
    block = attn + c.n_experts * expert + router * C * c.n_experts + norms * C
    n_tables = 1 if c.tie_embeddings else 2
    n_tables = {"one": 1, "two": 2}.get(tables, n_tables)
    total = n_tables * c.vocab_size * C + last * C + places * c.max_len * C
    total += block if layers == "one" else c.n_layers * block
    resting = (c.n_experts - c.top_k) * expert
    once = layers in ("one", "idle once")
    return [total, total - (resting if once else c.n_layers * resting)]


def share(c: ModelConfig) -> list[float]:
    total, _ = count(c)
    return [total, total * c.top_k / c.n_experts]


def one_expert(c: ModelConfig) -> list[float]:
    total, active = count(c)
    expert = 3 * c.d_model * c.d_ff
    return [total, active - c.n_layers * (c.top_k - 1) * expert]


def no_router(c: ModelConfig) -> list[float]:
    total, active = count(c)
    return [total, active - c.n_layers * c.n_experts * c.d_model]


def some_rows(c: ModelConfig) -> list[float]:
    total, active = count(c)
    rows = c.n_layers * (c.n_experts - c.top_k) * c.d_model
    return [total, active - rows]


def no_tables(c: ModelConfig) -> list[float]:
    total, active = count(c)
    n_tables = 1 if c.tie_embeddings else 2
    return [total, active - n_tables * c.vocab_size * c.d_model]


def idle(c: ModelConfig) -> list[float]:
    total, active = count(c)
    return [total, total - active]


def two(x: Any) -> list[float]:
    if isinstance(x, (int, float)):
        raise WrongForm(f"one number, {x}; two are asked for")
    if isinstance(x, (str, dict)):
        raise WrongForm(f"a {type(x).__name__}; two numbers are asked for")
    values = sequence(x)
    if len(values) != 2:
        raise WrongForm(f"{len(values)} values; two numbers are asked for")
    return [number(value) for value in values]


def same(a: list[float], b: list[float]) -> bool:
    return all(map(math.isclose, a, b))


def show(x: Any) -> str:
    if isinstance(x, list):
        return ", ".join(f"{v:,.0f}" for v in x)
    if not isinstance(x, ModelConfig):
        return ascii(x)
    tied = "tied" if x.tie_embeddings else "untied"
    return (
        f"V={x.vocab_size}, L={x.n_layers}, C={x.d_model}, H={x.n_heads}, "
        f"K={x.n_kv_heads}, D={x.d_head}, F={x.d_ff}, E={x.n_experts}, "
        f"top_k={x.top_k}, {tied}"
    )
