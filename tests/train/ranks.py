"""What runs on several ranks: `python ranks.py SIZES FOLDER`.

One process imports torch, then forks ranks, for SIZES "4,2" first four and
after them two. Each runs every function below whose name begins with `run_` or
`planted_` (or as the words after FOLDER say), and rank 0 writes what came out
to FOLDER/4.json or FOLDER/2.json. What it should be, one process says in
`test_distributed.py`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh

from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import build
from llm_utils.text.next_token import next_token_loss
from llm_utils.train import (
    distributed,
    muon,
    optim,
    parallel,
    pipeline,
    trainer,
)

STEPS, B, T, V, C = 5, 8, 12, 11, 32
World = distributed.World


def model_of(name: str = "tiny-gpt2", seed: int = 0) -> GPT:
    heads = {"n_heads": 4, "n_kv_heads": 4, "d_head": 8}
    rng = torch.Generator().manual_seed(seed)
    sizes = {"vocab_size": V, "n_layers": 4, "d_model": C, "d_ff": 64}
    return build(name, rng, **sizes, **heads)


def optimizer_of(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), 0.008, foreach=False)


def sgd_of(model: nn.Module) -> torch.optim.Optimizer:
    """Unlike AdamW, it sees when all gradients are twice as large."""
    return torch.optim.SGD(model.parameters(), 0.1)


def batch(step: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Tokens that count upwards: something to be learned in five steps."""
    rng = torch.Generator().manual_seed(1000 * seed + step)
    rows = torch.randint(V, (B, 1), generator=rng) + torch.arange(T + 1)
    return rows[:, :-1] % V, rows[:, 1:] % V


def plain(model: nn.Module, opt, steps, after=None, part=None, clip=1.0):
    """The loop of one process; after(model) runs before the step."""
    losses = []
    for step in steps:
        x, y = part(step) if part else batch(step)
        loss = next_token_loss(model(x), y)
        loss.backward()
        if after:
            after(model)
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip, foreach=False)
        opt.step()
        opt.zero_grad()
        losses.append(float(loss.detach()))
    return losses


def parted(w: World) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Each rank's rows of the one batch."""

    def part(step: int) -> tuple[Tensor, Tensor]:
        x, y = batch(step)
        rows = distributed.my_rows
        return rows(x, w.rank, w.size), rows(y, w.rank, w.size)

    return part


def averaged(losses: list[float]) -> list[float]:
    return [distributed.mean(loss) for loss in losses]


def by_hand(w, seed, after=distributed.average_gradients, part=None, clip=1.0):
    """Gradient averaging by hand; every planted bug changes one thing."""
    model = model_of(seed=seed)
    distributed.broadcast_parameters(model)
    opt = optimizer_of(model) if clip else sgd_of(model)
    found = plain(model, opt, range(STEPS), after, part or parted(w), clip)
    same = distributed.same_everywhere(model)
    return {"losses": averaged(found), "same": same}


def run_average(w: World):
    return by_hand(w, seed=w.rank)  # rank 0's numbers win


def run_sgd(w: World):
    return by_hand(w, 0, clip=0)


def run_small_buckets(w: World):
    return by_hand(w, 0, lambda m: distributed.average_gradients(m, 1000))


def planted_sum(w: World):
    def total(model):
        distributed.average_gradients(model)
        for p in model.parameters():
            p.grad *= w.size

    hidden = by_hand(w, 0, total)  # AdamW, clipped: nobody notices
    return {**by_hand(w, 0, total, clip=0), "hidden": hidden["losses"]}


def planted_no_broadcast(w: World):
    model = model_of(seed=w.rank)
    opt = optimizer_of(model)
    after = distributed.average_gradients
    found = plain(model, opt, range(STEPS), after, parted(w))
    same = distributed.same_everywhere(model)
    return {"losses": averaged(found), "same": same}


def planted_no_average(w: World):
    return by_hand(w, 0, lambda model: None)


def planted_other_batch(w: World):
    """Each rank cuts its part from a batch of its own."""

    def part(step):
        x, y = batch(step, seed=w.rank)
        rows = distributed.my_rows
        return rows(x, w.rank, w.size), rows(y, w.rank, w.size)

    return by_hand(w, 0, part=part)


def run_ddp(w: World):
    model = nn.parallel.DistributedDataParallel(model_of(seed=w.rank))
    opt = optimizer_of(model)
    found = plain(model, opt, range(STEPS), part=parted(w))
    same = distributed.same_everywhere(model)
    return {"losses": averaged(found), "same": same}


def run_fsdp(w: World):
    model = distributed.fsdp(model_of())
    held = sum(p.to_local().numel() for p in model.parameters())
    opt = optimizer_of(model)
    found = plain(model, opt, range(STEPS), part=parted(w))
    return {"losses": averaged(found), "held": held}


def trained(model: nn.Module, part) -> list[float]:
    """The package's own loop and optimizer; it averages its losses itself."""
    opt = optim.AdamW(optim.decay_groups(model), 0.008)
    cfg = trainer.TrainConfig(STEPS)
    rows = map(part, range(STEPS))
    found = trainer.train(model, rows, opt, lambda step: 0.008, cfg)
    return [stats.loss for stats in found]


def run_train_ddp(w: World):
    model = nn.parallel.DistributedDataParallel(model_of(seed=w.rank))
    return {"losses": trained(model, parted(w))}


def run_train_fsdp(w: World):
    return {"losses": trained(distributed.fsdp(model_of()), parted(w))}


def muoned(model: nn.Module, part, dealt: bool = False) -> list[float]:
    """Muon for all matrices, AdamW for the rest."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    rest = [p for p in model.parameters() if p.dim() != 2]
    opt = muon.Together(
        muon.Muon(matrices, dealt=dealt), optim.AdamW(rest)
    )  # fmt: skip
    cfg = trainer.TrainConfig(STEPS)
    rows = map(part, range(STEPS))
    found = trainer.train(model, rows, opt, lambda step: 0.008, cfg)
    return [stats.loss for stats in found]


def run_dealt(w: World):
    model = nn.parallel.DistributedDataParallel(model_of(seed=w.rank))
    losses = muoned(model, parted(w), dealt=True)
    return {"losses": losses, "same": distributed.same_everywhere(model)}


def planted_share_kept(w: World):
    """Each rank orthogonalizes its share and sends it to nobody."""
    whole, mine = muon.dealt_newton_schulz, slice(w.rank, None, w.size)

    def kept(g: Tensor) -> Tensor:
        out = torch.zeros_like(g)
        out[mine] = muon.newton_schulz(g[mine])
        return out

    muon.dealt_newton_schulz = kept
    found = run_dealt(w)
    muon.dealt_newton_schulz = whole
    return found


def run_tensor_by_hand(w: World):
    model = model_of("tiny-llama")
    parallel.tensor_parallel_by_hand(model, w.rank, w.size)
    held = sum(p.numel() for p in model.parameters())
    found = plain(model, optimizer_of(model), range(STEPS), clip=0)
    return {"losses": found, "held": held}


def run_tensor_by_hand_gpt2(w: World):
    model = model_of()  # with biases
    parallel.tensor_parallel_by_hand(model, w.rank, w.size)
    return {"losses": plain(model, optimizer_of(model), range(STEPS), clip=0)}


def run_tensor(w: World):
    mesh = init_device_mesh("cpu", (w.size,))
    model = parallel.tensor_parallel(model_of("tiny-llama"), mesh)
    found = plain(model, optimizer_of(model), range(STEPS), clip=0)
    return {"losses": found}


def planted_bias_twice(w: World):
    """A row-parallel layer that adds its bias on every rank."""
    model, rng = model_of(), torch.Generator().manual_seed(0)
    for p in model.parameters():
        if p.dim() == 1:
            nn.init.normal_(p, 1.0, 0.3, rng)
    parallel.tensor_parallel_by_hand(model, w.rank, w.size)
    wrong = parallel.RowParallel.forward

    def forward(self, x):
        y = wrong(self, x)
        return y if self.bias is None else y + (w.size - 1) * self.bias

    x, y = batch(0)
    right_loss = next_token_loss(model(x), y).item()
    parallel.RowParallel.forward = forward
    wrong_loss = next_token_loss(model(x), y).item()
    parallel.RowParallel.forward = wrong
    return {"losses": [right_loss, wrong_loss]}


def staged(w: World, step_of, tie=pipeline.tie_gradients):
    model = model_of()
    stage = pipeline.Stage(model, w.rank, w.size)
    ends = dist.new_group([0, w.size - 1])
    opt, losses = optimizer_of(stage), []
    step = step_of(stage)
    for i in range(STEPS):
        losses.append(step(*batch(i)))
        tie(stage, ends)
        opt.step()
        opt.zero_grad()
    last = torch.tensor(losses)
    dist.broadcast(last, w.size - 1)
    return {"losses": last.tolist()}


def by_hand_step(stage):
    shape = (B // 4, T, C)
    return lambda x, y: float(pipeline.pipeline_step(stage, x, y, 4, shape))


def run_pipeline_by_hand(w: World):
    return staged(w, by_hand_step)


def planted_untied(w: World):
    return staged(w, by_hand_step, tie=lambda stage, ends: None)


def by_schedule(name: str):
    def step_of(stage):
        schedule = pipeline.torch_schedule(stage, torch.device("cpu"), 4, name)

        def step(x, y):
            losses: list[Tensor] = []
            if stage.first:
                schedule.step(x)
            elif stage.last:
                schedule.step(target=y, losses=losses)
            else:
                schedule.step()
            return torch.stack(losses).mean().item() if stage.last else 0.0

        return step

    return step_of


def run_pipeline(w: World):
    return staged(w, by_schedule("1F1B"))


def run_gpipe(w: World):
    return staged(w, by_schedule("GPipe"))


def run_z_checkpoint(w: World):
    """Saved on 4 after two steps; 2 take it up where it stopped."""
    folder = Path(sys.argv[2]) / "checkpoint"
    model = distributed.fsdp(model_of(seed=0 if w.size == 4 else 7))
    opt = optimizer_of(model)
    if w.size == 4:
        losses = averaged(plain(model, opt, range(2), part=parted(w)))
        distributed.save_checkpoint(folder, model, opt, 2)
        return {"losses": losses}
    first = distributed.load_checkpoint(folder, model, opt)
    steps = range(first, STEPS)
    return {"losses": averaged(plain(model, opt, steps, part=parted(w)))}


def run_zz_waiting_ends(w: World):
    """A rank that never comes is an error after the time that was given."""
    group = dist.new_group(timeout=timedelta(seconds=2))
    if w.rank == 1:
        time.sleep(4)
        return {}
    start = time.monotonic()
    try:
        dist.all_reduce(torch.ones(1), group=group)
        said = ""
    except RuntimeError as error:
        said = str(error)
    return {"said": said, "seconds": time.monotonic() - start}


def one_rank(rank: int, size: int, port: int, folder: str) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    found = {}
    with distributed.init(timeout=20) as world:
        wanted = tuple(sys.argv[3:]) or ("run_", "planted_")
        checks = {k: f for k, f in globals().items() if k.startswith(wanted)}
        for name in sorted(checks):
            if size == 4 and name.startswith("planted_"):
                continue
            if size == 4 and name == "run_zz_waiting_ends":
                continue
            start = time.monotonic()
            found[name] = checks[name](world)
            found[name]["took"] = time.monotonic() - start
        if rank == 0:
            path = Path(folder) / f"{size}.json"
            path.write_text(json.dumps(found))


def warm_up() -> None:
    """Import once, before the fork, what each rank would import by itself."""
    import torch.distributed.pipelining
    import torch.distributed.tensor.parallel  # noqa: F401

    optimizer_of(model_of())  # torch._dynamo and more, seconds of it


def main() -> None:
    sizes, folder = map(int, sys.argv[1].split(",")), sys.argv[2]
    warm_up()
    for size in sizes:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        args = (size, port, folder)
        mp.start_processes(one_rank, args, nprocs=size, start_method="fork")


if __name__ == "__main__":
    main()
