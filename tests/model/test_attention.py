"""Masks, heads, weights and the fast path; each test can fail, and shows it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from tiny import assert_causal, randn, seeded, stirred
from torch import nn

from llm_utils.model import attention
from llm_utils.model.attention import (
    Attention,
    attend,
    attention_weights,
    causal_mask,
    merge_heads,
    repeat_heads,
    split_heads,
)
from llm_utils.notebook import assert_same

close = torch.testing.assert_close


# --- masks -------------------------------------------------------------------


@given(
    T=st.integers(1, 9),
    more=st.integers(0, 9),
    window=st.none() | st.integers(1, 12),
)
def test_a_mask_by_its_definition(T: int, more: int, window) -> None:
    """Query t stands at S - T + t and sees `window` keys up to itself."""
    S = T + more
    mask = causal_mask(T, S, window)
    assert mask.shape == (T, S) and mask.dtype == torch.bool
    for t in range(T):
        here = more + t
        first = 0 if window is None else max(0, here - window + 1)
        seen = mask[t].nonzero().flatten().tolist()
        assert seen == list(range(first, here + 1))


def test_masks_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="S=2 keys are fewer than T=3"):
        causal_mask(3, 2)
    with pytest.raises(ValueError, match="must see itself"):
        causal_mask(3, window=0)


# --- heads -------------------------------------------------------------------


@given(
    B=st.integers(1, 3), T=st.integers(1, 5),
    H=st.integers(1, 4), D=st.integers(1, 4),
)  # fmt: skip
def test_heads_split_and_merge(B: int, T: int, H: int, D: int) -> None:
    x = torch.arange(B * T * H * D).view(B, T, H * D)
    heads = split_heads(x, H)
    assert heads.shape == (B, H, T, D)
    assert torch.equal(heads[:, -1], x[..., -D:])  # the last D features
    assert torch.equal(merge_heads(heads), x)
    if H > 1 and T > 1:  # the classic bug: a view without the transpose
        assert not torch.equal(merge_heads(x.view(B, H, T, D)), x)


# --- weights and the fast path -----------------------------------------------

SHAPES = [(1, 1, 1, 1, 1, 2), (2, 4, 2, 7, 7, 4), (2, 6, 1, 5, 9, 3),
          (1, 4, 4, 1, 8, 4), (3, 3, 3, 64, 64, 8)]  # fmt: skip


def q_k_v(B, H, K, T, S, D):
    q = randn(B, H, T, D)
    return q, randn(B, K, S, D, seed=1), randn(B, K, S, D, seed=2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["causal", "window", "bool", "bias"])
def test_fast_path_is_the_explicit_one(shape, kind: str) -> None:
    q, k, v = q_k_v(*shape)
    _, H, _, T, S, _ = shape
    window = 3 if kind == "window" else None
    mask = {
        "causal": None,
        "window": None,
        "bool": causal_mask(T, S, 2),
        "bias": randn(H, T, S, seed=3),
    }[kind]

    def fast(q, k, v):
        return attend(q, k, v, mask, window)

    def explicit(q, k, v, shift=0):
        seen = mask
        if kind == "window":
            seen = causal_mask(T, S, 3 + shift)
        if kind == "causal":
            seen = causal_mask(T, S).roll(shift, -1)
        if shift and kind in ("bool", "bias"):
            seen = mask.flip(-2)
        return attention_weights(q, k, seen) @ repeat_heads(v, H)

    assert_same(fast, explicit, q, k, v)
    if T > 3:  # a wrong mask is noticed
        with pytest.raises(AssertionError):
            assert_same(fast, lambda *xs: explicit(*xs, shift=-1), q, k, v)


def test_rows_sum_to_one_and_the_future_gets_nothing() -> None:
    q, k, _ = q_k_v(2, 4, 2, 6, 9, 4)
    weights = attention_weights(q, k)
    close(weights.sum(-1), torch.ones(2, 4, 6, dtype=torch.float64))
    assert float(weights[..., ~causal_mask(6, 9)].abs().max()) == 0


def test_weights_against_torch_itself(agrees) -> None:
    """torch's own scaled_dot_product_attention, asked for the identity."""
    q, k, _ = q_k_v(2, 3, 3, 8, 8, 5)
    eye = torch.eye(8, dtype=torch.float64).expand(2, 3, 8, 8)
    theirs = F.scaled_dot_product_attention(q, k, eye, is_causal=True)
    agrees(
        "torch", "attention weights, out of its own attention",
        attention_weights(q, k), theirs, atol=1e-12, rtol=0,
    )  # fmt: skip
    with pytest.raises(AssertionError):  # without the 1 / sqrt(D)
        close(attention_weights(q * 5**0.5, k), theirs)


def test_scores_keep_their_variance_whatever_the_width() -> None:
    for D in (16, 1024):
        q, k, _ = q_k_v(4, 1, 1, 64, 64, D)
        everyone = torch.ones(64, 64, dtype=torch.bool)
        logits = attention_weights(q, k, everyone).log()
        spread = float((logits - logits.mean(-1, keepdim=True)).var())
        assert spread == pytest.approx(1, rel=0.15)
        unscaled = attention_weights(q * D**0.5, k, everyone).log()
        spread = (unscaled - unscaled.mean(-1, keepdim=True)).var()
        assert float(spread) > 0.8 * D


@pytest.mark.parametrize("T", [1, 2, 40, 600])
def test_bfloat16_takes_another_path_to_the_same_place(T: int) -> None:
    q, k, v = (x.bfloat16() for x in q_k_v(1, 4, 2, T, T, 8))
    assert attention.kernel_is_slow(q, T) == (1 < T <= 512)
    exact = attend(q.double(), k.double(), v.double())
    close(attend(q, k, v).double(), exact, atol=0.03, rtol=0.03)


# --- the layer ---------------------------------------------------------------


def layer(H: int = 4, K: int = 2, D: int = 6, **options) -> nn.Module:
    """The same weights for the same sizes."""
    torch.manual_seed(0)
    return stirred(Attention(12, H, K, D, **options))


@pytest.mark.parametrize("t", [0, 3, 5])
@pytest.mark.parametrize("window", [None, 2, 7])
def test_attention_is_causal(t: int, window) -> None:
    attn = layer(window=window)
    assert_causal(attn, randn(2, 7, 12), t)
    everyone = torch.ones(7, 7, dtype=torch.bool)
    with pytest.raises(AssertionError):
        assert_causal(lambda x: attn(x, everyone), randn(2, 7, 12), t)


def assert_equivariant(attn, x) -> None:
    """Without positions: permuted in, permuted out; all may look at all."""
    everyone = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool)
    order = torch.randperm(x.shape[1], generator=seeded(3))
    assert order.tolist() != sorted(order.tolist())
    close(attn(x[:, order], everyone), attn(x, everyone)[:, order])


def test_attention_knows_no_order() -> None:
    x = randn(2, 7, 12)
    assert_equivariant(layer(), x)

    def rotary(q, k, start):
        turn = torch.arange(q.shape[-2])[:, None]
        return q * turn.cos(), k * turn.cos()

    with pytest.raises(AssertionError):
        assert_equivariant(layer(rotary=rotary), x)


@pytest.mark.parametrize("K", [1, 2, 4])
def test_grouped_heads_are_repeated_heads(K: int) -> None:
    """Copy each key-value head H / K times: multi-head attention, equal."""
    grouped, full = layer(4, K, 6), layer(4, 4, 6)
    state = dict(grouped.state_dict())
    for name in ("k.weight", "v.weight"):
        heads = state[name].view(K, 6, 12)
        state[name] = heads.repeat_interleave(4 // K, 0).reshape(24, 12)
    full.load_state_dict(state)
    assert_same(grouped, full, randn(2, 5, 12))
    if K == 2:  # the classic bug: repeat where repeat_interleave belongs
        for name in ("k.weight", "v.weight"):
            state[name] = grouped.state_dict()[name].repeat(2, 1)
        full.load_state_dict(state)
        with pytest.raises(AssertionError):
            assert_same(grouped, full, randn(2, 5, 12))


def test_a_window_is_its_mask() -> None:
    plain, near = layer(), layer(window=3)
    x = randn(2, 8, 12)
    close(near(x), plain(x, causal_mask(8, window=3)))
    with pytest.raises(AssertionError):
        close(near(x), plain(x, causal_mask(8, window=4)))
    close(layer(window=8)(x), plain(x))  # all of the past: no window


def test_torch_multihead_attention_agrees(agrees) -> None:
    ours = layer(4, 4, 3, bias=True)
    theirs = nn.MultiheadAttention(12, 4, batch_first=True).double()
    with torch.no_grad():
        for part in ("weight", "bias"):
            three = [getattr(getattr(ours, n), part) for n in "qkv"]
            getattr(theirs, f"in_proj_{part}").copy_(torch.cat(three))
            getattr(theirs.out_proj, part).copy_(getattr(ours.out, part))
    x = randn(2, 6, 12)
    mask = ~causal_mask(6)  # theirs: True = may not look
    agrees(
        "torch", "a layer of attention with several heads",
        ours(x), theirs(x, x, x, attn_mask=mask)[0], atol=1e-12, rtol=0,
    )  # fmt: skip


def test_queries_and_keys_are_normalized_before_they_are_turned() -> None:
    order = []

    class Norm(nn.Identity):
        def forward(self, x):
            order.append("norm")
            return x

    def rotary(q, k, start):
        order.append("turn")
        return q, k

    layer(qk_norm=Norm, rotary=rotary)(randn(1, 3, 12))
    assert order == ["norm", "norm", "turn"]


def test_heads_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="n_kv_heads=3 does not divide"):
        Attention(12, 4, 3, 6)
