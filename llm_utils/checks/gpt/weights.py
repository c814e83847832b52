"""Exercise 7 of chapter 6: one layer of a GPT-2 file, in our names.

Each `Mistake` is one of the small wrong functions in `layers`, or is known by
what came.
"""

from __future__ import annotations

from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.gpt import layers

our_block = Exercise(
    name="our_block",
    asks="write our_block(theirs), which returns the state dict of our block",
    reference=layers.ours,
    cases=[(layers.layer(3, 4),), (layers.layer(6, 24),)],
    form=layers.read,
    same=layers.same,
    show=layers.show,
    mistakes=[
        Mistake(
            "No matrix is turned. The file holds (in, out), our linear maps "
            "hold (out, in): every .weight of the four needs .T.",
            layers.all_turned,
        ),
        Mistake(
            "attn.out.weight is not turned. It is square, so it fits both "
            "ways and loads without a word, and only one way is right.",
            partial(layers.ours, skip=("attn.c_proj.weight",)),
        ),
        Mistake(
            "The queries', keys' and values' matrices are not turned. They "
            "are square once they are split, so nothing complains.",
            partial(layers.ours, skip=("c_attn",)),
        ),
        Mistake(
            "The two matrices of the MLP are not turned.",
            partial(layers.ours, skip=("mlp.c_fc.weight", "mlp.c_proj.weight")),
        ),
        Mistake(
            "Queries and keys are exchanged. In the file the first third is "
            "q, then come k and v. Causal scores are not symmetric: q of t "
            "meets k of s, and never the other way round.",
            partial(layers.ours, order="kqv"),
        ),
        Mistake(
            "The thirds are in another order. In the file they are q, k, v.",
            when=layers.reordered,
        ),
        Mistake(
            "norm1 and norm2 are exchanged. ln_1 stands before attention, "
            "ln_2 before the MLP.",
            partial(layers.exchanged, a="norm1", b="norm2"),
        ),
        Mistake(
            "You take every third column. The thirds stand side by side: "
            "first all columns of q, then all of k, then all of v.",
            layers.every_third,
        ),
        Mistake(
            "up and down are exchanged. c_fc widens C to F, which is our up; "
            "c_proj leads back.",
            when=layers.mlp_exchanged,
        ),
        Mistake(
            "q, k and v have another shape than (C, C), or their biases than "
            "(C,). Cut the last axis in three: chunk and split cut the first "
            "unless told dim=-1, and split takes a size, not a count.",
            when=layers.cut_elsewhere,
        ),
        Mistake(
            "Some matrices are turned and others are not. All of them need "
            ".T, q, k, v, out, up and down.",
            when=layers.half_turned,
        ),
        Mistake(
            "You cut c_attn.weight into other pieces. The thirds stand side "
            "by side, as columns of (C, 3C): cut along the last axis, or "
            "turn first and cut the rows.",
            layers.rows,
        ),
        Mistake(
            "attn.bias came along. It is no bias: it is the causal mask that "
            "old files carry, (1, 1, T, T) of zeros and ones. We compute "
            "ours, so it has no place.",
            partial(layers.ours, skip=("mask",)),
        ),
        Mistake(
            "Some of our names are missing. A block has sixteen tensors, "
            "among them q, k and v with a weight and a bias each.",
            when=lambda args, value: bool(layers.NAMES - value.keys()),
        ),
        Mistake(
            "There are names that our block does not have.",
            when=lambda args, value: bool(value.keys() - layers.NAMES),
        ),
    ],
    praise="Names and shapes agree, and every number is where it belongs. "
    "Only equal logits prove it for a whole model.",
)
