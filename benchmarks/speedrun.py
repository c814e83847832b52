"""TinyShakespeare, one character at a time: how good, how soon, on a CPU?

    python benchmarks/speedrun.py                  all, a quarter of an hour
    python benchmarks/speedrun.py --only sixth     some of it
    python benchmarks/speedrun.py --tune sixth --set lr=0.02     one, changed

The baseline is the recipe that nanoGPT's README gives for a laptop (its
"baby GPT": 0.8M parameters, 2,000 steps of 12 x 64 characters, AdamW), in our
trainer. Against it run three recipes: RoPE, RMSNorm, QK-norm, SwiGLU, Muon,
warm-up and decay, larger batches, two parts that know a character's neighbors
(`speedrun_parts`), and where that pays a process on each core instead of two
threads in one. Each runs by itself, one after the other, and its clock runs
from the start of Python (of the launcher too) to the end of the evaluation on
the whole validation split, in rows as long as in training. Points of the
curves are evaluated after the clock has stopped. Prints JSON: seconds, losses
and the curve of loss over seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from speedrun_parts import with_parts
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from llm_utils.model.zoo import build
from llm_utils.text.next_token import windows
from llm_utils.text.tokenizer import CharTokenizer
from llm_utils.train import distributed
from llm_utils.train.corpus import fetch
from llm_utils.train.muon import Muon, Together
from llm_utils.train.optim import AdamW, Schedule, decay_groups
from llm_utils.train.schedules import warmup_cosine, warmup_stable_decay
from llm_utils.train.trainer import (
    TrainConfig,
    evaluate,
    sum_over_workers,
    train,
)

TARGETS = {  # nats per character, and the most seconds they may take
    "sixth": (1.886, lambda baseline: baseline / 6),
    "same": (1.55, lambda baseline: baseline),
    "ten": (1.4697, lambda baseline: 600.0),
}


@dataclass(frozen=True)
class Run:
    """A recipe, sizes of the model first."""

    preset: str = "tiny-qwen"
    n_layers: int = 3
    d_model: int = 128
    n_heads: int = 4
    d_ff: int = 256
    T: int = 64
    B: int = 32
    steps: int = 200
    lr: float = 0.014
    embed: float = 3.0  # learning rates as multiples of lr
    muon: bool = True
    decay: float = 0.9  # the share of the steps in which the rate falls
    weight_decay: float = 0.1
    dropout: float = 0.0
    rows: int = 0  # of each table of hashed n-grams
    orders: str = "23"  # the n of these
    drop: float = 0.0  # the share of n-grams that is left out
    width: int = 0  # positions before that each branch is shown
    ranks: int = 1  # processes, with 1 thread each where there are several
    compile: bool = False
    dtype: str = "float32"

    def model(self, vocab_size: int, rng: torch.Generator) -> nn.Module:
        d_head = self.d_model // self.n_heads
        model = build(
            self.preset, rng, vocab_size=vocab_size, n_layers=self.n_layers,
            d_model=self.d_model, n_heads=self.n_heads, d_ff=self.d_ff,
            n_kv_heads=self.n_heads, d_head=d_head, max_len=self.T,
            dropout=self.dropout,
        )  # fmt: skip
        orders = [int(n) for n in self.orders]
        return with_parts(
            model, rng, self.preset, self.rows, orders, self.width, self.drop
        )

    def optimizer(self, model: nn.Module) -> Together:
        if not self.muon:
            groups = decay_groups(model, self.weight_decay)
            return Together(AdamW(groups, self.lr, betas=(0.9, 0.99)))
        linear = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
        ours = {id(p) for p in linear}
        rest = [p for p in model.parameters() if id(p) not in ours]
        group = {"params": rest, "lr_scale": self.embed}
        return Together(
            Muon(linear, self.lr, weight_decay=self.weight_decay, dealt=True),
            AdamW([group], self.lr, weight_decay=0.0),
        )

    def schedule(self) -> Schedule:
        if not self.muon:
            return warmup_cosine(self.lr, self.steps, warmup=100)
        warmup = max(1, self.steps // 50)
        return warmup_stable_decay(
            self.lr, self.steps, warmup, int(self.decay * self.steps)
        )


RUNS = {
    "baseline": Run(
        "tiny-gpt2", 4, 128, 4, 512, 64, 12, 2000, 1e-3, muon=False
    ),
    "sixth": Run(steps=80, rows=8192, width=1),
    "same": Run(
        T=128, steps=400, rows=8192, orders="234", drop=0.4, width=2, ranks=2
    ),
    "ten": Run(
        n_layers=4, d_model=192, n_heads=3, d_ff=384, T=256, B=16, steps=1380,
        dropout=0.1, rows=8192, orders="234", drop=0.5, width=2, ranks=2,
    ),
}  # fmt: skip


def split() -> tuple[Tensor, Tensor, int]:
    """Training and validation ids, 90 and 10 percent, and the vocabulary."""
    text = fetch("tinyshakespeare").read_text(encoding="utf-8")
    chars = CharTokenizer.train(text)
    ids = torch.tensor(chars.encode(text))
    n = int(0.9 * len(ids))
    return ids[:n], ids[n:], chars.vocab_size


def random_rows(
    ids: Tensor, B: int, T: int, rng: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """x (B, T), y (B, T) from places drawn at random, as nanoGPT does."""
    rows = ids.unfold(0, T + 1, 1)
    while True:
        block = rows[torch.randint(len(rows), (B,), generator=rng)]
        yield block[:, :-1].contiguous(), block[:, 1:].contiguous()


def validation_loss(
    model: nn.Module, ids: Tensor, run: Run, world: distributed.World
) -> float:
    """Nats per character over the whole split, each process with its rows."""
    x, y = (z[world.rank :: world.size] for z in windows(ids, run.T))
    n = max(1, 8192 // run.T)
    loss = evaluate(model, zip(x.split(n), y.split(n), strict=True), run.dtype)
    sums = torch.tensor([loss * len(x), len(x)], dtype=torch.float64)
    nats, rows = sum_over_workers(sums).tolist()
    return nats / rows


def child(
    run: Run, seed: int, points: int, began: float, world: distributed.World
) -> dict:
    """Train and evaluate, with the clock running; then the curve without."""
    ready = time.time() - began
    learn, held, V = split()
    rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # of dropout
    model = run.model(V, rng)
    ddp = DistributedDataParallel(model) if world.size > 1 else model
    rng = torch.Generator().manual_seed(seed * world.size + world.rank)
    rows = random_rows(learn, run.B // world.size, run.T, rng)
    cfg = TrainConfig(run.steps, dtype=run.dtype, compile=run.compile)
    shown = {round(run.steps * (k + 1) / points) for k in range(points - 1)}
    kept: list[tuple[float, int, dict]] = []
    stats = train(ddp, rows, run.optimizer(model), run.schedule(), cfg)
    for s in stats:
        if s.step in shown:
            weights = {k: v.clone() for k, v in model.state_dict().items()}
            kept.append((time.time() - began, s.step, weights))
        if s.step % 50 == 0 and world.rank == 0:
            print(f"{s.step} {s.loss:.3f} {time.time() - began:.0f} s",
                  file=sys.stderr, flush=True)  # fmt: skip
    loss = validation_loss(model, held, run, world)
    seconds = time.time() - began
    curve = []
    for at, step, weights in kept:
        model.load_state_dict(weights)
        curve.append(
            [round(at, 1), step, validation_loss(model, held, run, world)]
        )
    return {
        "seconds": seconds, "imports": ready, "loss": loss,
        "parameters": model.n_params, "tokens": run.steps * run.B * run.T,
        "processor_seconds": sum(os.times()[:2]),
        "curve": [*curve, [round(seconds, 1), run.steps, loss]], **asdict(run),
    }  # fmt: skip


def change(run: Run, settings: Sequence[str]) -> Run:
    """lr=0.02 and the like, with the type that the field has."""
    values: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        kind = type(getattr(run, name))
        values[name] = text in ("1", "True") if kind is bool else kind(text)
    return replace(run, **values)


def start(
    name: str, seed: int, settings: Sequence[str] = (), points: int = 8
) -> dict[str, Any]:
    """A recipe in fresh processes; -> what it found."""
    began = time.time()
    ranks = change(RUNS[name], settings).ranks
    command, env = [sys.executable], dict(os.environ)
    if ranks > 1:
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={ranks}"]
        env["OMP_NUM_THREADS"] = "1"
    command += [__file__, "--child", name, "--set", *settings]
    options = {"seed": seed, "points": points, "began": began}
    command += [x for k, v in options.items() for x in (f"--{k}", str(v))]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=env)
    return json.loads(done.stdout)


def race(names: list[str], seed: int) -> dict:
    """Each recipe by itself, and what the targets say of it."""
    found = {}
    for name in ["baseline", *names]:
        began = time.time()
        found[name] = start(name, seed)
        late = time.time() - began - found[name]["seconds"]
        print(f"{name}: {found[name]['loss']:.4f} nats in "
              f"{found[name]['seconds']:.1f} s (the curve took {late:.0f} s)",
              file=sys.stderr)  # fmt: skip
        if name in TARGETS:
            wanted, most = TARGETS[name]
            limit = most(found["baseline"]["seconds"])
            found[name] |= {
                "wanted": wanted, "limit": limit,
                "met": found[name]["loss"] <= wanted
                and found[name]["seconds"] <= limit,
            }  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*TARGETS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--tune", choices=RUNS, help="this one alone")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--child", choices=RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--began", type=float, default=time.time())
    parser.add_argument("--points", type=int, default=8, help="of the curve")
    args = parser.parse_args()
    if args.child:
        run = change(RUNS[args.child], args.set)
        with distributed.init() as world:
            found = child(run, args.seed, args.points, args.began, world)
        if world.rank == 0:
            print(json.dumps(found))
    elif args.tune:
        print(json.dumps(start(args.tune, args.seed, args.set, args.points)))
    else:
        print(json.dumps(race(args.only, args.seed), indent=1))


if __name__ == "__main__":
    main()
