"""Many processes, one model: the same batch in parts, gradients averaged.

Chapter 9 derives it. Start a script with `torchrun --nproc-per-node 2 x.py`,
and each process calls `init`; without torchrun there is one process, and the
same script works. `parallel` and `pipeline` cut the model itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    get_state_dict,
    set_state_dict,
)

from llm_utils.model.gpt import GPT


class World(NamedTuple):
    """Who this process is: number `rank` of `size`, on `device`."""

    rank: int
    size: int
    device: torch.device


@contextmanager
def init(timeout: float = 300.0) -> Iterator[World]:
    """Join the processes that torchrun started; alone without it.

    NCCL where each process has a GPU, gloo elsewhere. timeout: seconds after
    which waiting for a process that does not come is an error; torchrun ends
    all when one has died. Chapter 9.
    """
    if "RANK" not in os.environ:
        yield World(0, 1, torch.device("cpu"))
        return
    local, device = int(os.environ["LOCAL_RANK"]), torch.device("cpu")
    if local < torch.cuda.device_count():
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(seconds=timeout))
    try:
        yield World(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def world_size() -> int:
    """How many processes work together: 1 before `init`."""
    return dist.get_world_size() if dist.is_initialized() else 1


def my_rows(x: Tensor, rank: int, size: int) -> Tensor:
    """(B, ...) -> (B / size, ...): the rows of a batch that are this rank's.

    ValueError where they cannot be dealt out evenly: a mean of unequal parts
    is not the mean of the batch.
    """
    if len(x) % size:
        raise ValueError(
            f"{len(x)} rows for {size} ranks: choose a multiple of {size}"
        )
    return x.chunk(size)[rank]


@torch.no_grad()
def broadcast_parameters(model: nn.Module, source: int = 0) -> None:
    """All ranks take the numbers of rank `source`. Chapter 9."""
    if world_size() > 1:
        for x in (*model.parameters(), *model.buffers()):
            dist.broadcast(x.detach(), source)


@torch.no_grad()
def average_gradients(model: nn.Module, bucket_bytes: int = 25 * 2**20) -> None:
    """Each gradient becomes its mean over the ranks, in place.

    To be called between backward and step. Gradients travel in buckets of one
    dtype: few long messages instead of many short ones. A parameter without a
    gradient counts as 0. Chapter 9; Li et al. (2020), section 3.2.
    """
    size = world_size()
    if size == 1:
        return
    for bucket in buckets(model.parameters(), bucket_bytes):
        for p in bucket:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        grads = [p.grad for p in bucket if p.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads]) / size
        dist.all_reduce(flat)
        parts = flat.split([grad.numel() for grad in grads])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view_as(grad))


def buckets(
    parameters: Iterable[nn.Parameter], n_bytes: int
) -> Iterator[list[nn.Parameter]]:
    """Parameters in groups of one dtype and about n_bytes, last ones first.

    Last first, because backward is done with them first.
    """
    group: list[nn.Parameter] = []
    for p in reversed([p for p in parameters if p.requires_grad]):
        full = sum(q.nbytes for q in group) + p.nbytes > n_bytes
        if group and (full or p.dtype != group[0].dtype):
            yield group
            group = []
        group.append(p)
    if group:
        yield group


@torch.no_grad()
def mean(x: Tensor | float) -> float:
    """The mean of a number over the ranks: of a loss, to be printed."""
    value = torch.as_tensor(x, dtype=torch.float64).clone()
    if world_size() > 1:
        if dist.get_backend() == "nccl":
            value = value.cuda()
        dist.all_reduce(value)
    return float(value) / world_size()


def same_everywhere(model: nn.Module) -> bool:
    """Whether all ranks hold the same parameters, to the last bit.

    The check that finds a forgotten broadcast, and gradients that one rank
    averaged and another did not. Chapter 9.
    """
    sums = [p.detach().double().sum() for p in model.parameters()]
    mine = torch.stack(sums)
    if world_size() == 1:
        return True
    high, low = mine.clone(), mine.clone()
    dist.all_reduce(high, dist.ReduceOp.MAX)
    dist.all_reduce(low, dist.ReduceOp.MIN)
    return torch.equal(high, low)


def fsdp(model: GPT) -> GPT:
    """The same model, its parameters cut over all ranks (FSDP2, ZeRO 3).

    Each block is gathered when its turn comes, and let go after it. Make the
    optimizer after this. Chapter 9; Zhao et al. (2023).
    """
    from torch.distributed.fsdp import fully_shard

    for block in model.blocks:
        fully_shard(block)
    fully_shard(model)
    return model


def save_checkpoint(
    folder: Path | str, model: nn.Module, opt: torch.optim.Optimizer, step: int
) -> None:
    """Every rank writes its own part, for any later number of ranks.

    Through torch.distributed.checkpoint, first into a folder beside, then
    renamed, so that a folder of this name is whole. Chapter 9.
    """
    folder = Path(folder)
    half = folder.with_name(folder.name + ".half")
    dcp.save(_state(model, opt, step), checkpoint_id=half)
    if not dist.is_initialized() or dist.get_rank() == 0:
        half.rename(folder)
    if dist.is_initialized():
        dist.barrier()


def load_checkpoint(
    folder: Path | str, model: nn.Module, opt: torch.optim.Optimizer
) -> int:
    """Fill model and optimizer, cut as they are now; -> the step.

    The folder holds a pickle beside its tensors: load your own alone.
    """
    state = _state(model, opt, 0)
    dcp.load(state, checkpoint_id=folder)
    set_state_dict(
        model, opt,
        model_state_dict=state["model"], optim_state_dict=state["optimizer"],
    )  # fmt: skip
    return int(state["step"])


def _state(model: nn.Module, opt: torch.optim.Optimizer, step: int) -> dict:
    weights, averages = get_state_dict(model, opt)
    return {
        "model": weights,
        "optimizer": averages,
        "step": torch.tensor(step),
    }
