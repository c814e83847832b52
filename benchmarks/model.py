"""The decoder's speed beside transformers' own classes with the same weights.

    python benchmarks/model.py [--repeats 15] [--compile] > model.json
    python benchmarks/model.py --dtypes float32   where bfloat16 is emulated

Models of about 10M parameters in the shape of GPT-2 and of Llama, 8 sequences
of 256 tokens: forward alone, and forward with loss and backward, in float32
and bfloat16, eager and compiled. The contestants take turns, so that a busy
machine disturbs all alike, and a ratio is the median over the rounds; with
OMP_NUM_THREADS=1 it is of processor time, which waiting does not lengthen.
First the logits must agree. On a GPU the fraction is the MFU: of the rate that
large matrix products reach there. `most` is what the ratio in training would be
if all but the matrix products and torch's attention kernel, calls that both
contestants make, took no time: a bound on what better code can win.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import profile
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from llm_utils.model.gpt import GPT
from llm_utils.model.hf import from_hf
from llm_utils.notebook import pick_device
from llm_utils.text.next_token import next_token_loss

B, T, V = 8, 256, 4096
Pair = tuple[GPT, nn.Module]


def gpt2() -> nn.Module:
    """10.5M parameters; no dropout, which ours has not got either."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=V, n_positions=T, n_embd=384, n_layer=5, n_head=6,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        )
    )  # fmt: skip


def llama() -> nn.Module:
    """9.4M parameters, two query heads for each key-value head."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=V, max_position_embeddings=T, hidden_size=384,
            num_hidden_layers=5, num_attention_heads=6, num_key_value_heads=3,
            intermediate_size=1024, tie_word_embeddings=True,
        )
    )  # fmt: skip


def same_weights(make: Callable[[], nn.Module]) -> Pair:
    """Ours and theirs, read from one folder."""
    with tempfile.TemporaryDirectory() as folder:
        make().save_pretrained(folder)
        return from_hf(folder), AutoModelForCausalLM.from_pretrained(folder)


def clock() -> float:
    """Seconds: of the processor if one thread does all, else of the day."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    alone = not torch.cuda.is_available() and torch.get_num_threads() == 1
    return time.process_time() if alone else time.perf_counter()


def rounds(
    contestants: dict[str, Callable[[], Any]], repeats: int
) -> dict[str, list[float]]:
    """Seconds of each, all of them once per round, after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for n in range(repeats + 2):
        for name, run in contestants.items():
            start = clock()
            run()
            if n > 1:
                seconds[name].append(clock() - start)
    return seconds


def medians(times: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(each) for name, each in times.items()}


def ratio(above: list[float], below: list[float]) -> float:
    """The median of the rounds' ratios: slow rounds were slow for both."""
    pairs = zip(above, below, strict=True)
    return statistics.median([a / b for a, b in pairs])


def matmul_rate(like: Tensor, repeats: int) -> float:
    """FLOP per second of large square products in this dtype."""
    n = 8192 if like.is_cuda else 2048
    a = torch.ones(n, n, dtype=like.dtype, device=like.device)
    seconds = medians(rounds({"a @ a": lambda: a @ a}, repeats))["a @ a"]
    return 2 * n**3 / seconds


def flops(model: GPT) -> int:
    """Of one forward: 2 a weight and token, and causal scores and sums."""
    c = model.cfg
    weights = model.n_params - (T * c.d_model if c.positions != "none" else 0)
    scores = 2 * c.n_layers * c.n_heads * c.d_head * T  # 2 products, half of T
    return B * T * (2 * weights + scores)


def unavoidable(step: Callable[[], Any]) -> float:
    """Its share of time in matrix products and torch's attention kernel."""
    names = ("::mm", "::addmm", "::bmm", "::_scaled_dot_product")
    with profile() as seen:
        step()
    spent = [
        (e.self_device_time_total if torch.cuda.is_available() else
         e.self_cpu_time_total, any(n in e.key for n in names))
        for e in seen.key_averages()
    ]  # fmt: skip
    return sum(t for t, kernel in spent if kernel) / sum(t for t, _ in spent)


def race(pair: Pair, repeats: int) -> dict[str, Any]:
    """Tokens per second of both, forward and training, and their ratios."""
    ours, theirs = pair
    p = next(ours.parameters())
    rng = torch.Generator().manual_seed(0)
    ids = torch.randint(V, (B, T + 1), generator=rng).to(p.device)
    x, y = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()

    def train(model: nn.Module, loss: Callable[[], Tensor]) -> None:
        model.zero_grad(set_to_none=True)
        loss().backward()

    def read(model: nn.Module) -> None:
        with torch.no_grad():
            model(x)

    def train_ours() -> None:
        train(ours, lambda: next_token_loss(ours(x), y))

    def train_theirs() -> None:
        train(theirs, lambda: theirs(x, labels=x, use_cache=False).loss)

    times = rounds(
        {
            "forward, ours": lambda: read(ours),
            "forward, theirs": lambda: read(theirs),
            "training, ours": train_ours,
            "training, theirs": train_theirs,
        },
        repeats,
    )
    seconds = medians(times)
    rate = matmul_rate(p, repeats)
    shares = [unavoidable(step) for step in (train_ours, train_theirs)]
    theirs_over_ours = seconds["training, theirs"] / seconds["training, ours"]
    work = {"forward": flops(ours), "training": 3 * flops(ours)}
    return {
        "tokens/s": {k: round(B * T / s) for k, s in seconds.items()},
        "ours / theirs": {
            k: ratio(times[f"{k}, theirs"], times[f"{k}, ours"]) for k in work
        },
        "training in shared kernels": dict(
            zip(("ours", "theirs"), shares, strict=True),
            most=theirs_over_ours / shares[0],
        ),
        "fraction of matmul rate": {
            k: work[k.split(",")[0]] / s / rate for k, s in seconds.items()
        },
        "matmul GFLOP/s": rate / 1e9,
    }


def agree(pair: Pair) -> None:
    """Nobody is fast by being wrong."""
    ids = torch.arange(2 * T).view(2, T) % V
    with torch.no_grad():
        torch.testing.assert_close(
            pair[0](ids), pair[1](ids).logits, atol=1e-4, rtol=0
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--compile", action="store_true", help="minutes more")
    parser.add_argument(
        "--dtypes", nargs="+", default=["float32", "bfloat16"], help="in turn"
    )
    args = parser.parse_args()
    device = pick_device()
    result: dict[str, Any] = {
        "device": str(device),
        "threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "repeats": args.repeats,
    }
    for make in (gpt2, llama):
        pair = same_weights(make)
        agree(pair)
        for dtype in args.dtypes:
            kind = getattr(torch, dtype)
            pair = tuple(m.to(device, kind).train() for m in pair)
            name = f"{make.__name__}, {dtype}"
            print(name, file=sys.stderr)
            result[name] = race(pair, args.repeats)
            if args.compile:
                compiled = tuple(torch.compile(m) for m in pair)
                result[f"{name}, compiled"] = race(compiled, args.repeats)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
