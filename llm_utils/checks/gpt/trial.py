"""What exercise 10 of chapter 6 tries on a class of blocks.

Stand-ins for the layers and the norm keep what happens to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from llm_utils.checks.tensors import close, tensor
from llm_utils.checks.watch import WrongForm

X = torch.tensor([[[3.0, 4.0], [1.0, -2.0]]])
MASK = torch.tensor([[True, False], [True, True]])


class _Layer(nn.Module):
    """A stand-in for the feed-forward layer."""

    def __init__(self, turn: Callable[[Tensor], Tensor] | None) -> None:
        super().__init__()
        self.turn = turn

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x) if self.turn is None else self.turn(x)


class _Attention(_Layer):
    """A stand-in for attention; keeps what it was handed."""

    got: tuple[str, ...] = ()

    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        self.got = _name(mask), _name(cache)
        return super().forward(x)


def _name(x: Any) -> str:
    if isinstance(x, str):
        return "the cache"
    return "nothing" if x is None else "the mask"


class _Norm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / x.square().mean(-1, keepdim=True).sqrt()


def _look(x: Tensor) -> Tensor:
    return x.cumsum(-2)


def _think(x: Tensor) -> Tensor:
    return x.flip(-1).square()


LAYERS: dict[str, tuple[Any, Any]] = {
    "layers that add nothing": (None, None),
    "attention alone": (_look, None),
    "feed-forward alone": (None, _think),
    "both": (_look, _think),
}


def trial_of(cls: Callable[..., Any]) -> Callable[..., Any]:
    """What a block of this class does, by the name of a trial."""

    def run(trial: str) -> Any:
        if isinstance(cls, nn.Module):
            kind = type(cls).__name__
            raise WrongForm(f"a finished {kind}; hand over the class itself")
        made: list[nn.Module] = []

        def norm() -> nn.Module:
            made.append(_Norm())
            return made[-1]

        norm.__qualname__ = "norm"  # what an error calls it
        look, think = LAYERS.get(trial, (_look, _think))
        attn, ffn = _Attention(look), _Layer(think)
        block = cls(attn, ffn, norm)
        if not isinstance(block, nn.Module):
            kind = type(block).__name__
            raise WrongForm(f"something else ({kind}); hand over the class")
        if trial == "how many norms":
            return f"{len(made)} made"
        if trial == "the last norm":
            return _kind(block, made)
        if trial == "what torch finds":
            return _found(block, attn, ffn)
        x = X.clone()
        y = block(x, MASK, "past")
        if trial == "the stream that came in":
            return "as it was" if torch.equal(x, X) else "overwritten"
        return attn.got if trial == "what attention is handed" else y

    return run


def _kind(block: Any, made: list[nn.Module]) -> str:
    """What last_norm() returns, in words."""
    before = len(made)
    last = block.last_norm()
    if not isinstance(last, _Norm):
        return type(last).__name__
    if last not in made:
        return "a norm that norm() has not made"
    return "a new norm" if last in made[before:] else "the block's own norm"


def _found(block: nn.Module, attn: nn.Module, ffn: nn.Module) -> str:
    """Which parts are registered, so that they are trained and saved."""
    inside = list(block.modules())
    there = [("attention", attn in inside), ("feed-forward", ffn in inside)]
    there.append(("norm", any(isinstance(m, _Norm) for m in inside)))
    return ", ".join(name for name, found in there if found) or "nothing"


def read(x: Any) -> Any:
    return tensor(x) if isinstance(x, Tensor) else x


def same(a: Any, b: Any) -> bool:
    tensors = isinstance(a, Tensor), isinstance(b, Tensor)
    return close(a, b) if all(tensors) else not any(tensors) and a == b
