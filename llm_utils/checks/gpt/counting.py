"""Exercise 2 of chapter 6: parameters in all, and those a token meets.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number, sequence
from llm_utils.checks.watch import WrongForm
from llm_utils.model.gpt import ModelConfig
from llm_utils.model.zoo import PRESETS


def _count(
    c: ModelConfig,
    matrices: int = 3,
    router: int = 1,
    norms: int = 2,
    last: int = 1,
    heads: str = "own",
    tables: str = "own",
) -> list[float]:
    """Both counts, with the parts as knobs: a mistake is one of them."""
    C, D = c.d_model, c.d_head
    H, K = c.n_heads, c.n_kv_heads
    D = C // H if heads == "divided" else D
    K = H if heads == "all" else K
    attn = 2 * C * H * D + 2 * C * K * D
    expert = matrices * C * c.d_ff
    block = attn + c.n_experts * expert + router * C * c.n_experts + norms * C
    n_tables = 1 if c.tie_embeddings else 2
    n_tables = {"one": 1, "two": 2}.get(tables, n_tables)
    total = n_tables * c.vocab_size * C + c.n_layers * block + last * C
    return [total, total - c.n_layers * (c.n_experts - c.top_k) * expert]


def _share(c: ModelConfig) -> list[float]:
    total, _ = _count(c)
    return [total, total * c.top_k / c.n_experts]


def _one_expert(c: ModelConfig) -> list[float]:
    total, active = _count(c)
    expert = 3 * c.d_model * c.d_ff
    return [total, active - c.n_layers * (c.top_k - 1) * expert]


def _idle(c: ModelConfig) -> list[float]:
    total, active = _count(c)
    return [total, total - active]


def _two(x: Any) -> list[float]:
    if isinstance(x, (int, float)):
        raise WrongForm(f"one number, {x}; two are asked for")
    values = sequence(x)
    if len(values) != 2:
        raise WrongForm(f"{len(values)} values; two numbers are asked for")
    return [number(value) for value in values]


def _same(a: list[float], b: list[float]) -> bool:
    return all(map(math.isclose, a, b))


def _show(x: Any) -> str:
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


moe_params = Exercise(
    name="moe_params",
    asks="write moe_params(c), which returns two numbers: the parameters in "
    "all, and those that one token meets",
    reference=_count,
    cases=[
        (ModelConfig(5, 1, 4, 2, 1, 2, 3, n_experts=2, top_k=1),),
        (
            ModelConfig(
                7, 2, 8, 4, 2, 2, 5, n_experts=4, top_k=2, tie_embeddings=False
            ),
        ),
        (ModelConfig(11, 3, 8, 4, 2, 6, 5, n_experts=4, top_k=3),),
        (PRESETS["tiny-moe"].cfg,),
        (
            ModelConfig(
                512, 6, 96, 6, 3, 16, 64, n_experts=8, tie_embeddings=False
            ),
        ),
    ],
    form=_two,
    same=_same,
    show=_show,
    mistakes=[
        Mistake(
            "The router is missing: one row of C numbers for each expert, "
            "and every token meets all of them.",
            partial(_count, router=0),
        ),
        Mistake(
            "You give an expert two matrices. It is a SwiGLU: gate, up and "
            "down, C * F numbers each.",
            partial(_count, matrices=2),
        ),
        Mistake(
            "You count a key and a value head for every query head. There "
            "are only K of them, each C * D numbers.",
            partial(_count, heads="all"),
        ),
        Mistake(
            "You take d_head = C / H. A model may choose it freely, so that "
            "H * D is not C: use c.d_head.",
            partial(_count, heads="divided"),
        ),
        Mistake(
            "You count the table once, always. Without tied embeddings the "
            "head is a second one of V * C numbers.",
            partial(_count, tables="one"),
        ),
        Mistake(
            "You count two tables, always. With tied embeddings the head is "
            "the same tensor, and a shared number is learned once.",
            partial(_count, tables="two"),
        ),
        Mistake(
            "The last norm is missing: C numbers.", partial(_count, last=0)
        ),
        Mistake(
            "You count one norm in each block. There are two, before "
            "attention and before the experts.",
            partial(_count, norms=1),
        ),
        Mistake(
            "You count two vectors for each norm. An RMSNorm has a scale and "
            "no shift.",
            partial(_count, norms=4, last=2),
        ),
        Mistake(
            "The total is right. But only the experts are chosen from: a "
            "token meets all of attention, the router and the tables, so it "
            "is not top_k / E of everything.",
            _share,
        ),
        Mistake(
            "The total is right. A token goes through top_k experts in each "
            "layer, and you count one.",
            _one_expert,
        ),
        Mistake(
            "The total is right. Your second number is what one token does "
            "not meet; subtract it from the total.",
            _idle,
        ),
        Mistake(
            "The two numbers are exchanged: first all parameters, then "
            "those that one token meets.",
            lambda c: _count(c)[::-1],
        ),
    ],
    praise="The first number is what must fit into memory, the second is "
    "what decides the work.",
)
