"""Norms, feed-forward layers, and how a block wires them."""

from __future__ import annotations

import pytest
import torch
from tiny import assert_causal, randn, stirred, tiny
from torch import nn

from llm_utils.model.block import Block
from llm_utils.model.ffn import MLP, SwiGLU
from llm_utils.model.norm import LayerNorm, RMSNorm
from llm_utils.notebook import assert_same

close = torch.testing.assert_close


def fill(model: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return stirred(model)


# --- norms -------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 8), (2, 5, 8)])
def test_layer_norm_by_the_formula(shape) -> None:
    norm = fill(LayerNorm(8, eps=1e-3))

    def by_hand(x, eps=1e-3, n=8):
        off = x - x.mean(-1, keepdim=True)
        variance = off.square().sum(-1, keepdim=True) / n
        return norm.weight * off / (variance + eps).sqrt() + norm.bias

    assert_same(norm, by_hand, randn(*shape))
    with pytest.raises(AssertionError):  # the unbiased variance
        assert_same(norm, lambda x: by_hand(x, n=7), randn(*shape))
    with pytest.raises(AssertionError):
        assert_same(norm, lambda x: by_hand(x, 0), randn(*shape))


@pytest.mark.parametrize("shape", [(1, 8), (2, 5, 8)])
def test_rms_norm_by_the_formula(shape) -> None:
    norm = fill(RMSNorm(8, eps=1e-3))

    def by_hand(x, mean=False):
        x = x - x.mean(-1, keepdim=True) if mean else x
        size = (x.square().mean(-1, keepdim=True) + 1e-3).sqrt()
        return norm.weight * x / size

    assert_same(norm, by_hand, randn(*shape))
    with pytest.raises(AssertionError):  # LayerNorm's habit
        assert_same(norm, lambda x: by_hand(x, mean=True), randn(*shape))


# --- feed-forward ------------------------------------------------------------


def test_mlp_by_the_formula() -> None:
    mlp = fill(MLP(6, 10))

    def by_hand(x, cubic=0.044715):
        h = x @ mlp.up.weight.T + mlp.up.bias
        inner = (2 / torch.pi) ** 0.5 * (h + cubic * h**3)
        return 0.5 * h * (1 + inner.tanh()) @ mlp.down.weight.T + mlp.down.bias

    assert_same(mlp, by_hand, randn(2, 3, 6))
    with pytest.raises(AssertionError):
        assert_same(mlp, lambda x: by_hand(x, 0.0447), randn(2, 3, 6))
    assert [n for n, _ in MLP(6, 10, bias=False).named_parameters()] == [
        "up.weight", "down.weight",
    ]  # fmt: skip


def test_swiglu_by_the_formula() -> None:
    ffn = fill(SwiGLU(6, 10))

    def by_hand(x, swap=False):
        gate, up = x @ ffn.gate.weight.T, x @ ffn.up.weight.T
        gate, up = (up, gate) if swap else (gate, up)
        return gate * gate.sigmoid() * up @ ffn.down.weight.T

    assert_same(ffn, by_hand, randn(2, 3, 6))
    with pytest.raises(AssertionError):  # the classic: gate and up swapped
        assert_same(ffn, lambda x: by_hand(x, swap=True), randn(2, 3, 6))


# --- the block ---------------------------------------------------------------


class Branch(nn.Module):
    """A stand-in for attention or feed-forward: f(x), whatever comes along."""

    def __init__(self, f) -> None:
        super().__init__()
        self.f = f

    def forward(self, x, mask=None, cache=None):
        return self.f(x)


def test_wiring_of_both_orders() -> None:
    attn, ffn = Branch(torch.sin), Branch(torch.exp)
    x = randn(2, 3, 8)
    norm = LayerNorm(8).double()
    pre = Block(attn, ffn, lambda: norm)
    h = x + norm(x).sin()
    close(pre(x), h + norm(h).exp())
    post = Block(attn, ffn, lambda: norm, order="post")
    h = norm(x + x.sin())
    close(post(x), norm(h + h.exp()))
    assert not torch.allclose(pre(x), post(x))
    assert isinstance(pre.last_norm(), LayerNorm)
    assert isinstance(post.last_norm(), nn.Identity)
    with pytest.raises(ValueError, match="order='after'"):
        Block(attn, ffn, lambda: norm, order="after")


def test_each_norm_is_its_own() -> None:
    block = Block(Branch(torch.sin), Branch(torch.exp), lambda: RMSNorm(4))
    norms = [block.norm1, block.norm2, block.last_norm()]
    assert len({id(norm) for norm in norms}) == 3


def test_mask_and_cache_reach_attention() -> None:
    seen = []

    class Spy(nn.Module):
        def forward(self, x, mask, cache):
            seen.append((mask, cache))
            return x

    block = Block(Spy(), nn.Identity(), nn.Identity)
    block(randn(1, 2, 4), "mask", "cache")
    assert seen == [("mask", "cache")]


def test_dropout_in_training_only() -> None:
    block = Block(
        Branch(torch.ones_like), Branch(torch.zeros_like), nn.Identity,
        dropout=0.25,
    )  # fmt: skip
    x = torch.zeros(1, 200, 50)
    assert set(block.eval()(x).unique().tolist()) == {1.0}
    added = block.train()(x)
    assert sorted(set(added.unique().tolist())) == pytest.approx([0, 4 / 3])
    assert float((added == 0).float().mean()) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama", "tiny-qwen",
                                  "tiny-moe"])  # fmt: skip
@pytest.mark.parametrize("t", [0, 4])
def test_every_recipe_is_causal(name: str, t: int) -> None:
    block = tiny(name).blocks[0]
    assert_causal(block, randn(2, 6, 32), t)
    everyone = torch.ones(6, 6, dtype=torch.bool)
    with pytest.raises(AssertionError):
        assert_causal(lambda x: block(x, everyone), randn(2, 6, 32), t)
