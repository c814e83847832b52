"""The whole model: causal, cached, tied, counted, initialized, guarded."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import (
    RECIPES,
    ListCache,
    assert_cached_is_full,
    assert_causal,
    ids,
    seeded,
    tiny,
)

from llm_utils.model import gpt
from llm_utils.model.gpt import GPT, ModelConfig, writers
from llm_utils.model.positions import alibi
from llm_utils.model.zoo import PRESETS, build, gpt2_block, llama_block
from llm_utils.text.next_token import next_token_loss

close = torch.testing.assert_close


# --- what it computes --------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("T", [1, 5, 8])
def test_shapes_and_causality(name: str, T: int) -> None:
    model = tiny(name)
    assert model(ids(3, T)).shape == (3, T, 31)
    assert model.stream(ids(3, T)).shape == (3, T, 32)
    if T > 1:
        for t in (0, T - 2):
            assert_causal(model, ids(3, T), t)
        everyone = torch.ones(T, T, dtype=torch.bool)
        with pytest.raises(AssertionError):
            assert_causal(partial(model, mask=everyone), ids(3, T), 0)


class Forgetful(ListCache):
    """The classic bug: positions start at 0 in every call."""

    @property
    def length(self) -> int:
        return 0

    @length.setter
    def length(self, value: int) -> None:
        pass


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    "cuts", [[12], [5] + 7 * [1], 12 * [1], [4, 3, 1, 1, 3], [1, 11]]
)
def test_cached_decoding_is_the_full_pass(name: str, cuts: list[int]) -> None:
    """Prefill, single tokens and chunks; learned positions and RoPE."""
    model = tiny(name)
    assert_cached_is_full(model, ids(2, 12), cuts)
    assert_cached_is_full(tiny(name, window=4), ids(2, 12), cuts)
    if len(cuts) > 1:
        cache = [Forgetful() for _ in model.blocks]
        parts = [model(x, cache=cache) for x in ids(2, 12).split(cuts, 1)]
        with pytest.raises(AssertionError):
            close(torch.cat(parts, 1), model(ids(2, 12)))


def test_cached_decoding_without_any_positions() -> None:
    cfg = replace(PRESETS["tiny-gpt2"].cfg, positions="none", n_layers=2)
    model = GPT(cfg, gpt2_block, seeded()).double()
    assert_cached_is_full(model, ids(2, 12), [5, 1, 1, 5])


def test_a_cache_for_each_layer() -> None:
    with pytest.raises(ValueError, match="1 caches for 2 blocks"):
        tiny("tiny-llama")(ids(1, 4), cache=[ListCache()])


def test_without_positions_order_is_lost() -> None:
    """The last token sees a bag of words; with positions it does not."""
    everyone = torch.ones(7, 7, dtype=torch.bool)
    shuffled = ids(1, 7)[:, torch.tensor([3, 1, 5, 0, 2, 4, 6])]
    sizes = {"n_layers": 2, "d_model": 32, "vocab_size": 31}
    for positions in ("none", "learned", "sinusoidal"):
        model = build("tiny-gpt2", seeded(), positions=positions, **sizes)
        model = model.double()
        a = model(ids(1, 7), everyone)[:, -1]
        b = model(shuffled, everyone)[:, -1]
        same = torch.allclose(a, b, atol=1e-12)
        assert same == (positions == "none")


def test_alibi_travels_as_the_mask() -> None:
    model = tiny("tiny-gpt2", positions="none")
    bias = alibi(4, 6).double()
    assert_causal(partial(model, mask=bias), ids(2, 6), 2)
    assert not torch.allclose(model(ids(2, 6), bias), model(ids(2, 6)))


@settings(max_examples=15)
@given(
    B=st.integers(1, 2), T=st.integers(1, 9), K=st.integers(1, 3),
    group=st.integers(1, 3), D=st.integers(1, 3), L=st.integers(1, 3),
)  # fmt: skip
def test_any_sizes_fit_together(B, T, K, group, D, L) -> None:
    cfg = ModelConfig(
        11, L, 10, K * group, K, 2 * D, 7, max_len=9, tie_embeddings=False
    )
    model = GPT(cfg, llama_block, seeded()).double()
    x = ids(B, T, vocab_size=11)
    logits = model(x)
    assert logits.shape == (B, T, 11)
    close(model(x[:, :1]), logits[:, :1])


# --- tying, counting, naming -------------------------------------------------


def test_tying_really_shares() -> None:
    tied, untied = tiny("tiny-llama"), tiny("tiny-llama", tie_embeddings=False)
    assert untied.n_params == tied.n_params + 31 * 32
    assert "head.weight" not in tied.state_dict()
    for model in (tied, untied):
        stream = model.stream(ids(1, 4))
        table = (model.head or model.tokens).weight
        close(model(ids(1, 4)), stream @ table.T)
        model.zero_grad()
        model(ids(1, 4, seed=1) * 0).logsumexp(-1).sum().backward()
        unseen = model.tokens.weight.grad[1:].abs().sum()
        assert bool(unseen > 0) == (model is tied)


GPT2 = {"gpt2": 124_439_808, "gpt2-medium": 354_823_168,
        "gpt2-large": 774_030_080, "gpt2-xl": 1_557_611_200}  # fmt: skip


def gpt2_params(V: int, L: int, C: int, T: int) -> int:
    attn = 4 * C * C + 4 * C
    ffn = 8 * C * C + 5 * C
    return (V + T) * C + L * (attn + ffn + 4 * C) + 2 * C


def llama_params(c: ModelConfig, qk_norm: bool = False) -> int:
    width, kv = c.n_heads * c.d_head, c.n_kv_heads * c.d_head
    attn = c.d_model * (2 * width + 2 * kv) + 2 * c.d_head * qk_norm
    block = attn + 3 * c.d_model * c.d_ff + 2 * c.d_model
    return c.vocab_size * c.d_model + c.n_layers * block + c.d_model


def n_params(name: str) -> int:
    with torch.device("meta"):
        return build(name).n_params


@pytest.mark.parametrize("name", GPT2)
def test_gpt2_parameters(name: str) -> None:
    c = PRESETS[name].cfg
    predicted = gpt2_params(c.vocab_size, c.n_layers, c.d_model, c.max_len)
    assert n_params(name) == predicted == GPT2[name]


def test_llama_and_qwen_parameters() -> None:
    """1,235,814,400 and 596,049,920: as published with the weights."""
    llama, qwen = PRESETS["llama-3.2-1b"].cfg, PRESETS["qwen3-0.6b"].cfg
    assert n_params("llama-3.2-1b") == llama_params(llama) == 1_235_814_400
    assert n_params("qwen3-0.6b") == llama_params(qwen, True) == 596_049_920
    assert n_params("mixtral-8x7b") == 46_702_792_704


def test_unknown_preset() -> None:
    with pytest.raises(ValueError, match="no preset 'gpt5'"):
        build("gpt5")


# --- initialization ----------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_an_untrained_model_is_as_good_as_a_guess(name: str) -> None:
    model = build(name, seeded(), vocab_size=500, d_model=128, d_head=32)
    x = ids(8, 128, vocab_size=500)
    y = ids(8, 128, vocab_size=500, seed=1)
    loss = next_token_loss(model(x), y).item()
    assert loss == pytest.approx(math.log(500), rel=0.02)
    gpt.init_weights(model, seeded(), std=0.2)  # ten times too large
    loss = next_token_loss(model(x), y).item()
    assert loss > 1.02 * math.log(500)


@torch.no_grad()
def sizes_by_depth(model: GPT) -> list[float]:
    """Root mean square of the stream after each block."""
    x = model.positions(model.tokens(ids(2, 64, vocab_size=256)))
    sizes = []
    for block in model.blocks:
        x = block(x)
        sizes.append(float(x.square().mean().sqrt()))
    return sizes


@pytest.mark.parametrize("name", RECIPES[:3])
def test_the_stream_neither_grows_nor_vanishes_with_depth(
    name: str, monkeypatch
) -> None:
    def last(n_layers: int) -> float:
        model = build(name, seeded(), n_layers=n_layers, d_model=128, d_head=32)
        sizes = sizes_by_depth(model)
        assert 0.5 < sizes[-1] / sizes[0] < 8
        return sizes[-1]

    assert last(48) / last(6) == pytest.approx(1, abs=0.25)
    monkeypatch.setattr(gpt, "writers", lambda model: [])  # no scaling
    with pytest.raises(AssertionError):
        assert last(48) / last(6) == pytest.approx(1, abs=0.25)


def test_residual_weights_are_smaller_and_all_found() -> None:
    model = build("tiny-moe", seeded(), n_layers=8, d_model=128, d_ff=64)
    found = list(writers(model))
    assert len(found) == 8 * (1 + 4)  # attention and four experts
    for linear in found:
        std = linear.weight.std().item()
        assert std == pytest.approx(0.02 / 4, rel=0.1)
    std = model.blocks[0].attn.q.weight.std().item()
    assert std == pytest.approx(0.02, rel=0.1)


def test_the_generator_decides_the_weights() -> None:
    torch.manual_seed(1)
    a = build("tiny-gpt2", seeded(7)).state_dict()
    torch.manual_seed(2)
    b = build("tiny-gpt2", seeded(7)).state_dict()
    c = build("tiny-gpt2", seeded(8)).state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["tokens.weight"], c["tokens.weight"])


@pytest.mark.parametrize("name", RECIPES)
def test_every_weight_learns(name: str) -> None:
    model = tiny(name).train()
    next_token_loss(model(ids(4, 16)), ids(4, 16, seed=1)).backward()
    idle = [n for n, p in model.named_parameters() if not p.grad.abs().any()]
    assert idle == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_batch_can_be_learned_by_heart(name: str) -> None:
    model = build(name, seeded(), n_layers=2)
    x, y = ids(4, 16, vocab_size=256), ids(4, 16, vocab_size=256, seed=1)
    opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        loss = next_token_loss(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    assert loss.item() < 0.3


# --- what it refuses ---------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (torch.zeros(4).long(), r"shape \(4,\).*ids\[None\]"),
        (torch.zeros(1, 4), "float32: give integers"),
        (torch.full((1, 4), 31), "ids run from 31 to 31, but vocab_size=31"),
        (torch.full((1, 4), -1), "ids run from -1"),
        (torch.zeros(1, 257).long(), "257 tokens > max_len=256: crop"),
        (torch.zeros(1, 4, device="meta").long(), "on meta, the model"),
    ],
)
def test_ids_that_do_not_fit(x, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tiny("tiny-llama")(x)


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (torch.ones(4, dtype=torch.bool), r"shape \(4,\) for T=4"),
        (torch.ones(3, 3, dtype=torch.bool), r"shape \(3, 3\) for T=4"),
        (torch.ones(4, 4).long(), "int64: give bool"),
        (torch.zeros(4, 4), "float32: give bool.*float64"),
        (torch.ones(4, 4, dtype=torch.bool, device="meta"), "on meta"),
    ],
)
def test_masks_that_do_not_fit(mask, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tiny("tiny-llama")(ids(1, 4), mask)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("autocast", [True, False])
def test_half_precision(name: str, autocast: bool) -> None:
    """Weights in bfloat16, or in float32 under autocast: nearly the same."""
    model = build(name, seeded(), n_layers=2)
    x = ids(2, 40, vocab_size=256)
    with torch.no_grad():
        exact = model(x)
    if not autocast:
        model.bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits = model(x)
        loss = next_token_loss(logits, x)
    loss.backward()
    assert logits.dtype == torch.bfloat16 and loss.dtype == torch.float32
    off = (logits - exact).square().mean().sqrt() / exact.std()
    assert 1e-4 < off.item() < 0.03


def test_a_cache_counts_towards_the_length() -> None:
    model = tiny("tiny-llama", max_len=6)
    cache = [ListCache() for _ in model.blocks]
    model(ids(1, 4), cache=cache)
    with pytest.raises(ValueError, match="7 tokens > max_len=6"):
        model(ids(1, 3), cache=cache)


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ({"d_model": 65}, "4 heads do not divide d_model=65"),
        ({"n_layers": 0}, "n_layers=0 must be 1 or more"),
        ({"d_ff": -4}, "d_ff=-4"),
        ({"window": 0}, "window=0"),
        ({"positions": "rope"}, "positions='rope': choose one of"),
    ],
)
def test_sizes_that_cannot_be(sizes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ModelConfig(100, **sizes)


def test_sizes_are_filled_in_and_frozen() -> None:
    cfg = ModelConfig(100, d_model=96, n_heads=6)
    assert (cfg.n_kv_heads, cfg.d_head, cfg.d_ff) == (6, 16, 384)
    with pytest.raises(AttributeError):
        cfg.d_model = 1


# --- compiled ----------------------------------------------------------------


@pytest.mark.parametrize("window", [None, 4])
@pytest.mark.parametrize("name", RECIPES[:3])
@torch.no_grad()
def test_it_compiles_to_one_graph_for_any_length(name: str, window) -> None:
    """No break, and nothing in a forward that only numbers could decide."""
    model = tiny(name, window=window, n_layers=1)
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    for T in (9, 12, 7):
        close(compiled(ids(2, T)), model(ids(2, T)), atol=1e-10, rtol=0)


@torch.no_grad()
def test_a_mixture_of_experts_compiles_to_several() -> None:
    model = tiny("tiny-moe", n_layers=1)
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager")
    close(compiled(ids(2, 9)), model(ids(2, 9)), atol=1e-10, rtol=0)


def test_sizes_of_a_preset_follow_the_ones_that_are_given() -> None:
    cfg = build("tiny-gpt2", d_model=96, n_heads=6).cfg
    assert (cfg.n_kv_heads, cfg.d_head, cfg.d_ff) == (6, 16, 384)
    own = build("tiny-gpt2", d_model=96, d_ff=100).cfg
    assert (own.n_kv_heads, own.d_head, own.d_ff) == (4, 24, 100)
    llama = build("tiny-llama", d_model=96).cfg  # its own d_ff and K stay
    assert (llama.n_kv_heads, llama.d_head, llama.d_ff) == (2, 24, 176)
