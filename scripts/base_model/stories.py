"""Whole stories as batches, each story new: the world never runs out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice

from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.batches import Batch
from llm_utils.train.packing import pad
from scripts.base_model.recipe import END


def rows_of(tokenizer: ByteBPE, texts: Sequence[str]) -> list[list[int]]:
    """Each text between two end tokens: the first opens, the last closes."""
    end = tokenizer.special_tokens[END]
    return [[end, *tokenizer.encode(text), end] for text in texts]


def story_batches(
    world: TinyWorld, tokenizer: ByteBPE, tokens: int, seed: int
) -> Iterator[Batch]:
    """Batches of about this many tokens, without end, no story twice.

    Stories of like length stand side by side, so that little is padding; the
    batches of each 2,048 stories come in any order.
    """
    rng = random.Random(seed)
    while True:
        texts = [world.story(rng).text for _ in range(2048)]
        groups, group = [], list[list[int]]()
        for row in sorted(rows_of(tokenizer, texts), key=len):
            group.append(row)
            if len(group) * len(row) >= tokens:
                groups.append(group)
                group = []
        rng.shuffle(groups)
        yield from map(pad, groups)


def in_batches(rows: list[list[int]], B: int = 50) -> Iterator[Batch]:
    """Every row once, like lengths together: for measuring."""
    left = iter(sorted(rows, key=len))
    while part := list(islice(left, B)):
        yield pad(part)
