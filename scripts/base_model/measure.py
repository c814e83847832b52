"""What a model of TinyWorld is worth: nats, and the judge's verdicts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch

from llm_utils.model.gpt import GPT
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.next_token import token_log_probs
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tinyworld.lexicon import MOODS
from scripts.base_model.stories import in_batches, rows_of

# What is wrong with a sentence -> how the judge says so. The first that fits
# counts; what fits none is about who holds what, and where everybody is.
FAULTS = {
    "grammar": r"not a sentence|do not go together",
    "who": r"nobody has told us|could be no|somebody else|one person",
    "mood": r"reason to be|good enough|to mend|is (MOOD), not".replace(
        "MOOD", "|".join(MOODS)
    ),
    "color": r"the \w+ is \w+, not ",
    "weather": r"^it is |no wind",
    "plot": r"^true, but|story is over",
}


@torch.inference_mode()
def nats(model: GPT, rows: list[list[int]]) -> list[float]:
    """-log p of each row, shortest rows first (the order of `in_batches`)."""
    told: list[float] = []
    for x, y in in_batches(rows):
        logits = model(x).float()
        told += (-token_log_probs(logits, y).double().sum(-1)).tolist()
    return told


def mean(xs: Sequence[float]) -> tuple[float, float]:
    """The mean and half its 95 % interval."""
    n, middle = len(xs), math.fsum(xs) / len(xs)
    square = math.fsum((x - middle) ** 2 for x in xs) / (n - 1)
    return middle, 1.96 * math.sqrt(square / n)


def loss(
    model: GPT, tokenizer: ByteBPE, world: TinyWorld, n: int, seed: int
) -> dict[str, Any]:
    """How far above the entropy: on the same `n` new stories, both sides.

    A story's -log p under the model, less its own under the world, is an
    estimate of the KL divergence with far less noise than either.
    """
    stories = list(world.stories(n, seed))
    texts = [s.text for s in stories]
    rows = rows_of(tokenizer, texts)
    order = sorted(range(n), key=lambda i: len(rows[i]))
    own = nats(model, rows)
    least = [-stories[i].log_prob for i in order]
    gap = [a - b for a, b in zip(own, least, strict=True)]
    above, half = mean(gap)
    size = sum(len(text.encode()) for text in texts)
    floor = math.fsum(least)
    return {
        "stories": n,
        "nats_per_byte": math.fsum(own) / size,
        "nats_per_byte_95": half * n / size,
        "entropy_nats_per_byte": floor / size,
        "nats_per_story": math.fsum(own) / n,
        "entropy_nats_per_story": floor / n,
        "above_nats_per_story": above,
        "above_nats_per_story_95": half,
        "above_percent": 100 * above * n / floor,
        "above_percent_95": 100 * half * n / floor,
    }


def shares(world: TinyWorld, texts: Sequence[str]) -> dict[str, Any]:
    """The judge's shares, and what the faults are about."""
    verdicts = [world.judge(text) for text in texts]
    said = [s for v in verdicts for s in v.sentences]
    n = max(1, len(said))
    faults = Counter(kind(s.reason) for s in said if s.reason)
    return {
        "samples": len(texts),
        "sentences": len(said),
        "words": known_words(world, texts),
        "grammatical": sum(s.grammatical for s in said) / n,
        "known": sum(s.grammatical and kind(s.reason) != "who" for s in said)
        / n,
        "true": sum(s.true for s in said) / n,
        "possible": sum(s.possible for s in said) / n,
        "clean": sum(v.clean and v.complete for v in verdicts) / len(texts),
        "complete": sum(v.complete for v in verdicts) / len(texts),
        "faults": dict(faults.most_common()),
    }


def interval(world: TinyWorld, texts: Sequence[str]) -> dict[str, float]:
    """Half of the 95 % intervals of two shares; stories are the units."""
    verdicts = [world.judge(text) for text in texts]
    clean = mean([float(v.clean and v.complete) for v in verdicts])[1]
    sizes = [len(v.sentences) for v in verdicts]
    right = [sum(s.possible for s in v.sentences) for v in verdicts]
    share = sum(right) / max(1, sum(sizes))
    off = mean([r - share * n for r, n in zip(right, sizes, strict=True)])[1]
    return {"possible": off * len(texts) / max(1, sum(sizes)), "clean": clean}


def kind(reason: str) -> str:
    """What a fault is about: a name of FAULTS, or "state"."""
    names = (name for name, marks in FAULTS.items() if re.search(marks, reason))
    return next(names, "state")


def known_words(world: TinyWorld, texts: Sequence[str]) -> float:
    """The share of words that the world has, too."""
    words = re.compile(r"[A-Za-z']+")
    real = {
        word
        for story in world.stories(2000, seed=77)
        for word in words.findall(story.text)
    }
    told = [word for text in texts for word in words.findall(text)]
    return sum(word in real for word in told) / max(1, len(told))
