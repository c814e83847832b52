"""What training costs: work, time, traffic and money, from the sizes alone.

Chapter 9 derives the formulas and holds them against PyTorch's own counters;
`memory` does the same for bytes, `scaling` says what the cost buys.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from llm_utils.model.gpt import GPT
from llm_utils.model.moe import MoE


def matrix_params(model: GPT) -> int:
    """Parameters that multiply each token: two FLOPs each on the way forward.

    Biases, norms and position tables are added, not multiplied. The token
    table counts once, as the head, tied or not: looking up a row is free. Of
    a mixture of experts the chosen ones count. Chapter 9; Kaplan et al.
    (2020), section 2.1.
    """
    total = sum(p.numel() for p in model.blocks.parameters() if p.dim() > 1)
    for layer in model.modules():
        if isinstance(layer, MoE):
            experts = sum(p.numel() for p in layer.experts.parameters())
            idle = len(layer.experts) - layer.top_k
            total -= experts * idle // len(layer.experts)
    return total + model.cfg.vocab_size * model.cfg.d_model


def flops_per_token(
    model: GPT,
    T: int,
    backward: bool = True,
    causal: bool = False,
    checkpointed: bool = False,
) -> float:
    """FLOPs for each token of rows of T tokens; a multiply-add is two.

    6 for each matrix parameter, and 12 H D T a layer for looking back, a third
    of it without the backward pass. causal: count the keys that a query may
    see, not the square that a table would have. checkpointed: the blocks run
    forward twice, all but their last product, which nothing needs. Chapter 9;
    Chowdhery et al. (2023), appendix B.
    """
    cfg = model.cfg
    seen = float(T if cfg.window is None else min(T, cfg.window))
    if causal:
        seen -= seen * (seen - 1) / (2 * T)  # the first queries see less
    look = 4.0 * len(model.blocks) * cfg.n_heads * cfg.d_head
    look *= seen if causal else T
    head = 2.0 * cfg.vocab_size * cfg.d_model
    blocks = 2.0 * matrix_params(model) - head + look
    if not backward:
        return blocks + head
    total = 3 * (blocks + head)
    if checkpointed:
        ends = (getattr(block.ffn, "down", None) for block in model.blocks)
        total += blocks - sum(2 * x.weight.numel() for x in ends if x)
    return total


def mfu(flops: float, seconds: float, peak: float) -> float:
    """Model FLOPs utilization: the share of `peak` FLOP/s put to use.

    flops: those of the model, without what was computed twice. Chapter 9;
    Chowdhery et al. (2023), section 4.1.
    """
    if not (seconds > 0 and peak > 0):
        raise ValueError(f"{seconds=} and {peak=} must be positive")
    return flops / seconds / peak


class Bill(NamedTuple):
    """What a run costs: hours of one device, times devices, and dollars."""

    device_hours: float
    dollars: float


def bill(flops: float, peak: float, mfu: float, price: float) -> Bill:
    """flops at mfu * peak FLOP/s, at `price` dollars for a device hour."""
    if not (0 < mfu <= 1 and peak > 0):
        raise ValueError(f"{mfu=} is a share of {peak=}: between 0 and 1")
    hours = flops / (mfu * peak) / 3600
    return Bill(hours, hours * price)


def ring_bytes(operation: str, n_bytes: float, n: int) -> float:
    """Bytes that each of n ranks sends when all work on n_bytes together.

    all_gather and reduce_scatter pass (n - 1) / n of them round the ring,
    all_reduce is one after the other. Chapter 9; Thakur et al. (2005).
    """
    rounds = {"all_gather": 1, "reduce_scatter": 1, "all_reduce": 2}
    if operation not in rounds:
        raise ValueError(f"{operation!r}: choose one of {list(rounds)}")
    if n < 1:
        raise ValueError(f"n={n}: a ring has one rank or more")
    return rounds[operation] * n_bytes * (n - 1) / n


class Roofline(NamedTuple):
    """What a machine can do: FLOP/s, and bytes a second to its memory."""

    flops: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """FLOPs a byte from which on arithmetic is the limit, not memory."""
        return self.flops / self.bandwidth

    def attainable(self, intensity: float) -> float:
        """FLOP/s at so many FLOPs a byte; Williams et al. (2009)."""
        return min(self.flops, intensity * self.bandwidth)


def matmul_intensity(m: int, k: int, n: int, itemsize: int = 4) -> float:
    """FLOPs a byte of (m, k) @ (k, n): all three matrices move once."""
    return 2 * m * k * n / (itemsize * (m * k + k * n + m * n))


def best_time(
    f: Callable[[], object], device: torch.device, seconds: float = 0.2
) -> float:
    """Seconds of the fastest of many calls: the one least disturbed."""
    f()
    best, calls, end = float("inf"), 0, time.perf_counter() + seconds
    while calls < 3 or time.perf_counter() < end:
        calls += 1
        _wait(device)
        start = time.perf_counter()
        f()
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return best


def _wait(device: torch.device) -> None:
    """GPUs answer before they are done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def measure_roofline(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    size: int = 1024,
    seconds: float = 0.5,
) -> Roofline:
    """The best matrix product and the best copy that this machine does.

    size: of the square matrices; the copy is of 64 MB or more, larger than a
    cache. On a GPU take 8192. Chapter 9; Williams et al. (2009).
    """
    device = torch.device(device)
    a = torch.ones(size, size, dtype=dtype, device=device)
    out = torch.empty_like(a)
    t = best_time(lambda: torch.mm(a, a, out=out), device, seconds)
    source = torch.ones(max(2**24, 4 * size * size), device=device)
    target = torch.empty_like(source)
    c = best_time(lambda: target.copy_(source), device, seconds)
    return Roofline(2 * size**3 / t, 2 * source.nbytes / c)
