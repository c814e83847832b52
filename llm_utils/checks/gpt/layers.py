"""One layer of a GPT-2 file for exercise 7 of chapter 6, and its conversion.

The right one, what readers really write, and how their values are recognized.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

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


def ours(
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


def rows(theirs: Weights) -> dict[str, Tensor]:
    """Thirds of the rows, where the thirds stand side by side."""
    out = ours(theirs)
    flat = theirs["attn.c_attn.weight"].reshape(3, -1)
    for letter, part in zip("qkv", flat, strict=True):
        out[f"attn.{letter}.weight"] = part.reshape(
            len(theirs["attn.c_attn.weight"]), -1
        ).T
    return out


def all_turned(theirs: Weights) -> dict[str, Tensor]:
    """The splits lie along rows: nothing was turned."""
    return ours(theirs, skip=(*TURNED, "c_attn"))


def exchanged(theirs: Weights, a: str, b: str) -> dict[str, Tensor]:
    out = ours(theirs)
    for kind in BOTH:
        first, second = f"{a}.{kind}", f"{b}.{kind}"
        out[first], out[second] = out[second], out[first]
    return out


def every_third(theirs: Weights) -> dict[str, Tensor]:
    out = ours(theirs)
    for k, letter in enumerate("qkv"):
        for kind in BOTH:
            part = theirs[f"attn.c_attn.{kind}"][..., k::3]
            out[f"attn.{letter}.{kind}"] = part.T if part.dim() == 2 else part
    return out


def reordered(args: tuple[Any, ...], value: Weights) -> bool:
    """q, k and v are there, under each other's names."""
    orders = ("qvk", "kqv", "kvq", "vqk", "vkq")
    found = (read(ours(args[0], order=order)) for order in orders)
    return any(same(dict(value), wrong) for wrong in found)


def mlp_exchanged(args: tuple[Any, ...], value: Weights) -> bool:
    up = read(ours(args[0]))["ffn.up.weight"]
    down = value.get("ffn.down.weight", up[0])
    return close(down, up) or close(down, up.mT)


def cut_elsewhere(args: tuple[Any, ...], value: Weights) -> bool:
    want = ours(args[0])
    names = [f"attn.{x}.{kind}" for x in "qkv" for kind in BOTH]
    return all(name in value for name in names) and any(
        value[name].shape != want[name].shape for name in names
    )


def half_turned(args: tuple[Any, ...], value: Weights) -> bool:
    want = read(ours(args[0]))
    return value.keys() == want.keys() and all(
        close(value[k], x) or (x.dim() == 2 and close(value[k], x.T))
        for k, x in want.items()
    )


def read(x: Any) -> dict[str, Tensor]:
    if not isinstance(x, Mapping):
        raise WrongForm(f"a {type(x).__name__}; a dictionary is asked for")
    return {name: tensor(value) for name, value in x.items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)


def show(x: Any) -> str:
    if not isinstance(x, Mapping) or "ln_1.weight" in x:
        return "theirs"
    names = [n for n in ("attn.q.weight", "attn.out.weight") if n in x]
    short = [f"{n.removesuffix('.weight')} {x[n].tolist()}" for n in names]
    return f"{len(x)} tensors; " + ", ".join(short)


def layer(C: int, F: int) -> dict[str, Tensor]:
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


NAMES = set(ours(layer(2, 3)))
