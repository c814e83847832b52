"""One token at a time, with fewer calls: the same numbers, sooner.

Chapter 11 derives it. For a single token a model is a row of products of a
vector with a matrix; what is between them is mostly the price of calling.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_utils.model.attention import Attention, Cache, attend
from llm_utils.model.block import Block, pre_norm
from llm_utils.model.ffn import MLP, SwiGLU
from llm_utils.model.gpt import GPT, check_ids
from llm_utils.model.norm import LayerNorm, RMSNorm
from llm_utils.model.positions import Rotary, rotate


def lay_out(w: Tensor) -> Tensor:
    """(O, I) -> (I, O), its longer side in a row: for x @ w with one row in x.

    Many results are then a sum of long rows of w, a few are dot products with
    long rows; either is read faster than many short rows are. Chapter 11.
    """
    n_out, n_in = w.shape
    w = w.detach().clone().t()
    return w if n_in > n_out else w.contiguous()


def joined(*linears: nn.Linear) -> tuple[Tensor, Tensor | None]:
    """Linear maps of one input -> weight (I, O) and bias (O,) of all."""
    w = lay_out(torch.cat([x.weight for x in linears]))
    if linears[0].bias is None:
        return w, None
    return w, torch.cat([x.bias for x in linears]).detach()


class LeanBlock:
    """A block for one token: (B, C) -> (B, C), four products and a lookup.

    Queries, keys and values are one product, gate and up another; the result
    of the last two is added to the stream by the product itself.
    """

    def __init__(self, block: Block) -> None:
        attn, ffn = block.attn, block.ffn
        assert isinstance(attn, Attention) and isinstance(ffn, (MLP, SwiGLU))
        self.attn, self.norm1, self.norm2 = attn, block.norm1, block.norm2
        self.heads = attn.n_heads, attn.n_kv_heads
        self.qkv, self.qkv_bias = joined(attn.q, attn.k, attn.v)
        self.out, self.out_bias = joined(attn.out)
        gate = [ffn.gate] if isinstance(ffn, SwiGLU) else []
        self.up, self.up_bias = joined(*gate, ffn.up)
        self.down, self.down_bias = joined(ffn.down)
        self.gated = bool(gate)

    def __call__(
        self, x: Tensor, cache: Cache, turn: Tensor | None = None
    ) -> Tensor:
        """turn: cos and signed sin of this position, (2, D)."""
        q, k, v = self.look(normed(x, self.norm1), turn)
        k, v = cache.extend(k, v)
        y = attend(q, k, v, window=self.attn.window).flatten(1)  # (B, H * D)
        x = add_product(x, y, self.out, self.out_bias)
        h = times(normed(x, self.norm2), self.up, self.up_bias)
        if self.gated:
            gate, up = h.chunk(2, -1)
            h = F.silu(gate) * up
        else:
            h = F.gelu(h, approximate="tanh")
        return add_product(x, h, self.down, self.down_bias)

    def look(
        self, x: Tensor, turn: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C) -> q (B, H, 1, D), k and v (B, K, 1, D)."""
        H, K = self.heads
        qkv = times(x, self.qkv, self.qkv_bias)
        qkv = qkv.view(len(x), H + 2 * K, 1, -1)
        qk, v = qkv[:, : H + K], qkv[:, H + K :]
        if isinstance(self.attn.q_norm, RMSNorm):
            q, k = qk[:, :H], qk[:, H:]
            q, k = normed(q, self.attn.q_norm), normed(k, self.attn.k_norm)
            qk = torch.cat((q, k), 1)
        if turn is not None:  # queries and keys by the same angle
            qk = rotate(qk, turn[0], turn[1])
        return qk[:, :H], qk[:, H:], v


def normed(x: Tensor, norm: nn.Module) -> Tensor:
    """norm(x); the RMS in half the calls that PyTorch makes on a CPU."""
    if not isinstance(norm, RMSNorm):
        return norm(x)
    mean = x.square().mean(-1, keepdim=True)
    return x * (mean + norm.eps).rsqrt() * norm.weight


def times(x: Tensor, w: Tensor, bias: Tensor | None) -> Tensor:
    """(B, I), (I, O) -> (B, O): x @ w + bias."""
    return x @ w if bias is None else torch.addmm(bias, x, w)


def add_product(x: Tensor, y: Tensor, w: Tensor, bias: Tensor | None) -> Tensor:
    """(B, O), (B, I), (I, O) -> (B, O): x + y @ w + bias, in one call."""
    return torch.addmm(x if bias is None else x + bias, y, w)


class Lean(nn.Module):
    """ids (B, T) -> (B, T, V): the model's logits; one token takes few calls.

    With a cache and T = 1 the lean step runs, else the model. It holds a copy
    of the blocks' weights as they are now, so make it when training is over.
    ValueError for a block whose parts it does not know, such as a mixture of
    experts. Chapter 11.
    """

    def __init__(self, model: GPT) -> None:
        super().__init__()
        self.model, self.cfg = model, model.cfg
        self.steps = [LeanBlock(known(block)) for block in model.blocks]
        self.head = lay_out((model.head or model.tokens).weight)
        rotary = self.steps[0].attn.rotary
        self.table: Tensor | None = None
        if isinstance(rotary, Rotary):
            self.table = rotary.table(self.cfg.max_len).to(self.head)

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        cache: Sequence[Cache] | None = None,
    ) -> Tensor:
        if cache is None or mask is not None or ids.shape[1] != 1:
            return self.model(ids, mask, cache)
        return self.step(ids, cache)[:, None]

    def step(self, ids: Tensor, cache: Sequence[Cache]) -> Tensor:
        """(B, 1) -> (B, V): the next token after these, one in each row."""
        model, start = self.model, cache[0].length
        check_ids(ids, self.cfg, start, model.tokens.weight.device)
        x = model.positions(model.tokens(ids), start)[:, 0]
        turn = None if self.table is None else self.table.narrow(1, start, 1)
        for step, past in zip(self.steps, cache, strict=True):
            x = step(x, past, turn)
        return normed(x, model.norm) @ self.head


def known(block: nn.Module) -> Block:
    """The block; ValueError unless a LeanBlock computes what it does."""
    if (
        isinstance(block, Block)
        and block.add is pre_norm
        and isinstance(block.attn, Attention)
        and isinstance(block.attn.rotary, (Rotary, type(None)))
        and isinstance(block.ffn, (MLP, SwiGLU))
        and isinstance(block.norm1, (LayerNorm, RMSNorm))
        and not (block.training and block.drop.p)
    ):
        attn, ffn = block.attn, block.ffn
        linears = attn.q, attn.k, attn.v, attn.out, ffn.up, ffn.down
        if all(type(x) is nn.Linear for x in linears):  # no QuantLinear
            return block
    ffn_name = type(getattr(block, "ffn", None)).__name__
    raise ValueError(
        f"no lean step for {type(block).__name__} with {ffn_name}: it takes "
        "pre-norm blocks of Attention and MLP or SwiGLU, in eval mode"
    )
