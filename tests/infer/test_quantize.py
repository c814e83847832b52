"""Rounded weights: within half a step, packed without loss, and worth it."""

from __future__ import annotations

import copy
import random

import pytest
import torch
from bugs import with_bug
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import ids, randn, tiny
from torch import nn

from llm_utils.infer import quantize as module
from llm_utils.infer.quantize import (
    QuantLinear,
    dequantize,
    model_bytes,
    pack,
    quantize,
    quantize_model,
    unpack,
)
from llm_utils.text.next_token import next_token_loss
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.base import load_base

close = torch.testing.assert_close


def assert_within_half_a_step(module, w, bits: int, group: int) -> None:
    """No weight moves by more than half its group's scale."""
    q = module.quantize(w, bits, group)
    moved = (module.dequantize(q) - w).abs().unflatten(1, (-1, group))
    assert bool((moved <= q.scales[..., None] * (0.5 + 1e-9)).all())
    most = w.abs().unflatten(1, (-1, group)).amax(-1)
    close(q.scales, most / (2 ** (bits - 1) - 1))


@settings(max_examples=25)
@given(
    rows=st.integers(1, 4), groups=st.integers(1, 3),
    group=st.sampled_from([2, 4, 16]), bits=st.sampled_from([4, 8]),
    size=st.sampled_from([1e-6, 1.0, 1e4]), seed=st.integers(0, 99),
)  # fmt: skip
def test_no_weight_moves_far(rows, groups, group, bits, size, seed) -> None:
    w = size * randn(rows, groups * group, seed=seed)
    assert_within_half_a_step(module, w, bits, group)


BUGS = [
    ("cut off", ".round()", ".floor()"),
    ("one scale a row", "groups.abs().amax(-1) / most",
     "groups.abs().amax((-1, -2), keepdim=True)[..., 0]"
     ".expand(groups.shape[:2]) / most"),
    ("mean", "amax(-1) / most", "mean(-1) / most"),
    ("swapped", "low, high = codes[:, ::2], codes[:, 1::2]",
     "high, low = codes[:, ::2], codes[:, 1::2]"),
    ("no sign", "low = (two << 4) >> 4", "low = two & 15"),
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=[name for name, *_ in BUGS])
def test_planted_bugs_are_noticed(bug, tmp_path) -> None:
    wrong = with_bug(tmp_path, module, *bug[1:])
    with pytest.raises(AssertionError):
        assert_within_half_a_step(wrong, randn(3, 32), 4, 16)


@settings(max_examples=25)
@given(codes=st.lists(st.integers(-8, 7), min_size=2, max_size=16))
def test_two_in_a_byte_and_out_again(codes) -> None:
    codes = torch.tensor([codes[: len(codes) // 2 * 2]] * 2, dtype=torch.int8)
    packed = pack(codes)
    assert packed.dtype == torch.uint8
    assert packed.nbytes * 2 == codes.nbytes
    assert torch.equal(unpack(packed), codes)
    low, high = codes[0, :2].tolist()
    assert int(packed[0, 0]) == low % 16 + 16 * (high % 16)


@pytest.mark.parametrize("bits", [4, 8])
def test_torch_rounds_to_the_same_numbers(agrees, bits: int) -> None:
    """torch's fake quantization, with one group a row."""
    w, most = randn(5, 32).float(), 2 ** (bits - 1) - 1
    scales = w.abs().amax(-1) / most
    theirs = torch.fake_quantize_per_channel_affine(
        w, scales, torch.zeros(5, dtype=torch.int32), 0, -most, most
    )
    ours = dequantize(quantize(w, bits, 32))
    agrees("torch", f"weights in {bits} bits, and back", ours, theirs)


def test_finer_groups_and_more_bits_are_nearer() -> None:
    w = randn(64, 256)
    w[:, 7] *= 30  # an outlier spoils its group only

    def error(bits: int, group: int) -> float:
        return float((dequantize(quantize(w, bits, group)) - w).pow(2).mean())

    errors = [error(4, g) for g in (256, 64, 16)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert error(8, 64) < error(4, 64) / 100


def test_zeros_stay_zeros() -> None:
    w = torch.zeros(2, 8)
    w[0, 5] = 1.0
    close(dequantize(quantize(w, 4, 4)), w)


def test_what_does_not_fit() -> None:
    w = randn(4, 12)
    with pytest.raises(ValueError, match="bits=3: choose 4 or 8"):
        quantize(w, 3, 4)
    for group in (0, 5, 24):
        with pytest.raises(ValueError, match=f"in groups of {group}"):
            quantize(w, 8, group)
    with pytest.raises(ValueError, match="I even"):
        quantize(randn(2, 3), 4, 3)
    with pytest.raises(ValueError, match="NaN or inf"):
        quantize(w / 0, 8, 4)


# --- layers and models -------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bits", [4, 8])
def test_a_layer_computes_with_its_rounded_weight(bits: int, bias) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(32, 6, bias)
    layer = QuantLinear(linear, bits, 16)
    rounded = copy.deepcopy(linear)
    rounded.weight.data = dequantize(quantize(linear.weight, bits, 16))
    x = randn(2, 3, 32).float()
    close(layer(x), rounded(x))
    assert not torch.equal(layer(x), linear(x))
    assert bias == any(p is layer.bias for p in layer.parameters())
    state = layer.state_dict()
    again = QuantLinear(nn.Linear(32, 6, bias), bits, 16)
    again.load_state_dict(state)
    close(again(x), layer(x))


def test_a_whole_model_is_replaced_and_smaller() -> None:
    model = tiny("tiny-qwen", n_layers=3, d_ff=32).float()
    small = quantize_model(copy.deepcopy(model), 4, 16)
    kinds = [type(m) for m in small.modules()]
    assert kinds.count(QuantLinear) == 3 * 7 and nn.Linear not in kinds
    linear = sum(m.weight.nbytes for m in model.modules()
                 if isinstance(m, nn.Linear))  # fmt: skip
    saved = linear - linear // 8 - linear // 16  # codes, scales
    assert model_bytes(model) - model_bytes(small) == saved
    x = ids(2, 9)
    gap = (small(x) - model(x)).abs().mean() / model(x).std()
    eight = quantize_model(copy.deepcopy(model), 8, 16)
    assert (eight(x) - model(x)).abs().mean() / model(x).std() < 0.05 * gap * 5
    only = quantize_model(copy.deepcopy(model), 8, 16, lambda n: "ffn" in n)
    kinds = [type(m) for m in only.modules()]
    assert kinds.count(QuantLinear) == 3 * 3
    assert kinds.count(nn.Linear) == 3 * 4
    assert isinstance(only.blocks[0].attn.q, nn.Linear)


def test_a_model_that_does_not_fit_is_left_as_it_was() -> None:
    model = tiny("tiny-llama", d_ff=24)
    with pytest.raises(ValueError, match="in groups of 16"):
        quantize_model(model, 8, 16)
    assert not any(isinstance(m, QuantLinear) for m in model.modules())


@torch.no_grad()
def test_the_base_model_loses_little() -> None:
    """Bytes saved; the loss hardly moves, and more bits are nearer."""
    model, tokenizer = load_base()
    end = tokenizer.encode("<|endoftext|>", allowed_special="all")
    tokens, rng = [], random.Random(77)
    for _ in range(12):
        tokens.append(end + tokenizer.encode(TinyWorld("mini").story(rng).text))
    loss = {}
    for bits in (16, 8, 4):
        m = copy.deepcopy(model)
        m = m if bits == 16 else quantize_model(m, bits, 32)
        each = [torch.tensor([row]) for row in tokens]
        nats = [next_token_loss(m(x[:, :-1]), x[:, 1:]) for x in each]
        loss[bits] = float(sum(nats) / len(nats))
        loss[bits, "bytes"] = model_bytes(m)
        loss[bits, "logits"] = torch.cat([m(x)[0] for x in each])
    for bits in (8, 4):
        assert abs(loss[bits] - loss[16]) < 0.2 / bits * loss[16]
    off = {b: (loss[b, "logits"] - loss[16, "logits"]).std() for b in (8, 4)}
    assert 0 < 8 * off[8] < off[4]
    assert loss[8, "bytes"] < loss[16, "bytes"] / 2
    assert loss[4, "bytes"] < loss[8, "bytes"] * 0.8
