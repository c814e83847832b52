"""Attention: each position looks up the past by what is in it.

Chapter 3 derives it, from an average of the past to grouped heads. Positions
(`rotary`) come in chapter 4, caches in chapter 11.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def causal_mask(
    T: int,
    S: int | None = None,
    window: int | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """-> (T, S), bool: True where query t may look at key s.

    The T queries are the last of the S positions (S = T if not given). With a
    window a query sees itself and the window - 1 keys before it. Chapter 3.
    """
    S = T if S is None else S
    if S < T:
        raise ValueError(
            f"S={S} keys are fewer than T={T} queries: a query is a key too"
        )
    if window is not None and window < 1:
        raise ValueError(f"window={window}: a query must see itself")
    query = torch.arange(S - T, S, device=device)[:, None]
    key = torch.arange(S, device=device)
    mask = key <= query
    return mask if window is None else mask & (key > query - window)


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """(B, T, H * D) -> (B, H, T, D)."""
    B, T, C = x.shape
    return x.view(B, T, n_heads, C // n_heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, D) -> (B, T, H * D): the exact inverse of split_heads."""
    B, H, T, D = x.shape
    return x.transpose(1, 2).reshape(B, T, H * D)


def repeat_heads(x: Tensor, n_heads: int) -> Tensor:
    """(B, K, S, D) -> (B, H, S, D): each head H / K times in a row."""
    return x.repeat_interleave(n_heads // x.shape[1], dim=1)


def attention_weights(
    q: Tensor, k: Tensor, mask: Tensor | None = None
) -> Tensor:
    """(B, H, T, D), (B, K, S, D) -> (B, H, T, S): rows sum to 1.

    mask: bool, True = may look, or a bias that is added to the scores; None is
    causal. For looking at; `attend` never stores them. Chapter 3; Vaswani et
    al. (2017), equation 1.
    """
    scores = q / math.sqrt(q.shape[-1]) @ repeat_heads(k, q.shape[1]).mT
    if mask is None:
        mask = causal_mask(q.shape[-2], k.shape[-2], device=q.device)
    if mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, -torch.inf)
    else:
        scores = scores + mask
    return scores.softmax(-1)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
    window: int | None = None,
) -> Tensor:
    """(B, H, T, D), 2 x (B, K, S, D) -> (B, H, T, D): the fast path.

    Equal to attention_weights(q, k, mask) @ v, in torch's fused kernel, which
    never holds (T, S) scores, unless that is the slower one. mask None is
    causal, within `window` keys if one is given. Chapter 3; Dao et al. (2022).
    """
    T, S = q.shape[-2], k.shape[-2]
    causal = False
    if mask is None and window is not None and window < S:
        mask = causal_mask(T, S, window, q.device)
    elif mask is None and T == S:
        causal = True  # the kernel skips the future by itself
    elif mask is None and T > 1:  # a single query may look at all keys
        mask = causal_mask(T, S, device=q.device)
    if kernel_is_slow(q, S):
        return attention_weights(q, k, mask) @ repeat_heads(v, q.shape[1])
    grouped = q.shape[1] != k.shape[1]
    return F.scaled_dot_product_attention(
        q, k, v, mask, is_causal=causal, enable_gqa=grouped
    )


def kernel_is_slow(q: Tensor, S: int) -> bool:
    """On a CPU in bfloat16 torch 2.13's kernel is the slower one up to here.

    With the backward pass 3 times at S = 64, twice at 256, even at 1024.
    """
    half = q.device.type == "cpu" and q.dtype == torch.bfloat16
    return half and q.shape[-2] > 1 and S <= 512


class Cache(Protocol):
    """What one layer remembers of the past; chapter 11 writes some."""

    @property
    def length(self) -> int:
        """How many positions have passed: where the next one stands."""

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append 2 x (B, K, T, D); return all to look at, 2 x (B, K, S, D)."""


Turn = Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]


class Attention(nn.Module):
    """(B, T, C) -> (B, T, C): grouped-query attention, causal.

    H query heads share K heads of keys and values: K = H is multi-head, K = 1
    multi-query attention. Derived in chapter 3; Ainslie et al. (2023).
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int,
        d_head: int,
        rotary: Turn | None = None,
        *,
        bias: bool = False,
        qk_norm: Callable[[], nn.Module] = nn.Identity,
        window: int | None = None,
    ) -> None:
        """rotary turns q and k by position; qk_norm makes norms over D."""
        super().__init__()
        if n_heads % n_kv_heads:
            raise ValueError(
                f"n_kv_heads={n_kv_heads} does not divide n_heads={n_heads}: "
                "each key-value head serves as many query heads"
            )
        self.n_heads, self.n_kv_heads = n_heads, n_kv_heads
        self.q = nn.Linear(d_model, n_heads * d_head, bias)
        self.k = nn.Linear(d_model, n_kv_heads * d_head, bias)
        self.v = nn.Linear(d_model, n_kv_heads * d_head, bias)
        self.out = nn.Linear(n_heads * d_head, d_model, bias)
        self.q_norm, self.k_norm = qk_norm(), qk_norm()
        self.rotary, self.window = rotary, window

    def heads(self, x: Tensor, start: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, C) -> q (B, H, T, D), k and v (B, K, T, D)."""
        q = self.q_norm(split_heads(self.q(x), self.n_heads))
        k = self.k_norm(split_heads(self.k(x), self.n_kv_heads))
        v = split_heads(self.v(x), self.n_kv_heads)
        if self.rotary is not None:
            q, k = self.rotary(q, k, start)
        return q, k, v

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        q, k, v = self.heads(x, 0 if cache is None else cache.length)
        if cache is not None:
            k, v = cache.extend(k, v)
        return self.out(merge_heads(attend(q, k, v, mask, self.window)))
