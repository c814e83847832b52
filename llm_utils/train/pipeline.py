"""Some blocks here, some there: pipeline parallelism, by hand and by torch.

Chapter 9 derives it. A batch is cut in micro-batches that follow each other
through the stages, so that more than one stage has something to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

from llm_utils.model.gpt import GPT
from llm_utils.text.next_token import next_token_loss

Loss = Callable[[Tensor, Tensor], Tensor]


class Stage(nn.Module):
    """Part `rank` of `size` of a model: ids or vectors in, vectors or logits.

    The first stage has the table, the last the norm and the head. With tied
    embeddings both have the table, and `tie_gradients` keeps them one.
    Chapter 9; Huang et al. (2019).
    """

    def __init__(self, model: GPT, rank: int, size: int) -> None:
        super().__init__()
        L = len(model.blocks)
        if not 0 <= rank < size <= L:
            raise ValueError(
                f"rank {rank} of {size} stages for {L} blocks: each stage "
                "takes one or more"
            )
        first, last = rank * L // size, (rank + 1) * L // size
        self.first, self.last = rank == 0, rank == size - 1
        self.blocks = nn.ModuleList(list(model.blocks)[first:last])
        self.tied = model.head is None and size > 1
        if self.first:
            self.tokens, self.positions = model.tokens, model.positions
        if self.last:
            self.norm, self.head = model.norm, model.head or model.tokens

    def forward(self, x: Tensor) -> Tensor:
        if self.first:
            x = self.positions(self.tokens(x))
        for block in self.blocks:
            x = block(x)
        return self.head.unembed(self.norm(x)) if self.last else x

    @property
    def table(self) -> nn.Parameter | None:
        """The tied table, on the two stages that have it."""
        if not self.tied or not (self.first or self.last):
            return None
        return (self.tokens if self.first else self.head).weight


def tie_gradients(stage: Stage, ends: dist.ProcessGroup | None = None) -> None:
    """The tied table's gradient: the sum of what both ends found.

    ends: the group of the first and the last rank, `dist.new_group([0, n -
    1])`, made by all ranks; None where these two are all.
    """
    table = stage.table
    if table is not None:
        assert table.grad is not None
        dist.all_reduce(table.grad, group=ends)


def pipeline_step(
    stage: Stage,
    x: Tensor,
    y: Tensor,
    n_micro: int,
    shape: tuple[int, ...],
    loss: Loss = next_token_loss,
) -> Tensor:
    """GPipe by hand: all micro-batches forward, then all of them backward.

    x, y: (B, T), read by the first and the last rank; shape: (B / n_micro, T,
    C), of what passes between stages. Leaves gradients of the mean loss in
    the stage; -> the loss on the last rank, 0 elsewhere. Huang et al. (2019).
    """
    rank, passed = dist.get_rank(), []
    like = next(stage.parameters())
    total = like.new_zeros(())
    for ids, targets in zip(x.chunk(n_micro), y.chunk(n_micro), strict=True):
        if stage.first:
            given = ids
        else:
            given = like.new_empty(shape)
            dist.recv(given, rank - 1)
            given.requires_grad_()
        out = stage(given)
        if stage.last:
            out = loss(out, targets) / n_micro
            total += out.detach()
        else:
            dist.send(out.detach().contiguous(), rank + 1)
        passed.append((given, out))
    for given, out in reversed(passed):
        grad = None
        if not stage.last:
            grad = torch.empty_like(out)
            dist.recv(grad, rank + 1)
        out.backward(grad)
        if not stage.first:
            assert given.grad is not None
            dist.send(given.grad, rank - 1)
    return total


def torch_schedule(
    stage: Stage,
    device: torch.device,
    n_micro: int,
    name: str = "1F1B",
    loss: Loss = next_token_loss,
) -> Any:
    """The same by torch: a schedule whose `step` runs a whole batch.

    name: of `torch.distributed.pipelining`, "GPipe" or "1F1B". The first rank
    calls step(x), the last step(target=y, losses=[]), the others step().
    Gradients are of the mean loss. Chapter 9; Narayanan et al. (2021).
    """
    from torch.distributed import pipelining

    kinds = {
        "GPipe": pipelining.ScheduleGPipe,
        "1F1B": pipelining.Schedule1F1B,
    }
    if name not in kinds:
        raise ValueError(f"name={name!r}: choose one of {list(kinds)}")
    rank, size = dist.get_rank(), dist.get_world_size()
    part = pipelining.PipelineStage(stage, rank, size, device)
    return kinds[name](part, n_micro, loss_fn=loss)


def bubble(n_stages: int, n_micro: int) -> float:
    """The share of its time that a stage waits: (s - 1) / (m + s - 1).

    Huang et al. (2019), section 2.3; chapter 9.
    """
    if n_stages < 1 or n_micro < 1:
        raise ValueError(f"{n_stages=} and {n_micro=} must be 1 or more")
    return (n_stages - 1) / (n_micro + n_stages - 1)


class Slot(NamedTuple):
    """One stage works on one micro-batch, forward (F) or backward (B)."""

    stage: int
    start: int  # a forward pass takes 1 unit of time, a backward pass 2
    length: int
    kind: str
    micro: int


def timetable(n_stages: int, n_micro: int, name: str = "1F1B") -> list[Slot]:
    """Who does what when, in the order of a schedule, as early as it can.

    name: "GPipe" or "1F1B". Chapter 9 draws it; Narayanan et al. (2021),
    figure 4.
    """
    bubble(n_stages, n_micro)  # refuses what cannot be
    if name not in ("GPipe", "1F1B"):
        raise ValueError(f"name={name!r}: choose GPipe or 1F1B")
    queues = []
    for stage in range(n_stages):
        warm = n_micro if name == "GPipe" else min(n_micro, n_stages - stage)
        order = [("F", i) for i in range(warm)]
        for i in range(n_micro):
            order += [("B", i)]
            order += [("F", warm + i)] if warm + i < n_micro else []
        queues.append(order)
    ended: dict[tuple[str, int, int], int] = {}
    free, slots = [0] * n_stages, []
    while any(queues):
        for stage, order in enumerate(queues):
            if not order:
                continue
            kind, i = order[0]
            before = stage - 1 if kind == "F" else stage + 1
            if before in (-1, n_stages):
                ready = 0
            elif (kind, i, before) in ended:
                ready = ended[kind, i, before]
            else:
                continue
            start, length = max(free[stage], ready), 1 if kind == "F" else 2
            free[stage] = ended[kind, i, stage] = start + length
            slots.append(Slot(stage, start, length, kind, i))
            order.pop(0)
    return slots
