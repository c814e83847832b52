"""Sines, tables, rotations and slopes, against definitions and transformers."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import randn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from llm_utils.model import positions
from llm_utils.model.positions import (
    LearnedPositions,
    NoPositions,
    Rotary,
    SinusoidalPositions,
    alibi,
    rope_frequencies,
    sinusoidal,
)
from llm_utils.model.rope_scaling import (
    LinearScaling,
    Llama3Scaling,
    YarnScaling,
)

close = torch.testing.assert_close


def test_sinusoidal_by_the_formula() -> None:
    table = sinusoidal(50, 8)
    for t in (0, 1, 7, 49):
        for i in range(4):
            angle = t / 10_000 ** (2 * i / 8)
            assert float(table[t, 2 * i]) == pytest.approx(
                math.sin(angle), abs=1e-5
            )
            assert float(table[t, 2 * i + 1]) == pytest.approx(
                math.cos(angle), abs=1e-5
            )
    with pytest.raises(ValueError, match="odd"):
        sinusoidal(4, 7)


@pytest.mark.parametrize("make", [LearnedPositions, SinusoidalPositions])
def test_positions_count_from_start(make) -> None:
    add = make(12, 8).double()
    x = randn(2, 12, 8)
    whole = add(x)
    close(add(x[:, 5:9], start=5), whole[:, 5:9])
    with pytest.raises(AssertionError):
        close(add(x[:, 5:9]), whole[:, 5:9])
    assert torch.equal(NoPositions(12, 8)(x, 5), x)


def test_no_row_for_a_position_beyond_the_table() -> None:
    with pytest.raises(ValueError, match="position 12 has no row"):
        LearnedPositions(12, 8)(torch.zeros(1, 3, 8), start=10)


# --- rotary ------------------------------------------------------------------


def test_rotary_by_complex_numbers() -> None:
    """Pair (i, i + D/2) as one complex number, times exp(i t theta)."""
    q, k = randn(2, 3, 9, 6), randn(2, 1, 9, 6, seed=1)
    turned = Rotary(6, 100.0)(q, k, start=4)
    t = torch.arange(4, 13)[:, None]
    theta = 100.0 ** (-torch.arange(3) / 3)
    for x, ours in zip((q, k), turned, strict=True):
        z = torch.complex(x[..., :3], x[..., 3:]) * torch.exp(1j * t * theta)
        close(ours, torch.cat((z.real, z.imag), -1), atol=1e-5, rtol=0)
        close(ours.norm(dim=-1), x.norm(dim=-1), atol=1e-6, rtol=0)


def assert_relative(rotary, shift: int) -> None:
    """q . k is the same when both move by `shift`."""
    q, k = randn(1, 2, 10, 8), randn(1, 2, 10, 8, seed=1)
    here, there = rotary(q, k, 0), rotary(q, k, shift)
    scores = [a @ b.mT for a, b in (here, there)]
    assert not torch.allclose(scores[0], q @ k.mT), "vacuous test"
    close(*scores, atol=2e-3, rtol=0)


@given(shift=st.integers(1, 500))
def test_rotary_sees_distances_only(shift: int) -> None:
    assert_relative(Rotary(8), shift)


def test_a_rotation_with_a_wrong_sign_is_noticed(monkeypatch) -> None:
    def wrong(x, cos, sin):
        return x * cos + x.roll(x.shape[-1] // 2, -1) * sin.abs()

    monkeypatch.setattr(positions, "rotate", wrong)
    with pytest.raises(AssertionError):
        assert_relative(Rotary(8), 3)


def test_the_table_grows_and_follows_dtype() -> None:
    rotary = Rotary(8)
    x = randn(1, 1, 40, 8)
    whole, _ = rotary(x, x)
    fresh = Rotary(8)
    for t in range(40):  # one at a time: the table doubles on its way
        row = x[:, :, t : t + 1]
        close(fresh(row, row, t)[0], whole[:, :, t : t + 1])
    half = x.bfloat16()
    assert rotary(half, half)[0].dtype == torch.bfloat16
    close(rotary(x, x)[0], whole)  # nothing of bfloat16 stays behind


def test_a_table_of_inference_serves_training() -> None:
    rotary = Rotary(4)
    with torch.inference_mode():
        rotary(torch.ones(1, 1, 9, 4), torch.ones(1, 1, 9, 4))
    x = torch.ones(1, 1, 9, 4, requires_grad=True)
    rotary(x, x)[0].sum().backward()
    assert x.grad is not None


def test_odd_heads_cannot_turn() -> None:
    with pytest.raises(ValueError, match="d_head=7 is odd"):
        Rotary(7)


ORIGINAL = {"original_max_position_embeddings": 256}
SCALINGS = {
    "default": (None, {}),
    "linear": (LinearScaling(4.0), {"factor": 4.0}),
    "llama3": (
        Llama3Scaling(8.0, 1.0, 4.0, 256),
        {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
        | ORIGINAL,
    ),
    "yarn": (YarnScaling(4.0, 256, base=5e5), {"factor": 4.0} | ORIGINAL),
}  # fmt: skip


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("d_head", [8, 64])
def test_scaled_frequencies_are_those_of_transformers(
    agrees, kind, d_head
) -> None:
    scaling, rope = SCALINGS[kind]
    config = LlamaConfig(
        head_dim=d_head, max_position_embeddings=1024,
        rope_theta=5e5, rope_scaling={"rope_type": kind, **rope},
    )  # fmt: skip
    theirs = LlamaRotaryEmbedding(config)
    ours = Rotary(d_head, 5e5, scaling)
    agrees(
        "transformers", "frequencies of rotary positions, plain and scaled",
        ours.frequencies, theirs.inv_freq, atol=0, rtol=2e-7,
    )  # fmt: skip
    agrees(
        "transformers", "the size of scaled rotary positions",
        ours.size, float(theirs.attention_scaling), atol=1e-12, rtol=1e-6,
    )  # fmt: skip
    cos, _ = theirs(torch.zeros(1, 30, d_head), torch.arange(30)[None])
    agrees(
        "transformers", "the table of rotary positions",
        ours.table(30)[0], cos[0], atol=1e-6, rtol=0,
    )  # fmt: skip
    if scaling is not None:  # unscaled frequencies are noticed
        with pytest.raises(AssertionError):
            close(rope_frequencies(d_head, 5e5), theirs.inv_freq)


def test_parts_of_llama3_scaling() -> None:
    frequencies = rope_frequencies(64, 5e5)
    scaled = Llama3Scaling(8.0, 1.0, 4.0, 8192)(frequencies)
    turns = 8192 * frequencies / (2 * math.pi)
    assert torch.equal(scaled[turns > 4], frequencies[turns > 4])
    assert torch.equal(scaled[turns < 1], frequencies[turns < 1] / 8)
    between = (turns > 1) & (turns < 4)
    assert bool(between.any())
    assert bool((scaled[between] < frequencies[between]).all())
    with pytest.raises(ValueError, match="must be below"):
        Llama3Scaling(8.0, 4.0, 1.0, 8192)


# --- alibi -------------------------------------------------------------------


def test_alibi_by_hand() -> None:
    bias = alibi(8, 3)
    assert bias.shape == (8, 3, 3)
    half, far = bias[0], bias[7]  # slopes 1/2 and 1/256
    inf = -torch.inf
    assert half.tolist() == [[0, inf, inf], [-0.5, 0, inf], [-1, -0.5, 0]]
    assert float(far[2, 0]) == -2 / 256
    assert alibi(8, 1, 3).tolist() == bias[:, 2:].tolist()
    assert len({float(b[2, 0]) for b in alibi(12, 3)}) == 12
    with pytest.raises(ValueError, match="fewer"):
        alibi(8, 3, 2)


def test_alibi_slopes_as_published() -> None:
    """The reference code's slopes for 6 heads: those of 4, then of 8."""
    wanted = [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3]
    close(positions.alibi_slopes(6), torch.tensor(wanted))
