"""Exercise 2 of chapter 6: parameters in all, and those a token meets.

Each `Mistake` is one of the small wrong counts in `counts`.
"""

from __future__ import annotations

from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.gpt import counts
from llm_utils.model.gpt import ModelConfig
from llm_utils.model.zoo import PRESETS

moe_params = Exercise(
    name="moe_params",
    asks="write moe_params(c), which returns two numbers: the parameters in "
    "all, and those that one token meets",
    reference=counts.count,
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
    form=counts.two,
    same=counts.same,
    show=counts.show,
    mistakes=[
        Mistake(
            "The router is missing: one row of C numbers for each expert, "
            "and every token meets all of them.",
            partial(counts.count, router=0),
        ),
        Mistake(
            "You give an expert two matrices. It is a SwiGLU: gate, up and "
            "down, C * F numbers each.",
            partial(counts.count, matrices=2),
        ),
        Mistake(
            "You count a key and a value head for every query head. There "
            "are only K of them, each C * D numbers.",
            partial(counts.count, heads="all"),
        ),
        Mistake(
            "You take d_head = C / H. A model may choose it freely, so that "
            "H * D is not C: use c.d_head.",
            partial(counts.count, heads="divided"),
        ),
        Mistake(
            "You count the table once, always. Without tied embeddings the "
            "head is a second one of V * C numbers.",
            partial(counts.count, tables="one"),
        ),
        Mistake(
            "You count two tables, always. With tied embeddings the head is "
            "the same tensor, and a shared number is learned once.",
            partial(counts.count, tables="two"),
        ),
        Mistake(
            "You count four square matrices in attention. Two are as wide as "
            "H heads and two as wide as K heads of d_head numbers.",
            partial(counts.count, heads="square"),
        ),
        Mistake(
            "Attention has a fourth matrix, the one that joins the heads: "
            "H * D numbers in, C out.",
            partial(counts.count, heads="no out"),
        ),
        Mistake(
            "Attention has no biases in this recipe.",
            partial(counts.count, biases=1),
        ),
        Mistake(
            "You count a table of positions. This recipe turns queries and "
            "keys instead, which takes no parameters.",
            partial(counts.count, places=1),
        ),
        Mistake(
            "You count one layer. A model has c.n_layers of them.",
            partial(counts.count, layers="one"),
        ),
        Mistake(
            "The total is right. Experts rest in every layer: subtract "
            "(E - top_k) of them c.n_layers times.",
            partial(counts.count, layers="idle once"),
        ),
        Mistake(
            "Both numbers are what a token meets. In memory every expert "
            "counts: the first number has all E of them.",
            lambda c: counts.count(c)[1:] * 2,
        ),
        Mistake(
            "No norm is counted: two in each layer and the last one, C "
            "numbers each.",
            partial(counts.count, norms=0, last=0),
        ),
        Mistake(
            "The last norm is missing: C numbers.",
            partial(counts.count, last=0),
        ),
        Mistake(
            "You count one norm in each block. There are two, before "
            "attention and before the experts.",
            partial(counts.count, norms=1),
        ),
        Mistake(
            "You count two vectors for each norm. An RMSNorm has a scale and "
            "no shift.",
            partial(counts.count, norms=4, last=2),
        ),
        Mistake(
            "The total is right. But only the experts are chosen from: a "
            "token meets all of attention, the router and the tables, so it "
            "is not top_k / E of everything.",
            counts.share,
        ),
        Mistake(
            "The total is right. A token goes through top_k experts in each "
            "layer, and you count one.",
            counts.one_expert,
        ),
        Mistake(
            "The total is right. Your second number is what one token does "
            "not meet; subtract it from the total.",
            counts.idle,
        ),
        Mistake(
            "The total is right. A token meets the router too, all of it: "
            "without a score for each expert nobody could choose.",
            counts.no_router,
        ),
        Mistake(
            "The total is right. The router scores all E experts, also those "
            "that are not chosen, so a token meets every row of it.",
            counts.some_rows,
        ),
        Mistake(
            "The total is right. From the second number leave out the "
            "experts that rest, and nothing else: the tables stay.",
            counts.no_tables,
        ),
        Mistake(
            "The two numbers are exchanged: first all parameters, then "
            "those that one token meets.",
            lambda c: counts.count(c)[::-1],
        ),
    ],
    praise="The first number is what must fit into memory, the second is "
    "what decides the work.",
)
