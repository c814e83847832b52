"""A token as one compiled function: no calls in between, all weights at once.

Chapter 11 says why. A compiler likes the plain formulas better than the tricks
of `lean`: it joins, fuses and lays out by itself, if nothing that it sees
changes its shape. So a cache is written at a place that is a number in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._dynamo import maybe_mark_dynamic

from llm_utils.infer.cache import KVCache
from llm_utils.infer.lean import known, normed
from llm_utils.model.attention import Attention, Cache
from llm_utils.model.block import Block
from llm_utils.model.ffn import MLP, SwiGLU
from llm_utils.model.gpt import GPT, check_ids
from llm_utils.model.positions import Rotary, rotate

# A vector that is multiplied with every row of a matrix is computed once and
# stored; torch would rather compute it again for each row. And no Python calls
# what was compiled.
OPTIONS: dict[str, Any] = {
    "cpp_wrapper": True,
    "realize_reads_threshold": 0,
    "realize_acc_reads_threshold": 2,
    "guard_filter_fn": lambda guards: [may_change(guard) for guard in guards],
}
PLACES = 2  # that a processor reads at once; chapter 11


def may_change(guard: Any) -> bool:
    """Whether a condition of the compiled code is tested at each token.

    Conditions on the model's modules and weights are left out, hundreds of
    them: who compiles a step compiles it for one model (`own`).
    """
    return guard.guard_type in ("GLOBAL_STATE", "SHAPE_ENV") or (
        guard.guard_type == "TENSOR_MATCH"
        and not isinstance(guard.value, nn.Parameter)
    )


def own(f: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same function with code of its own.

    torch.compile keeps what it made with the code of a function, and so would
    take what it made for one model for another's.
    """
    assert isinstance(f, FunctionType)
    return FunctionType(f.__code__.replace(), f.__globals__, f.__name__)


class Here(NamedTuple):
    """Where the token stands."""

    place: Tensor  # (1,): its number, in memory, so that no code depends on it
    seen: Tensor  # (n,): numbers of the positions it sees, its own the last
    table: Tensor | None  # cos and signed sin of all angles, (2, n, D)


def times(x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    """(B, I), (O, I) -> (B, O): F.linear; of one row as sums, for a compiler.

    It makes one loop of the sums, which reads w in several places at once: so
    a processor gets more from its memory than by reading on in one place.
    """
    if len(x) > 1 or x.device.type != "cpu":
        return F.linear(x, w, bias)
    y = torch.cat([(part * x).sum(-1) for part in w.chunk(PLACES)])
    return (y if bias is None else y + bias)[None]


def mapped(x: Tensor, linear: nn.Linear) -> Tensor:
    """linear(x), by `times`."""
    return times(x, linear.weight, linear.bias)


def look(attn: Attention, x: Tensor, kv: Tensor, here: Here) -> Tensor:
    """(B, C), cache (2, B, K, S, D) -> (B, H * D); the cache is written."""
    H, K = attn.n_heads, attn.n_kv_heads
    q, k, v = (
        mapped(x, linear).view(len(x), heads, 1, -1)
        for linear, heads in ((attn.q, H), (attn.k, K), (attn.v, K))
    )
    q, k = normed(q, attn.q_norm), normed(k, attn.k_norm)
    if here.table is not None:
        cos, sin = here.table[:, here.place]
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
    kv[:, :, :, here.place] = torch.stack((k, v))
    k, v = kv.narrow(3, 0, len(here.seen)).unbind()
    y = F.scaled_dot_product_attention(q, k, v, enable_gqa=H != K)
    return y.flatten(1)


def think(ffn: MLP | SwiGLU, x: Tensor) -> Tensor:
    """(B, C) -> (B, F): the inside of an MLP or a SwiGLU."""
    up = mapped(x, ffn.up)
    if isinstance(ffn, SwiGLU):
        return F.silu(mapped(x, ffn.gate)) * up
    return F.gelu(up, approximate="tanh")


def step(
    blocks: Sequence[Block], norm: nn.Module, head: Tensor,
    x: Tensor, kvs: Sequence[Tensor], here: Here,
) -> Tensor:  # fmt: skip
    """(B, C), one cache per layer -> (B, V): what is compiled."""
    for kv in kvs:  # one number then stands for the room of all
        torch._check(kv.shape[3] == kvs[0].shape[3])
    for block, kv in zip(blocks, kvs, strict=True):
        attn, ffn = block.attn, block.ffn
        assert isinstance(attn, Attention) and isinstance(ffn, (MLP, SwiGLU))
        y = look(attn, normed(x, block.norm1), kv, here)
        x = x + mapped(y, attn.out)
        h = think(ffn, normed(x, block.norm2))
        x = x + mapped(h, ffn.down)
    return times(normed(x, norm), head)


class Compiled(nn.Module):
    """ids (B, T) -> (B, T, V): the model's logits; one token is one function.

    With `KVCache`s and T = 1 the compiled step runs, else the model. The first
    such call compiles it, once for one text and once for several, which takes a
    minute and a C++ compiler. It reads the model's own weights: nothing is
    copied. ValueError for blocks that `Lean` does not know, and for windows.
    Chapter 11.
    """

    def __init__(self, model: GPT) -> None:
        super().__init__()
        self.model, self.cfg = model, model.cfg
        self.blocks = [known(block) for block in model.blocks]
        if any(block.attn.window for block in self.blocks):
            raise ValueError(
                "no compiled step for layers that look back through a window: "
                "take Lean"
            )
        rotary = self.blocks[0].attn.rotary
        like = model.tokens.weight
        self.numbers = torch.arange(self.cfg.max_len, device=like.device)
        self.table: Tensor | None = None
        if isinstance(rotary, Rotary):
            self.table = rotary.table(self.cfg.max_len).to(like)
        self.made: set[bool] = set()  # for one text, for several
        options = {**OPTIONS}  # torch takes out what it has read
        self.step = torch.compile(own(step), options=options)

    @torch.no_grad()
    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        cache: Sequence[Cache] | None = None,
    ) -> Tensor:
        if mask is None and self.may_write(cache, ids):
            return self.token(ids, cache)[:, None]
        return self.model(ids, mask, cache)

    def token(self, ids: Tensor, cache: Sequence[KVCache]) -> Tensor:
        """(B, 1) -> (B, V): the next token after these, one in each row."""
        model, start = self.model, cache[0].length
        check_ids(ids, self.cfg, start, model.tokens.weight.device)
        x = model.positions(model.tokens(ids), start)[:, 0]
        place = self.numbers.narrow(0, start, 1)
        here = Here(place, self.numbers.narrow(0, 0, start + 1), self.table)
        if (len(ids) > 1) not in self.made:  # lengths that will be others
            self.made.add(len(ids) > 1)
            maybe_mark_dynamic(here.seen, 0)
            for layer in cache:
                maybe_mark_dynamic(layer.kv, 3)
        logits = self.step(
            self.blocks, model.norm, (model.head or model.tokens).weight,
            x, [layer.kv for layer in cache], here,
        )  # fmt: skip
        for layer in cache:
            layer.length = start + 1
        return logits

    def may_write(
        self, cache: Sequence[Cache] | None, ids: Tensor
    ) -> TypeGuard[Sequence[KVCache]]:
        """Whether these ids are one token each, and have a place in the cache.

        Not at its ends: there the shapes are special, and would be compiled
        once more. What may not be written here the model writes, or refuses.
        """
        if cache is None or len(cache) != len(self.blocks):
            return False
        first, dtype = cache[0], self.model.tokens.weight.dtype
        if not isinstance(first, KVCache) or ids.shape[1:] != (1,):
            return False
        shape = first.kv.shape
        return shape[:3] == (2, len(ids), self.cfg.n_kv_heads) and all(
            isinstance(layer, KVCache)
            and layer.kv.shape == shape
            and layer.kv.dtype == dtype
            and 0 < layer.length < shape[3] - 1
            for layer in cache
        )
