"""How quickly does a small model learn TinyWorld?

A throw-away trainer, one file: byte-level BPE, a decoder with rotary
positions, RMSNorm and ReLU^2, Muon for matrices and AdamW for embeddings.
It prints one JSON object: time, tokens, loss against the true entropy, and
what the judge says of stories sampled at temperature 1.

    python benchmarks/learnability.py --level mini --seconds 120 --seed 0

On a machine with nothing else to do, OMP_WAIT_POLICY=ACTIVE is a fifth
faster; on a busy one it is many times slower, so it is not the default.
"""

import argparse
import json
import math
import os
import random
import re
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
import torch.nn.functional as F
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    trainers,
)
from torch import Tensor, nn

from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tinyworld.lexicon import AT, MOODS

END = "<|endoftext|>"


# -- data ------------------------------------------------------------------


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END],
        show_progress=False,
        initial_alphabet=["\u0120", *sorted(set("".join(texts)) - {" "})],
    )
    tok.train_from_iterator(texts, trainer)
    return tok


def encode(tok: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [[0, *e.ids, 0] for e in tok.encode_batch(texts)]


def batches(rows: list[list[int]], tokens: int, rng: random.Random):
    """Stories of like length side by side: x, y (B, T); y = -1 is padding."""
    while True:
        order = sorted(range(len(rows)), key=lambda i: rng.random())
        for k in range(0, len(order), 2048):
            block = sorted(order[k : k + 2048], key=lambda i: len(rows[i]))
            groups, group = [], []
            for i in block:
                group.append(i)
                if len(group) * len(rows[i]) >= tokens:
                    groups.append(group)
                    group = []
            groups.sort(key=lambda g: rng.random())
            for g in groups:
                yield pad([rows[i] for i in g])


def pad(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    T = max(map(len, rows)) - 1
    x = torch.zeros(len(rows), T, dtype=torch.long)
    y = torch.full((len(rows), T), -1)
    for i, r in enumerate(rows):
        x[i, : len(r) - 1] = torch.tensor(r[:-1])
        y[i, : len(r) - 1] = torch.tensor(r[1:])
    return x, y


# -- model -----------------------------------------------------------------


def norm(x: Tensor) -> Tensor:
    return F.rms_norm(x, x.shape[-1:])


def rotary(T: int, D: int, base: float) -> tuple[Tensor, Tensor]:
    freq = base ** (-torch.arange(0, D, 2) / D)
    angle = torch.outer(torch.arange(T), freq)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)


class Block(nn.Module):
    def __init__(self, C: int, H: int, ff: int, shift: bool) -> None:
        super().__init__()
        self.H = H
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.out = nn.Linear(C, C, bias=False)
        self.up = nn.Linear(C, ff * C, bias=False)
        self.down = nn.Linear(ff * C, C, bias=False)
        self.shift = nn.Parameter(torch.zeros(C)) if shift else None
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x, cos, sin, cache=None):
        B, T, C = x.shape
        h = norm(x)
        if self.shift is not None:  # a little of the word before
            last = cache["h"] if cache else torch.zeros_like(h[:, :1])
            if cache is not None:
                cache["h"] = h[:, -1:]
            h = h + self.shift.to(h.dtype) * torch.cat((last, h[:, :-1]), 1)
        q, k, v = (
            z.view(B, T, self.H, -1).transpose(1, 2)
            for z in self.qkv(h).chunk(3, -1)
        )
        q, k = rotate(norm(q), cos, sin), rotate(norm(k), cos, sin)
        if cache is not None:
            if "k" in cache:
                k = torch.cat((cache["k"], k), 2)
                v = torch.cat((cache["v"], v), 2)
            cache["k"], cache["v"] = k, v
        scale = 0.12 * (128 / 8) ** 0.5 / 1.0
        y = F.scaled_dot_product_attention(
            q, k, v, is_causal=cache is None, scale=scale
        )
        x = x + self.out(y.transpose(1, 2).reshape(B, T, C))
        return x + self.down(F.relu(self.up(norm(x))).square())


class Model(nn.Module):
    def __init__(self, V, L, C, H, ff, base, shift) -> None:
        super().__init__()
        self.embed = nn.Embedding(V, C)
        self.blocks = nn.ModuleList(Block(C, H, ff, shift) for _ in range(L))
        self.head = nn.Linear(C, V, bias=False)
        nn.init.normal_(self.embed.weight, std=1.0)
        nn.init.zeros_(self.head.weight)
        cos, sin = rotary(1024, C // H, base)
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)

    def forward(self, ids, start=0, caches=None):
        x = norm(self.embed(ids))
        end = start + ids.shape[1]
        cos, sin = self.cos[start:end], self.sin[start:end]
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, caches[i] if caches else None)
        return 15 * torch.tanh(self.head(norm(x)).float() / 15)


# -- optimizer -------------------------------------------------------------


class Muon(torch.optim.Optimizer):
    """Momentum, then Newton-Schulz to the nearest orthogonal matrix."""

    def __init__(self, params, lr, momentum=0.95, decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, decay=decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes: dict = {}
            for p in group["params"]:
                buf = self.state[p].setdefault("m", torch.zeros_like(p))
                buf.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(buf, group["momentum"])
                shapes.setdefault(p.shape, []).append((p, g))
            for (rows, cols), pairs in shapes.items():
                x = orthogonal(torch.stack([g for _, g in pairs]))
                scale = group["lr"] * max(1, rows / cols) ** 0.5
                for (p, _), u in zip(pairs, x, strict=True):
                    p.mul_(1 - group["lr"] * group["decay"])
                    p.add_(u, alpha=-scale)


def orthogonal(g: Tensor) -> Tensor:
    """(N, R, C) -> (N, R, C): five Newton-Schulz steps."""
    tall = g.shape[-2] > g.shape[-1]
    x = g.mT if tall else g
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


# -- training and judging --------------------------------------------------


def loss_sum(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    logits = model(x).flatten(0, 1)
    return F.cross_entropy(
        logits, y.flatten(), ignore_index=-1, reduction="sum"
    )


def schedule(part: float, cool: float) -> float:
    """Warm up over 2 %, hold, and fall linearly over the last `cool`."""
    return min(1.0, part / 0.02 + 0.05, max(0.0, (1 - part) / cool) + 0.01)


@torch.no_grad()
def sample(model, tok, n: int, rng: torch.Generator, most: int) -> list[str]:
    ids = torch.zeros(n, 1, dtype=torch.long)
    caches = [{} for _ in model.blocks]
    alive = torch.ones(n, dtype=torch.bool)
    for t in range(most):
        logits = model(ids[:, -1:], t, caches)[:, -1]
        pick = torch.multinomial(logits.softmax(-1), 1, generator=rng)
        ids = torch.cat((ids, pick), 1)
        alive &= pick[:, 0] != 0
        if not alive.any():
            break
    texts = []
    for row in ids[:, 1:].tolist():
        texts.append(tok.decode(row[: row.index(0)] if 0 in row else row))
    return texts


def mask(world: TinyWorld, reason: str) -> str:
    """A reason without its names, so that like reasons count together."""
    level = world.level
    if "a story would go on with" in reason:
        return "true, but not what comes next"
    for mark, words in (
        ("PERSON", (*level.people, *level.pets)),
        ("PLACE", tuple(AT[p] for p in level.places)),
        ("THING", level.things),
        ("MOOD", MOODS),
        ("COLOR", level.colors),
    ):
        reason = re.sub(r"\b(" + "|".join(words) + r")\b", mark, reason)
    return reason


def report(world: TinyWorld, texts: list[str]) -> dict:
    verdicts = [world.judge(t) for t in texts]
    said = [s for v in verdicts for s in v.sentences]
    n = max(1, len(said))
    whys: dict[str, int] = {}
    for x in said:
        if x.reason:
            why = mask(world, x.reason)
            whys[why] = whys.get(why, 0) + 1
    worst = sorted(whys.items(), key=lambda item: -item[1])[:12]
    return {
        "stories": len(texts),
        "sentences": len(said),
        "grammatical": sum(s.grammatical for s in said) / n,
        "true": sum(s.true for s in said) / n,
        "possible": sum(s.possible for s in said) / n,
        "clean": sum(v.clean and v.complete for v in verdicts) / len(texts),
        "complete": sum(v.complete for v in verdicts) / len(texts),
        "faults": dict(worst),
    }


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--level", default="mini")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--seconds", type=float, default=120.0)
    ap.add_argument("--tokens", type=int, default=0, help="stop by tokens")
    ap.add_argument("--vocab", type=int, default=512)
    ap.add_argument("--layers", type=int, default=4)
    ap.add_argument("--width", type=int, default=128)
    ap.add_argument("--heads", type=int, default=4)
    ap.add_argument("--ff", type=int, default=4)
    ap.add_argument("--base", type=float, default=1000.0)
    ap.add_argument("--shift", type=int, default=1)
    ap.add_argument("--batch", type=int, default=2048, help="tokens a step")
    ap.add_argument("--lr", type=float, default=0.01)
    ap.add_argument("--lr-embed", type=float, default=0.1)
    ap.add_argument("--lr-head", type=float, default=0.03)
    ap.add_argument("--cool", type=float, default=0.5)
    ap.add_argument("--bf16", type=int, default=1)
    ap.add_argument("--stories", type=int, default=400)
    ap.add_argument("--every", type=int, default=0, help="print every N")
    ap.add_argument("--show", type=int, default=0)
    args = ap.parse_args()
    threads = int(os.environ.get("OMP_NUM_THREADS", "2"))
    torch.set_num_threads(threads)

    start, cpu = time.perf_counter(), time.process_time()
    world = TinyWorld(args.level)
    rng = random.Random(args.seed)
    need = args.tokens or int(args.seconds * 20_000)
    texts = [world.story(rng).text for _ in range(2000)]
    tok = train_tokenizer(texts, args.vocab)
    rows = encode(tok, texts)
    per = sum(map(len, rows)) / len(rows)
    more = max(0, int(need / per) - 2000)
    rows += encode(tok, [world.story(rng).text for _ in range(more)])
    prepared = time.perf_counter() - start

    torch.manual_seed(args.seed)
    model = Model(
        tok.get_vocab_size(), args.layers, args.width, args.heads,
        args.ff, args.base, bool(args.shift),
    )  # fmt: skip
    muon = Muon(
        [p for p in model.blocks.parameters() if p.ndim == 2], lr=args.lr
    )
    adam = torch.optim.AdamW(
        [
            {"params": [model.embed.weight], "lr": args.lr_embed},
            {"params": [model.head.weight], "lr": args.lr_head},
            {"params": [p for p in model.blocks.parameters() if p.ndim == 1],
             "lr": 0.01},
        ],
        betas=(0.9, 0.95), weight_decay=0.0, fused=True,
    )  # fmt: skip
    groups = [*muon.param_groups, *adam.param_groups]
    rates = [g["lr"] for g in groups]
    seen = steps = 0
    recent = 0.0
    stream = batches(rows, args.batch, rng)
    while True:
        now = time.perf_counter() - start
        part = seen / args.tokens if args.tokens else now / args.seconds
        if part >= 1:
            break
        x, y = next(stream)
        for g, lr in zip(groups, rates, strict=True):
            g["lr"] = lr * schedule(part, args.cool)
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(args.bf16)):
            total = loss_sum(model, x, y)
        n = int((y >= 0).sum())
        (total / n).backward()
        muon.step()
        adam.step()
        model.zero_grad(set_to_none=True)
        recent = 0.98 * recent + 0.02 * total.item() / n if steps else (
            total.item() / n)
        seen += n
        steps += 1
        if args.every and steps % args.every == 0:
            print(f"{steps} {seen} {now:.0f} s {recent:.4f}", flush=True)
    seconds = time.perf_counter() - start
    cpu = time.process_time() - cpu

    model.eval()
    held = random.Random(10_000 + args.seed)
    stories = [world.story(held) for _ in range(1500)]
    nats, rows = 0.0, encode(tok, [s.text for s in stories])
    with torch.no_grad():
        for k in range(0, len(rows), 50):
            nats += loss_sum(model, *pad(rows[k : k + 50])).item()
    size = sum(len(s.text) for s in stories)
    # the same stories' own -log p: the difference is a low-noise KL
    floor = -math.fsum(s.log_prob for s in stories)
    gen = torch.Generator().manual_seed(args.seed)
    told = []
    for _ in range(0, args.stories, 100):
        told += sample(model, tok, 100, gen, 1000)
    out = {
        "level": args.level, "seed": args.seed, "threads": threads,
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(seconds, 1), "prepared": round(prepared, 1),
        "cpu_seconds": round(cpu, 1), "tokens": seen, "steps": steps,
        "tokens_per_story": round(per, 1),
        "loss_nats_per_byte": round(nats / size, 5),
        "entropy_nats_per_byte": round(floor / size, 5),
        "entropy_nats_per_story": round(floor / len(stories), 2),
        "above_entropy_percent": round(100 * (nats / floor - 1), 2),
        **{k: round(v, 4) if isinstance(v, float) else v
           for k, v in report(world, told).items()},
    }  # fmt: skip
    print(json.dumps(out))
    for text in told[: args.show]:
        print("-", text)


if __name__ == "__main__":
    main()
