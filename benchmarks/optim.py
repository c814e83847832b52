"""A step of our optimizers beside torch's own, on the same weights.

    python benchmarks/optim.py [--rounds 9] > optim.json

Each contestant steps in turn, so that a busy machine disturbs all alike; the
time of a step is the least of the rounds, a ratio is to the fused AdamW. On a
GPU the clock is read after synchronizing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import build
from llm_utils.notebook import pick_device
from llm_utils.train.muon import Muon
from llm_utils.train.optim import AdamW, decay_groups

SIZES: dict[str, dict[str, Any]] = {
    "0.2M": {},
    "5M": {"d_model": 256, "n_layers": 6, "d_ff": 704, "vocab_size": 2048},
    "43M": {"d_model": 768, "n_layers": 6, "d_ff": 2048, "vocab_size": 2048},
}


def contestants(model: GPT) -> dict[str, torch.optim.Optimizer]:
    """Each has its own groups and state; all move the same weights."""
    matrices = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    found: dict[str, torch.optim.Optimizer] = {
        "torch AdamW, fused": torch.optim.AdamW(
            decay_groups(model), fused=True
        ),
        "torch AdamW, foreach": torch.optim.AdamW(
            decay_groups(model), foreach=True
        ),
        "torch AdamW, loop": torch.optim.AdamW(
            decay_groups(model), foreach=False
        ),
        "our AdamW": AdamW(decay_groups(model)),
        "our Muon": Muon(matrices),
    }
    if hasattr(torch.optim, "Muon"):
        found["torch Muon"] = torch.optim.Muon(matrices)
    return found


def seconds(step: Callable[[], Any], n: int) -> float:
    sync = torch.cuda.synchronize if torch.cuda.is_available() else bool
    sync()
    began = time.perf_counter()
    for _ in range(n):
        step()
    sync()
    return (time.perf_counter() - began) / n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    device = pick_device()
    names = [name for name in SIZES if device.type != "cpu" or name != "43M"]
    for name in names:
        model = build("tiny-llama", **SIZES[name]).to(device)
        for p in model.parameters():
            p.grad = torch.randn_like(p)
        opts = contestants(model)
        n = max(1, 2_000_000 // model.n_params)
        best = {who: float("inf") for who in opts}
        for i in range(args.rounds + 1):  # the first only warms up
            for who, opt in opts.items():
                took = seconds(opt.step, n)
                best[who] = min(best[who], took) if i else best[who]
        fused = best["torch AdamW, fused"]
        for who, took in best.items():
            row = {"model": name, "parameters": model.n_params, "who": who}
            row |= {"ms": round(1e3 * took, 3), "ratio": round(took / fused, 2)}
            print(json.dumps({**row, "device": str(device)}), flush=True)


if __name__ == "__main__":
    main()
