"""The backward pass of every layer, by hand: what autograd would have found.

Appendix A derives these for the layers of chapter 2 to chapter 5. `gy` is
the derivative of the loss by y, and has the shape of y; a function takes it
with what the forward pass kept, and returns the same for the layer's inputs
and weights. `by_hand` strings them together.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from llm_utils.model.attention import repeat_heads
from llm_utils.model.positions import rotate


def linear_bwd(
    gy: Tensor, x: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """(..., O), (..., I), (O, I) -> gx (..., I), gweight (O, I), gbias (O,).

    Of y = x @ weight.T + bias, stored the way torch stores it. Appendix A.
    """
    rows, ins = gy.reshape(-1, gy.shape[-1]), x.reshape(-1, x.shape[-1])
    return gy @ weight, rows.mT @ ins, rows.sum(0)


def embedding_bwd(gy: Tensor, ids: Tensor, vocab_size: int) -> Tensor:
    """(B, T, C), (B, T) -> gtable (V, C): each row gets what its uses got.

    Of y = table[ids]. Appendix A.
    """
    table = gy.new_zeros(vocab_size, gy.shape[-1])
    return table.index_add(0, ids.flatten(), gy.reshape(-1, gy.shape[-1]))


def softmax_bwd(gp: Tensor, p: Tensor) -> Tensor:
    """2 x (..., S) -> gs (..., S), of p = softmax(s). Appendix A."""
    return p * (gp - (gp * p).sum(-1, keepdim=True))


def softmax_ce_bwd(logits: Tensor, targets: Tensor) -> Tensor:
    """(B, T, V), (B, T) -> glogits (B, T, V), of the mean cross-entropy.

    p - y, over the number of targets; targets of -100 do not count. Chapter
    2 has it for one target, appendix A for all.
    """
    counts = targets != -100
    g = logits.softmax(-1)
    wanted = targets.masked_fill(~counts, 0)[..., None]
    g = g.scatter_add(-1, wanted, -torch.ones_like(g[..., :1]))
    return g * counts[..., None] / counts.sum()


def rms_norm_bwd(
    gy: Tensor, x: Tensor, weight: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor]:
    """2 x (..., C), (C,) -> gx (..., C), gweight (C,). Appendix A."""
    size = (x.square().mean(-1, keepdim=True) + eps).sqrt()
    n, gn = x / size, gy * weight
    gx = (gn - n * (gn * n).mean(-1, keepdim=True)) / size
    return gx, (gy * n).reshape(-1, len(weight)).sum(0)


def layer_norm_bwd(
    gy: Tensor, x: Tensor, weight: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """2 x (..., C), (C,) -> gx (..., C), gweight and gbias (C,). Appendix A."""
    centered = x - x.mean(-1, keepdim=True)
    spread = (centered.square().mean(-1, keepdim=True) + eps).sqrt()
    n, gn = centered / spread, gy * weight
    along = n * (gn * n).mean(-1, keepdim=True)
    gx = (gn - gn.mean(-1, keepdim=True) - along) / spread
    rows = (-1, len(weight))
    return gx, (gy * n).reshape(rows).sum(0), gy.reshape(rows).sum(0)


def gelu_bwd(gy: Tensor, z: Tensor) -> Tensor:
    """2 x (..., F) -> gz (..., F), of GELU in its tanh form. Appendix A."""
    c = math.sqrt(2 / math.pi)
    t = torch.tanh(c * (z + 0.044715 * z**3))
    inner = c * (1 + 3 * 0.044715 * z.square())
    return gy * (0.5 * (1 + t) + 0.5 * z * (1 - t.square()) * inner)


def silu_bwd(gy: Tensor, z: Tensor) -> Tensor:
    """2 x (..., F) -> gz (..., F), of z * sigmoid(z). Appendix A."""
    s = z.sigmoid()
    return gy * s * (1 + z * (1 - s))


def swiglu_bwd(gh: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """3 x (..., F) -> ggate and gup (..., F), of h = silu(gate) * up.

    The three linear maps around it are `linear_bwd`'s. Appendix A.
    """
    return silu_bwd(gh * up, gate), gh * gate * gate.sigmoid()


def rope_bwd(gy: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """(B, H, T, D), 2 x (T, D) -> gx (B, H, T, D): turned back.

    A rotation's transpose is the rotation by minus the angle. Appendix A.
    """
    return rotate(gy, cos, -sin)


def attention_bwd(
    go: Tensor, q: Tensor, k: Tensor, v: Tensor, p: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """2 x (B, H, T, D), 2 x (B, K, S, D), (B, H, T, S) -> gq, gk, gv.

    Of o = p @ v with p = softmax(q @ k.mT / sqrt(D) + mask), K heads of keys
    repeated for H queries. Where the mask said no, p is 0, and so is its
    gradient. Appendix A; Dao et al. (2022), appendix B.
    """
    H, K = q.shape[1], k.shape[1]
    gp = go @ repeat_heads(v, H).mT
    gs = softmax_bwd(gp, p) / math.sqrt(q.shape[-1])
    gq = gs @ repeat_heads(k, H)
    return gq, sum_heads(gs.mT @ q, K), sum_heads(p.mT @ go, K)


def sum_heads(x: Tensor, n_kv_heads: int) -> Tensor:
    """(B, H, S, D) -> (B, K, S, D): what `repeat_heads` repeated, added up."""
    return x.unflatten(1, (n_kv_heads, -1)).sum(2)
