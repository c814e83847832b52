"""Exercise 7 of chapter 6: one layer of a GPT-2 file, in our names.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, tensor
from llm_utils.checks.watch import WrongForm

Weights = Mapping[str, Tensor]
PLAIN = {
    "ln_1.weight": "norm1.weight",
    "ln_1.bias": "norm1.bias",
    "attn.c_proj.bias": "attn.out.bias",
    "ln_2.weight": "norm2.weight",
    "ln_2.bias": "norm2.bias",
    "mlp.c_fc.bias": "ffn.up.bias",
    "mlp.c_proj.bias": "ffn.down.bias",
}
TURNED = {
    "attn.c_proj.weight": "attn.out.weight",
    "mlp.c_fc.weight": "ffn.up.weight",
    "mlp.c_proj.weight": "ffn.down.weight",
}
BOTH = "weight", "bias"


def _ours(
    theirs: Weights, order: str = "qkv", skip: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """The layer; `skip`: what is forgotten to be turned, or split, or left."""
    out = {ours: theirs[name] for name, ours in PLAIN.items()}
    for name, ours in TURNED.items():
        out[ours] = theirs[name] if name in skip else theirs[name].T
    for kind in BOTH:
        whole = theirs[f"attn.c_attn.{kind}"]
        parts = whole.chunk(3, dim=-1)
        for letter, part in zip(order, parts, strict=True):
            stay = "c_attn" in skip or kind == "bias"
            out[f"attn.{letter}.{kind}"] = part if stay else part.T
    if "mask" in skip:
        out["attn.bias"] = theirs["attn.bias"]
    return out


def _rows(theirs: Weights) -> dict[str, Tensor]:
    """Thirds of the rows, where the thirds stand side by side."""
    out = _ours(theirs)
    flat = theirs["attn.c_attn.weight"].reshape(3, -1)
    for letter, part in zip("qkv", flat, strict=True):
        out[f"attn.{letter}.weight"] = part.reshape(
            len(theirs["attn.c_attn.weight"]), -1
        ).T
    return out


def _all_turned(theirs: Weights) -> dict[str, Tensor]:
    """The splits lie along rows: nothing was turned."""
    return _ours(theirs, skip=(*TURNED, "c_attn"))


def _read(x: Any) -> dict[str, Tensor]:
    if not isinstance(x, Mapping):
        raise WrongForm(f"a {type(x).__name__}; a dictionary is asked for")
    return {name: tensor(value) for name, value in x.items()}


def _same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)


def _show(x: Any) -> str:
    if not isinstance(x, Mapping) or "ln_1.weight" in x:
        return "theirs"
    names = [n for n in ("attn.q.weight", "attn.out.weight") if n in x]
    short = [f"{n.removesuffix('.weight')} {x[n].tolist()}" for n in names]
    return f"{len(x)} tensors; " + ", ".join(short)


def _layer(C: int, F: int) -> dict[str, Tensor]:
    """A file's layer in which no two numbers are equal."""
    shapes = {
        "ln_1.weight": (C,),
        "ln_1.bias": (C,),
        "attn.bias": (1, 1, 4, 4),
        "attn.c_attn.weight": (C, 3 * C),
        "attn.c_attn.bias": (3 * C,),
        "attn.c_proj.weight": (C, C),
        "attn.c_proj.bias": (C,),
        "ln_2.weight": (C,),
        "ln_2.bias": (C,),
        "mlp.c_fc.weight": (C, F),
        "mlp.c_fc.bias": (F,),
        "mlp.c_proj.weight": (F, C),
        "mlp.c_proj.bias": (C,),
    }
    out, start = {}, 0
    for name, shape in shapes.items():
        n = torch.Size(shape).numel()
        out[name] = torch.arange(start, start + n).float().view(shape)
        start += n
    return out


NAMES = set(_ours(_layer(2, 3)))

our_block = Exercise(
    name="our_block",
    asks="write our_block(theirs), which returns the state dict of our block",
    reference=_ours,
    cases=[(_layer(2, 3),), (_layer(4, 16),)],
    form=_read,
    same=_same,
    show=_show,
    mistakes=[
        Mistake(
            "No matrix is turned. The file holds (in, out), our linear maps "
            "hold (out, in): every .weight of the four needs .T.",
            _all_turned,
        ),
        Mistake(
            "attn.out.weight is not turned. It is square, so it fits both "
            "ways and loads without a word, and only one way is right.",
            partial(_ours, skip=("attn.c_proj.weight",)),
        ),
        Mistake(
            "The queries', keys' and values' matrices are not turned. They "
            "are square once they are split, so nothing complains.",
            partial(_ours, skip=("c_attn",)),
        ),
        Mistake(
            "The two matrices of the MLP are not turned.",
            partial(_ours, skip=("mlp.c_fc.weight", "mlp.c_proj.weight")),
        ),
        Mistake(
            "Queries and keys are exchanged. In the file the first third is "
            "q, then come k and v. Causal scores are not symmetric: q of t "
            "meets k of s, and never the other way round.",
            partial(_ours, order="kqv"),
        ),
        Mistake(
            "The thirds are in another order. In the file they are q, k, v.",
            partial(_ours, order="vkq"),
        ),
        Mistake(
            "You cut c_attn.weight into other pieces. The thirds stand side "
            "by side, as columns of (C, 3C): cut along the last axis, or "
            "turn first and cut the rows.",
            _rows,
        ),
        Mistake(
            "attn.bias came along. It is no bias: it is the causal mask that "
            "old files carry, (1, 1, T, T) of zeros and ones. We compute "
            "ours, so it has no place.",
            partial(_ours, skip=("mask",)),
        ),
        Mistake(
            "Some of our names are missing. A block has sixteen tensors, "
            "among them q, k and v with a weight and a bias each.",
            when=lambda args, value: bool(NAMES - value.keys()),
        ),
        Mistake(
            "There are names that our block does not have.",
            when=lambda args, value: bool(value.keys() - NAMES),
        ),
    ],
    praise="Names and shapes agree, and every number is where it belongs. "
    "Only equal logits prove it for a whole model.",
)
