"""Exercise 10 of chapter 6: a block whose two halves work side by side.

Each `Mistake` is a small wrong class: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.gpt.trial import LAYERS, read, same, trial_of
from llm_utils.checks.tensors import show


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


class _Sequential(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        x = x + self.attn(self.norm(x), mask, cache)
        return x + self.ffn(self.norm(x))


class _NoNorm(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(x, mask, cache) + self.ffn(x)


class _HalfNorm(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(self.norm(x), mask, cache) + self.ffn(x)


class _NoStream(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return self.attn(y, mask, cache) + self.ffn(y)


class _Overwrites(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        x = self.norm(x)
        return x + self.attn(x, mask, cache) + self.ffn(x)


class _TwiceX(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        y = self.norm(x)
        return (x + self.attn(y, mask, cache)) + (x + self.ffn(y))


class _NoMask(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(self.norm(x)) + self.ffn(self.norm(x))


class _NoCache(Parallel):
    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        return x + self.attn(self.norm(x), mask) + self.ffn(self.norm(x))


class _TwoNorms(Parallel):
    def __init__(self, attn: Any, ffn: Any, norm: Any) -> None:
        super().__init__(attn, ffn, norm)
        self.norm2 = norm()


class _OwnNorm(Parallel):
    def last_norm(self) -> nn.Module:
        return self.norm


class _NoLast(Parallel):
    def last_norm(self) -> nn.Module:
        return nn.Identity()


parallel_block = Exercise(
    name="parallel_block",
    asks="write the class ParallelBlock, and hand over the class itself",
    reference=Parallel,
    cases=[
        *((name,) for name in LAYERS),
        ("what attention is handed",),
        ("how many norms",),
        ("the last norm",),
    ],
    form=read,
    same=same,
    adapt=trial_of,
    show=lambda x: x if isinstance(x, str) else show(x),
    mistakes=[
        Mistake(
            "That is the block of chapter 5, one layer after the other: the "
            "feed-forward layer reads what attention has written. Here both "
            "read the same normalized x.",
            _Sequential,
        ),
        Mistake("The layers read x itself. Let both read norm(x).", _NoNorm),
        Mistake(
            "Attention reads norm(x), but the feed-forward layer reads x "
            "itself. Both read the same normalized vector.",
            _HalfNorm,
        ),
        Mistake(
            "The stream is lost: what the layers return is added to x.",
            _NoStream,
        ),
        Mistake(
            "You overwrite x by norm(x), so the sum starts from the "
            "normalized copy. Give the copy a name of its own.",
            _Overwrites,
        ),
        Mistake(
            "x comes in twice, once with each layer. Add it once.", _TwiceX
        ),
        Mistake(
            "Attention gets neither mask nor cache. Hand both on: "
            "self.attn(y, mask, cache).",
            _NoMask,
        ),
        Mistake(
            "Attention gets no cache. Nothing fails today; chapter 11 would "
            "write texts without a past.",
            _NoCache,
        ),
        Mistake(
            "You make more than one norm. Both layers read the same copy, so "
            "one is enough: that is part of what this block saves.",
            _TwoNorms,
        ),
        Mistake(
            "last_norm gives away the block's own norm, so that the model's "
            "last norm and this one would share their scale. Make a new one: "
            "keep `norm` and call it.",
            _OwnNorm,
        ),
        Mistake(
            "last_norm gives no norm. In this wiring nobody has normalized "
            "the stream, so the model needs a new one before its head.",
            _NoLast,
        ),
    ],
    praise="GPT takes any block with these three methods: an architecture of "
    "your own is a class of ten lines.",
)
