"""One matrix on several devices: tensor parallelism, by hand and by torch.

Chapter 9 derives it. A matrix is cut by columns, so that each rank has some
of the features, or by rows, so that each has a part of the sum.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh

from llm_utils.model.attention import Attention
from llm_utils.model.ffn import MLP, SwiGLU
from llm_utils.model.gpt import GPT


class _Copy(torch.autograd.Function):
    """Forward the same x; backward the sum of the ranks' gradients."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        grad = grad.contiguous().clone()
        dist.all_reduce(grad)
        return grad


class _Sum(torch.autograd.Function):
    """Forward the sum over the ranks; backward the same gradient."""

    @staticmethod
    def forward(ctx, x):
        x = x.contiguous().clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, grad):
        return grad


class ColumnParallel(nn.Module):
    """(..., C) -> (..., F / ranks): this rank's share of the features.

    Cut from a whole linear layer that all ranks have. Derived in chapter 9;
    Shoeybi et al. (2019), section 3.
    """

    def __init__(self, whole: nn.Linear, rank: int, size: int) -> None:
        super().__init__()
        self.weight = _part(whole.weight, 0, rank, size)
        bias = whole.bias
        self.bias = None if bias is None else _part(bias, 0, rank, size)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(_Copy.apply(x), self.weight, self.bias)


class RowParallel(nn.Module):
    """(..., F / ranks) -> (..., C): partial sums, added over the ranks.

    The bias is added once, after the sum. Derived in chapter 9; Shoeybi et
    al. (2019), section 3.
    """

    def __init__(self, whole: nn.Linear, rank: int, size: int) -> None:
        super().__init__()
        self.weight = _part(whole.weight, 1, rank, size)
        bias = whole.bias
        self.bias = None if bias is None else nn.Parameter(bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        y = _Sum.apply(nn.functional.linear(x, self.weight))
        return y if self.bias is None else y + self.bias


def _part(x: Tensor, dim: int, rank: int, size: int) -> nn.Parameter:
    if x.shape[dim] % size:
        raise ValueError(
            f"{x.shape[dim]} features cannot be cut in {size} equal parts"
        )
    return nn.Parameter(x.detach().chunk(size, dim)[rank].clone())


def tensor_parallel_by_hand(model: GPT, rank: int, size: int) -> GPT:
    """The same model with its blocks cut over the ranks; changes the model.

    Heads and hidden units are dealt out: two sums of (B, T, C) a block on the
    way forward, two on the way back. All ranks must see the same batch.
    """
    for layer in list(model.modules()):
        for name in columns(layer, size):
            whole = getattr(layer, name)
            setattr(layer, name, ColumnParallel(whole, rank, size))
        for name in rows(layer):
            whole = getattr(layer, name)
            setattr(layer, name, RowParallel(whole, rank, size))
        _fewer_heads(layer, size)
    return model


def tensor_parallel(model: GPT, mesh: DeviceMesh) -> GPT:
    """The same by torch: each cut matrix becomes a DTensor.

    mesh: one-dimensional. The optimizer must take tensors one by one
    (foreach=False): some are whole and some are cut. Chapter 9.
    """
    from torch.distributed.tensor.parallel import (
        ColwiseParallel,
        ParallelStyle,
        RowwiseParallel,
        parallelize_module,
    )

    size = mesh.size()
    for layer in list(model.modules()):
        plan: dict[str, ParallelStyle] = {}
        plan |= {name: ColwiseParallel() for name in columns(layer, size)}
        plan |= {name: RowwiseParallel() for name in rows(layer)}
        if plan:
            parallelize_module(layer, mesh, plan)
        _fewer_heads(layer, size)
    return model


def columns(layer: nn.Module, size: int) -> tuple[str, ...]:
    """The linear maps of a layer that are cut by columns."""
    if isinstance(layer, Attention):
        if layer.n_heads % size or layer.n_kv_heads % size:
            raise ValueError(
                f"{layer.n_heads} heads and {layer.n_kv_heads} key-value heads"
                f" on {size} ranks: each rank takes as many of both"
            )
        if not isinstance(layer.q_norm, nn.Identity):
            raise ValueError(
                "norms over heads see only a rank's own heads: their gradients"
                " would differ from rank to rank; use fsdp for this recipe"
            )
        return ("q", "k", "v")
    if isinstance(layer, SwiGLU):
        return ("gate", "up")
    return ("up",) if isinstance(layer, MLP) else ()


def rows(layer: nn.Module) -> tuple[str, ...]:
    """The linear maps of a layer that are cut by rows: what writes."""
    if isinstance(layer, Attention):
        return ("out",)
    return ("down",) if isinstance(layer, (MLP, SwiGLU)) else ()


def _fewer_heads(layer: nn.Module, size: int) -> None:
    if isinstance(layer, Attention):
        layer.n_heads //= size
        layer.n_kv_heads //= size
