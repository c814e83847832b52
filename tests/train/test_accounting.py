"""Formulas against what PyTorch counts, within five percent or to the last."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from llm_utils.model.zoo import build
from llm_utils.text.next_token import next_token_loss
from llm_utils.train import accounting
from llm_utils.train.accounting import (
    Roofline,
    bill,
    flops_per_token,
    matmul_intensity,
    matrix_params,
    measure_roofline,
    mfu,
    ring_bytes,
)
from llm_utils.train.memory import (
    MemoryTrace,
    activation_bytes,
    block_numbers,
    checkpoint_blocks,
    kept_numbers,
    optimizer_bytes,
    saved_bytes,
    training_memory,
)

RECIPES = ("tiny-gpt2", "tiny-llama", "tiny-qwen", "tiny-moe")


def loss_of(model: nn.Module, B: int = 2, T: int = 48) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    ids = torch.randint(200, (B, T), generator=rng)
    return next_token_loss(model(ids), ids)


# --- work --------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("checkpointed", [False, True])
def test_flops_are_those_that_torch_counts(
    agrees, name, tied, checkpointed
) -> None:
    model = build(name, n_layers=3, tie_embeddings=tied)
    if checkpointed:
        checkpoint_blocks(model)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as count:
        loss = loss_of(model)
        forward = count.get_total_flops()
        loss.backward()
    n = 2 * 48
    what = "floating-point operations, forward and in training"
    agrees(
        "torch", what,
        float(n * flops_per_token(model, 48, backward=False)), float(forward),
        atol=0, rtol=0,
    )  # fmt: skip
    wanted = n * flops_per_token(model, 48, checkpointed=checkpointed)
    agrees(
        "torch", what, float(wanted), float(count.get_total_flops()),
        atol=0, rtol=1e-9,
    )  # fmt: skip


def test_without_looking_back_the_formula_misses() -> None:
    model = build("tiny-llama")
    six = 6 * matrix_params(model)
    assert six < 0.95 * flops_per_token(model, 128), "vacuous test above"


def test_causal_work_is_that_of_the_keys_that_are_seen() -> None:
    model = build("tiny-llama", n_layers=1)
    six = 6 * matrix_params(model)
    for T in (1, 2, 7, 64):
        pairs = sum(t + 1 for t in range(T))
        look = 12 * model.cfg.n_heads * model.cfg.d_head * pairs / T
        found = flops_per_token(model, T, causal=True) - six
        assert found == pytest.approx(look)
    narrow = build("tiny-llama", n_layers=1, window=5)
    pairs = sum(min(t + 1, 5) for t in range(64))
    look = 12 * model.cfg.n_heads * model.cfg.d_head * pairs / 64
    found = flops_per_token(narrow, 64, causal=True) - six
    assert found == pytest.approx(look)


def test_a_mixture_works_with_the_chosen_alone() -> None:
    few = build("tiny-moe", n_experts=4, top_k=1)
    many = build("tiny-moe", n_experts=4, top_k=4)
    expert = sum(p.numel() for p in few.blocks[0].ffn.experts[0].parameters())
    difference = matrix_params(many) - matrix_params(few)
    assert difference == 3 * expert * len(few.blocks)


def test_gpt2s_numbers() -> None:
    with torch.device("meta"):
        gpt2 = build("gpt2")
    assert matrix_params(gpt2) == 12 * 12 * 768**2 + 50_257 * 768
    assert flops_per_token(gpt2, 1024) == 6 * matrix_params(gpt2) + (
        12 * 12 * 768 * 1024
    )


# --- memory ------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("B, T", [(1, 64), (4, 32)])
def test_activations_are_those_that_torch_saves(name, B, T) -> None:
    model = build(name, n_layers=4)
    saved = saved_bytes(model, lambda: loss_of(model, B, T))
    assert activation_bytes(model, B, T) == pytest.approx(saved, rel=0.05)


@pytest.mark.parametrize("name", RECIPES)
def test_a_block_alone(name) -> None:
    model = build(name)
    C, x = model.cfg.d_model, torch.randn(4, 32, model.cfg.d_model)
    block = model.blocks[0]
    saved = saved_bytes(block, lambda: block(x.requires_grad_()))
    wanted = 4 * 4 * 32 * block_numbers(block, C)
    assert wanted == pytest.approx(saved, rel=0.05)
    less = wanted - 4 * 4 * 32 * kept_numbers(block.ffn, C)
    assert less != pytest.approx(saved, rel=0.05), "vacuous test"


def traced(model) -> tuple[int, int]:
    """Bytes alive when forward has ended, and at the worst moment."""
    with MemoryTrace() as trace:
        loss = loss_of(model, 4, 64)
        after = trace.trace[-1]
        loss.backward()
    return after, trace.peak


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama", "tiny-qwen"])
def test_what_lives_and_what_a_checkpoint_spares(name) -> None:
    """The trace also sees the logits, which nobody saves: V a token."""
    model = build(name, n_layers=6)
    logits = 4 * 4 * 64 * model.cfg.vocab_size
    after, peak = traced(model)
    wanted = activation_bytes(model, 4, 64) + logits
    assert after == pytest.approx(wanted, rel=0.05)
    model.zero_grad()
    checkpoint_blocks(model)
    after, low = traced(model)
    one = 4 * 4 * 64 * block_numbers(model.blocks[0], model.cfg.d_model)
    wanted = activation_bytes(model, 4, 64, checkpointed=True) - one + logits
    assert after == pytest.approx(wanted, rel=0.05)
    assert low < 0.55 * peak


def test_a_checkpointed_model_is_the_same_model() -> None:
    rng = torch.Generator().manual_seed(0)
    model = build("tiny-llama", rng)
    loss = loss_of(model)
    loss.backward()
    plain = [p.grad.clone() for p in model.parameters()]
    names = list(model.state_dict())
    model.zero_grad()
    again = loss_of(checkpoint_blocks(model))
    again.backward()
    assert torch.equal(loss, again) and list(model.state_dict()) == names
    for p, grad in zip(model.parameters(), plain, strict=True):
        assert torch.equal(p.grad, grad)


def test_a_trace_sees_what_dies() -> None:
    with MemoryTrace() as trace:
        a = torch.ones(1000)
        b = a + 1
        del a
        c = b[:10] * 2
    assert trace.peak == 8000
    assert trace.trace[-1] == 4000 + c.nbytes


def test_what_an_optimizer_keeps() -> None:
    model = build("tiny-llama")
    opt = torch.optim.AdamW(model.parameters())
    assert optimizer_bytes(opt) == 0
    loss_of(model).backward()
    opt.step()
    kept = training_memory(model.n_params)
    assert kept.optimizer == pytest.approx(optimizer_bytes(opt), rel=0.01)
    assert kept.weights == sum(p.nbytes for p in model.parameters())
    grads = sum(p.grad.nbytes for p in model.parameters())
    assert kept.gradients == grads
    plain = torch.optim.SGD(model.parameters(), 0.1)
    plain.step()
    assert optimizer_bytes(plain) == 0


def test_zero_cuts_one_part_after_the_other() -> None:
    totals = [training_memory(10**9, 0, True, s, 64).total for s in range(4)]
    assert totals[0] == 16e9
    assert totals[1] == pytest.approx(4e9 + 12e9 / 64)
    assert totals[2] == pytest.approx(2e9 + 14e9 / 64)
    assert totals[3] == pytest.approx(16e9 / 64)
    with pytest.raises(ValueError, match="stage=4"):
        training_memory(1, stage=4)
    with pytest.raises(ValueError, match="no formula"):
        kept_numbers(nn.Linear(2, 2), 2)


# --- time, traffic, money ----------------------------------------------------


def test_utilization_and_bills() -> None:
    assert mfu(4e14, 2.0, 1e15) == pytest.approx(0.2)
    hours, dollars = bill(3.6e21, 1e15, 0.5, 2.5)
    assert hours == pytest.approx(2000) and dollars == pytest.approx(5000)
    for wrong in (0.0, 1.5):
        with pytest.raises(ValueError, match="share"):
            bill(1.0, 1.0, wrong, 1.0)
    with pytest.raises(ValueError, match="positive"):
        mfu(1.0, 0.0, 1.0)


def ring(n: int, size: int) -> int:
    """An all-reduce round a ring, played out: numbers that rank 0 sends."""
    sent = 0
    for _half in ("reduce_scatter", "all_gather"):
        for _turn in range(n - 1):
            sent += size // n
    return sent


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_bytes_on_the_ring(n: int) -> None:
    assert ring_bytes("all_reduce", 840, n) == ring(n, 840)
    both = ring_bytes("all_gather", 840, n)
    both += ring_bytes("reduce_scatter", 840, n)
    assert both == ring_bytes("all_reduce", 840, n)
    with pytest.raises(ValueError, match="'all'"):
        ring_bytes("all", 1, 2)
    with pytest.raises(ValueError, match="one rank or more"):
        ring_bytes("all_gather", 1, 0)


def test_a_roof_has_two_sides() -> None:
    roof = Roofline(100.0, 10.0)
    assert roof.ridge == 10
    assert [roof.attainable(x) for x in (1, 10, 99)] == [10, 100, 100]
    assert matmul_intensity(64, 64, 64) == pytest.approx(64 / 6)
    assert matmul_intensity(1, 512, 512) < 0.5


def test_this_machine_has_a_roof(monkeypatch) -> None:
    roof = measure_roofline(size=256, seconds=0.05)
    assert 1e8 < roof.flops < 1e15 and 1e8 < roof.bandwidth < 1e13
    calls = []
    accounting.best_time(
        lambda: calls.append(1), torch.device("cpu"), seconds=0.0
    )
    assert len(calls) == 4, "once to warm up, and three at least"
