"""The blocks of exercise 10 of chapter 6: the right one, and readers' own.

Each wrong one replaces a method of the right one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


class Parallel(nn.Module):
    """The right block, with methods that mistakes replace."""

    def __init__(
        self, attn: nn.Module, ffn: nn.Module, norm: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.attn, self.ffn, self.norm = attn, ffn, norm()
        self.new_norm = norm

    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return x + self.attn(y, mask, cache) + self.ffn(y)

    def last_norm(self) -> nn.Module:
        return self.new_norm()


class Sequential(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        x = x + self.attn(self.norm(x), mask, cache)
        return x + self.ffn(self.norm(x))


class NoNorm(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(x, mask, cache) + self.ffn(x)


class HalfNorm(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(self.norm(x), mask, cache) + self.ffn(x)


class OtherHalf(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(x, mask, cache) + self.ffn(self.norm(x))


class Chain(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.ffn(self.attn(self.norm(x), mask, cache))


class Post(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return self.norm(x + self.attn(x, mask, cache) + self.ffn(x))


class PreAndPost(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return self.norm(x + self.attn(y, mask, cache) + self.ffn(y))


class NoAttention(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.ffn(self.norm(x))


class Exchanged(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return x + self.attn(y, cache, mask) + self.ffn(y)


class InPlace(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return x.add_(self.attn(y, mask, cache) + self.ffn(y))


class NoStream(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return self.attn(y, mask, cache) + self.ffn(y)


class Overwrites(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        x = self.norm(x)
        return x + self.attn(x, mask, cache) + self.ffn(x)


class TwiceX(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return (x + self.attn(y, mask, cache)) + (x + self.ffn(y))


class NoMask(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(self.norm(x)) + self.ffn(self.norm(x))


class NoCache(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(self.norm(x), mask) + self.ffn(self.norm(x))


class TwoNorms(Parallel):
    def __init__(self, attn: Any, ffn: Any, norm: Any) -> None:
        super().__init__(attn, ffn, norm)
        self.norm2 = norm()


class OwnNorm(Parallel):
    def last_norm(self) -> nn.Module:
        return self.norm


class NoLast(Parallel):
    def last_norm(self) -> nn.Module:
        return nn.Identity()
