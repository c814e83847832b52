"""One small training run, always the same way: a point of a scaling law.

Chapter 9 fits a law to some twenty of them; `benchmarks/scaling.py` made the
table that is stored with the package, and anyone can make it again.
"""

from __future__ import annotations

import csv
import math
import random
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files

import torch
from torch import Tensor

from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import build
from llm_utils.text.next_token import next_token_loss, token_log_probs
from llm_utils.text.tinyworld import Story, TinyWorld
from llm_utils.train.packing import NO_TARGET, pad
from llm_utils.train.scaling import Run

UNSEEN_SEED, UNSEEN_STORIES = 1_000_000, 400
ROWS, WARMUP, PAD = 8, 0.05, NO_TARGET


class Words:
    """Stories of the mini world as rows of whole words; 0 ends a story."""

    def __init__(self, world: TinyWorld | None = None) -> None:
        self.world = world or TinyWorld("mini")
        seen = {w for s in self.world.stories(2000, 0) for w in split(s.text)}
        self.ids = {word: i for i, word in enumerate(sorted(seen), 1)}
        self.vocab_size = len(seen) + 1

    def encode(self, story: Story) -> list[int]:
        """-> 0, the words, 0: the first is given, the others are targets."""
        return [0, *(self.ids[word] for word in split(story.text)), 0]

    def rows(self, n_tokens: int, seed: int) -> Iterator[list[int]]:
        """New stories until they have n_tokens targets."""
        rng = random.Random(seed)
        while n_tokens > 0:
            row = self.encode(self.world.story(rng))
            n_tokens -= len(row) - 1
            yield row


def split(text: str) -> list[str]:
    """Words and marks: together they determine the text."""
    return re.findall(r"\w+|[^\w\s]", text)


def batches(
    rows: Sequence[Sequence[int]], rng: random.Random
) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows of like length side by side: each row once, little padding."""
    for start in range(0, len(rows), 16 * ROWS):
        block = sorted(rows[start : start + 16 * ROWS], key=len)
        order = [block[i : i + ROWS] for i in range(0, len(block), ROWS)]
        rng.shuffle(order)
        yield from map(pad, order)


def tiny_model(width: int, words: Words, seed: int) -> GPT:
    """Two Llama blocks of any width that heads of 16 divide."""
    rng, heads = torch.Generator().manual_seed(seed), width // 16 or 1
    return build(
        "tiny-llama", rng, vocab_size=words.vocab_size, n_layers=2,
        d_model=width, n_heads=heads, n_kv_heads=heads, d_head=0,
        d_ff=8 * round(width / 3),
    )  # fmt: skip


def tiny_run(width: int, n_tokens: int, words: Words, seed: int = 0) -> Run:
    """Train on n_tokens, each seen once; the loss is of unseen stories.

    AdamW, a warm-up and a cosine to zero that ends with the run: a run that
    is stopped early is no point of the law (Hoffmann et al., 2022, section 3).
    Loss in nats per word; the floor is `floor(words)`. Chapter 9.
    """
    model = tiny_model(width, words, seed)
    rows = list(words.rows(n_tokens, 7919 * seed + 1))
    opt = torch.optim.AdamW(
        model.parameters(), 0.004 * 64 / width, (0.9, 0.95),
        weight_decay=0.1, fused=True,
    )  # fmt: skip
    steps, peak = -(-len(rows) // ROWS), opt.param_groups[0]["lr"]
    for i, (x, y) in enumerate(batches(rows, random.Random(seed))):
        rise = min(1.0, (i + 1) / (WARMUP * steps))
        lr = peak * rise * 0.5 * (1 + math.cos(math.pi * i / steps))
        opt.param_groups[0]["lr"] = lr
        next_token_loss(model(x), y).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad()
    return Run(model.n_params, n_tokens, unseen_loss(model, words))


@torch.no_grad()
def unseen_loss(model: GPT, words: Words) -> float:
    """Nats per word on stories that no run has seen."""
    rows = [words.encode(story) for story in unseen_stories(words)]
    total, n = 0.0, 0
    for x, y in batches(rows, random.Random(0)):
        kept = y != PAD
        total -= float(token_log_probs(model(x), y)[kept].sum())
        n += int(kept.sum())
    return total / n


def floor(words: Words) -> float:
    """The true entropy, in nats per word, of the stories of `unseen_loss`."""
    stories = unseen_stories(words)
    n = sum(len(words.encode(story)) - 1 for story in stories)
    return -math.fsum(story.log_prob for story in stories) / n


def unseen_stories(words: Words) -> list[Story]:
    return list(words.world.stories(UNSEEN_STORIES, UNSEEN_SEED))


def stored_runs(kind: str = "fit") -> list[Run]:
    """Runs of `benchmarks/scaling.py`: "fit", or the larger "held-out"."""
    path = files("llm_utils") / "assets" / "scaling_runs.csv"
    table = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [
        Run(int(row["n_params"]), int(row["n_tokens"]), float(row["loss"]))
        for row in table
        if row["kind"] == kind
    ]
