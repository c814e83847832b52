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
    """A stand-in for attention or feed-forward; keeps what it was handed."""

    def __init__(self, turn: Callable[[Tensor], Tensor] | None) -> None:
        super().__init__()
        self.turn, self.got = turn, ["nothing", "nothing"]

    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        names = ((MASK, "the mask"), ("past", "the cache"))
        for place, (arg, (mine, name)) in enumerate(
            zip((mask, cache), names, strict=True)
        ):
            if arg is mine:
                self.got[place] = name
        return torch.zeros_like(x) if self.turn is None else self.turn(x)


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
        made: list[nn.Module] = []

        def norm() -> nn.Module:
            made.append(_Norm())
            return made[-1]

        attn, ffn = map(_Layer, LAYERS.get(trial, (_look, _think)))
        block = cls(attn, ffn, norm)
        if not isinstance(block, nn.Module):
            kind = type(block).__name__
            raise WrongForm(f"something else ({kind}); hand over the class")
        if trial == "how many norms":
            return f"{len(made)} made"
        if trial == "the last norm":
            return _kind(block, made)
        y = block(X.clone(), MASK, "past")
        return attn.got if trial == "what attention is handed" else y

    return run


def _kind(block: Any, made: list[nn.Module]) -> str:
    """What last_norm() returns, in words."""
    before = len(made)
    last = block.last_norm()
    if not isinstance(last, _Norm):
        return type(last).__name__
    return "a new norm" if last in made[before:] else "the block's own norm"


def read(x: Any) -> Any:
    return tensor(x) if isinstance(x, Tensor) else x


def same(a: Any, b: Any) -> bool:
    tensors = isinstance(a, Tensor), isinstance(b, Tensor)
    return close(a, b) if all(tensors) else not any(tensors) and a == b
