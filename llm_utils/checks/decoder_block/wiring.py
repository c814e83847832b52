"""Exercise 6 of chapter 5: the wiring of a block.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor

# -- block(x, attn, ffn, norm1, norm2) -> x

Layer = Callable[[Tensor], Tensor]


def _pre(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    x = x + attn(n1(x))
    return x + ffn(n2(x))


def _over(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    """The bug: the stream itself is normalized on the way."""
    x = n1(x)
    x = x + attn(x)
    x = n2(x)
    return x + ffn(x)


def _post(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    x = n1(x + attn(x))
    return n2(x + ffn(x))


def _late(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    x = x + n1(attn(x))
    return x + n2(ffn(x))


def _beside(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    return x + attn(n1(x)) + ffn(n2(x))


def _jump(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    return x + ffn(n2(x + attn(n1(x))))


def _none(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    return ffn(n2(attn(n1(x))))


def _half(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    x = x + attn(n1(x))
    return ffn(n2(x))


def _bare(x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer) -> Tensor:
    x = x + attn(n1(x))
    return x + ffn(x)


def _one_norm(
    x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer
) -> Tensor:
    x = x + attn(n1(x))
    return x + ffn(n1(x))


def _first_fixed(
    x: Tensor, attn: Layer, ffn: Layer, n1: Layer, n2: Layer
) -> Tensor:
    x = n2(x + attn(n1(x)))
    return x + ffn(x)


def _to_zero(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


def _same(x: Tensor) -> Tensor:
    return x


def _swap(x: Tensor) -> Tensor:
    return x.flip(-1)


def _look_back(x: Tensor) -> Tensor:
    return x.cumsum(-2)


def _squares(x: Tensor) -> Tensor:
    return x.square()


def _norm(x: Tensor) -> Tensor:
    return x / x.square().mean(-1, keepdim=True).sqrt()


def _twice_norm(x: Tensor) -> Tensor:
    return 2 * _norm(x)


for _layer, _name in (
    (_to_zero, "nothing"),
    (_swap, "swap"),
    (_look_back, "look_back"),
    (_squares, "squares"),
    (_norm, "norm"),
    (_twice_norm, "twice_norm"),
):
    _layer.__name__ = _name

X = torch.tensor([[3.0, 4.0]])
WIDE = torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])

block = Exercise(
    name="block",
    asks="repair block(x, attn, ffn, norm1, norm2), so that what is added "
    "reads a normalized copy, and the stream itself is left alone",
    reference=_pre,
    cases=[
        (X, _to_zero, _to_zero, _norm, _norm),
        (X, _swap, _to_zero, _norm, _norm),
        (X, _to_zero, _squares, _norm, _norm),
        (X, _swap, _squares, _norm, _twice_norm),
        (WIDE, _look_back, _squares, _twice_norm, _norm),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The stream is still overwritten by its normalized copy: after "
            "x = norm(x) the size it had is gone. Normalize inside the call, "
            "and add to the x that was there.",
            _over,
        ),
        Mistake(
            "The first half is right. In the second, the stream is still "
            "replaced by its normalized copy.",
            _first_fixed,
        ),
        Mistake(
            "That is post-norm, the wiring of 2017: it normalizes the stream "
            "after each addition. Here the norm stands before the layer.",
            _post,
        ),
        Mistake(
            "You normalize what the layers return. They should read "
            "something normalized: norm first, then the layer.",
            _late,
        ),
        Mistake(
            "Both layers read the same x, side by side. The feed-forward "
            "layer should see what attention has just added.",
            _beside,
        ),
        Mistake(
            "What attention found is read by the feed-forward layer, but "
            "it is not kept in the stream: the second addition starts from "
            "the old x.",
            _jump,
        ),
        Mistake(
            "Nothing is added to the stream, it is replaced. Deep networks "
            "need the short way past each layer.",
            _none,
        ),
        Mistake(
            "The second addition is missing: x + ffn(...).",
            _half,
        ),
        Mistake("The feed-forward layer reads x without a norm.", _bare),
        Mistake(
            "No norm is used. Both layers should read a normalized copy.",
            lambda x, attn, ffn, n1, n2: _pre(x, attn, ffn, _same, _same),
        ),
        Mistake(
            "The feed-forward layer comes first. Attention looks around, "
            "then the feed-forward layer thinks about what it found.",
            lambda x, attn, ffn, n1, n2: _pre(x, ffn, attn, n1, n2),
        ),
        Mistake(
            "norm1 and norm2 have changed places: norm1 belongs to attention.",
            lambda x, attn, ffn, n1, n2: _pre(x, attn, ffn, n2, n1),
        ),
        Mistake(
            "The feed-forward layer is missing.",
            lambda x, attn, ffn, n1, n2: x + attn(n1(x)),
        ),
        Mistake(
            "Both layers read the same normalized copy. The feed-forward "
            "layer needs a new one, norm2 of what attention has added to.",
            lambda x, attn, ffn, n1, n2: x + attn(n1(x)) + ffn(n1(x)),
        ),
        Mistake(
            "norm1 is used twice and norm2 never. They have weights of "
            "their own.",
            _one_norm,
        ),
        other_shape(_pre),
    ],
    praise="With layers that return 0, the block does nothing at all.",
)
