"""The speed of writing beside `transformers.generate` with the same weights.

    python benchmarks/decode.py [--repeats 5] [--compile] > decode.json
    python benchmarks/decode.py --batches 1      one text alone

A model of about 11M parameters in Llama's shape writes 200 tokens, greedily,
after a prompt of 16, for 1 text and for 16, in float32. The contestants take
turns, so that a busy machine disturbs all alike, and a ratio is the median over
the rounds; with OMP_NUM_THREADS=1 it is of processor time, which waiting does
not lengthen. First their tokens must be the same. `eager` is `generate` with a
cache, `lean` the same with `Lean`, `compiled` with `Compiled`, which is
compiled before the clock starts: that takes a minute and a C++ compiler.

The memory's limit is measured in the same rounds, by a large matrix times a
vector and by a large copy; the share of it is the bytes that a step cannot do
without, all weights once and the cache, over the bytes that the better of the
two would have moved in its time. `length` says what a token costs early and
late in a text.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
from model import clock, medians, ratio, rounds
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from llm_utils.infer.cache import new_cache
from llm_utils.infer.compiled import Compiled
from llm_utils.infer.lean import Lean
from llm_utils.infer.sample import generate
from llm_utils.model.gpt import GPT
from llm_utils.model.hf import from_hf
from llm_utils.notebook import pick_device

V, PROMPT, NEW, LONG = 4096, 16, 200, 600


def pair() -> tuple[GPT, nn.Module]:
    """11.2M parameters, ours and theirs, read from one folder."""
    torch.manual_seed(0)
    theirs = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=V, max_position_embeddings=1024, hidden_size=320,
            num_hidden_layers=8, num_attention_heads=5, num_key_value_heads=5,
            intermediate_size=864, tie_word_embeddings=True,
        )
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours = from_hf(folder, torch.float32)
        theirs = AutoModelForCausalLM.from_pretrained(folder)
    device = pick_device()
    return ours.to(device).eval(), theirs.to(device).eval()


def ours_write(model: GPT, step: nn.Module, ids: Tensor, n: int) -> Tensor:
    """(B, T) -> (B, n)."""
    cache = new_cache(model, len(ids), ids.shape[1] + n)
    return torch.stack([*generate(step, ids, n, cache=cache)], 1)


def theirs_write(model: nn.Module, ids: Tensor, n: int) -> Tensor:
    """(B, T) -> (B, n)."""
    told = model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False,
        max_new_tokens=n, min_new_tokens=n, pad_token_id=0,
    )  # fmt: skip
    return told[:, ids.shape[1] :]


def memory(device: torch.device) -> dict[str, Callable[[], Any]]:
    """What shows the bandwidth: bytes in the name, moved in each call."""
    n = 8192 if device.type == "cpu" else 32768
    a, x = torch.ones(n, n, device=device), torch.ones(n, device=device)
    b = torch.ones(n * n // 4, device=device)
    c = torch.empty_like(b)
    return {
        f"matrix times vector {a.nbytes}": lambda: a @ x,
        f"copy {2 * b.nbytes}": lambda: c.copy_(b),
    }


def race(
    model: GPT, contestants: dict[str, Callable[[Tensor, int], Tensor]],
    B: int, repeats: int,
) -> dict[str, Any]:  # fmt: skip
    """Tokens a second of each for B texts, ratios, shares of the limit."""
    device = model.tokens.weight.device
    rng = torch.Generator().manual_seed(1)
    ids = torch.randint(V, (B, PROMPT), generator=rng).to(device)
    agree(contestants, ids)
    runs: dict[str, Callable[[], Any]] = {
        name: partial(write, ids, NEW) for name, write in contestants.items()
    }
    limits = memory(device)
    times = rounds(runs | limits, repeats)
    seconds = medians(times)
    rate = max(int(name.split()[-1]) / seconds[name] for name in limits)
    cache = new_cache(model, B, PROMPT + NEW // 2)  # the mean length
    weights = sum(p.nbytes for p in model.parameters())
    moved = weights + sum(layer.n_bytes for layer in cache)
    return {
        "tokens/s": {k: round(B * NEW / seconds[k]) for k in runs},
        "ours / theirs": {
            k: ratio(times["transformers"], times[k])
            for k in runs
            if k != "transformers"
        },
        "GB/s": {
            name.rpartition(" ")[0]: int(name.split()[-1]) / seconds[name] / 1e9
            for name in limits
        },
        "share of the memory's limit": {
            k: moved / (seconds[k] / NEW * rate) for k in runs
        },
    }


def agree(contestants: dict[str, Any], ids: Tensor) -> None:
    """Nobody is fast by being wrong; ties of float32 may go either way."""
    told = [write(ids, 32) for write in contestants.values()]
    for other in told[1:]:
        same = (other == told[0]).float().mean()
        assert same > 0.95, f"only {same:.0%} of the tokens are the same"


def by_length(model: GPT, step: nn.Module) -> dict[str, float]:
    """Milliseconds a token at the beginning and at the end of a long text."""
    ids = torch.zeros(1, 1, dtype=torch.int64, device=pick_device())
    cache = new_cache(model, 1, 1 + LONG)
    marks = [clock()]
    for _ in generate(step, ids, LONG, cache=cache):
        marks.append(clock())
    each = [b - a for a, b in itertools.pairwise(marks)]
    early, late = (statistics.median(x) for x in (each[20:120], each[-100:]))
    return {
        "tokens 20 to 120": 1e3 * early,
        f"tokens {LONG - 100} to {LONG}": 1e3 * late,
        "late / early": late / early,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--compile", action="store_true", help="minutes more")
    args = parser.parse_args()
    ours, theirs = pair()
    steps = {"eager": ours, "lean": Lean(ours)}
    if args.compile:
        steps["compiled"] = Compiled(ours)
    contestants = {
        "transformers": partial(theirs_write, theirs),
        **{k: partial(ours_write, ours, step) for k, step in steps.items()},
    }
    result: dict[str, Any] = {
        "device": str(pick_device()),
        "threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "repeats": args.repeats,
        "parameters": ours.n_params,
    }
    for B in args.batches:
        print(f"{B} texts", file=sys.stderr)
        result[f"{B} texts"] = race(ours, contestants, B, args.repeats)
    result["length"] = {k: by_length(ours, step) for k, step in steps.items()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
