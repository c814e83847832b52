"""Supervised fine-tuning: the loss of chapter 2, on the answers only.

Chapter 14 derives it. Examples come from a chat template; the loop is chapter
8's own, since a batch (x, y) with targets at the answers is all it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from llm_utils.model.gpt import GPT
from llm_utils.train.optim import Optimizer, Schedule
from llm_utils.train.packing import NO_TARGET, pad
from llm_utils.train.trainer import StepStats, TrainConfig, train

Item = TypeVar("Item")
Sample = tuple[Sequence[int], Sequence[bool]]  # ids and loss mask, (n,) both
Batch = tuple[Tensor, Tensor]


def sft_collate(
    examples: Sequence[Sample], max_len: int | None = None,
    end: int | None = None,
) -> Batch:  # fmt: skip
    """B examples -> x, y (B, T): y is NO_TARGET but for what is learned.

    T is the longest example's length less 1, and what fills up the others is
    never a target nor seen by one. max_len: places of the model. end: the id
    that each answer must end with. ValueError says which example is empty,
    mismatched or cut short, and how. Chapter 14.
    """
    if not examples:
        raise ValueError("no examples to make a batch of")
    for i, (ids, mask) in enumerate(examples):
        wrong = fault(ids, mask, max_len, end)
        if wrong:
            raise ValueError(f"example {i} {wrong}")
    x, y = pad([ids for ids, _ in examples])
    for row, (_, mask) in zip(y, examples, strict=True):
        learn = torch.tensor(mask[1:], dtype=torch.bool)
        row[: len(learn)].masked_fill_(~learn, NO_TARGET)
    return x, y


def fault(
    ids: Sequence[int], mask: Sequence[bool], max_len: int | None,
    end: int | None,
) -> str:  # fmt: skip
    """What is wrong with an example; "" if nothing is."""
    n = len(ids)
    if n != len(mask):
        return f"is mismatched: {n} ids, but {len(mask)} places in the mask"
    if not any(mask):
        return "is empty: no id of it is to be learned. Is there an answer?"
    if mask[0]:
        return "learns its first id, which nothing comes before: begin it"
    if max_len is not None and n - 1 > max_len:
        return f"has {n} ids, max_len={max_len} + 1 is the most: shorten it"
    stops = [i for i in range(n) if mask[i] and not any(mask[i + 1 : i + 2])]
    odd = [i for i in stops if end is not None and ids[i] != end]
    if odd:
        return (
            f"is cut short: an answer ends at place {odd[0]} with the id "
            f"{ids[odd[0]]}, not with end={end}"
        )
    return ""


def endless(
    items: Sequence[Item], B: int, rng: torch.Generator
) -> Iterator[list[Item]]:
    """B items at a time, without end; each epoch in an order of its own.

    What does not fill a batch at the end of an epoch waits for the next ones.
    ValueError if there are fewer than B.
    """
    if not 1 <= B <= len(items):
        raise ValueError(
            f"B={B} of {len(items)} items: 1 at least, all at most"
        )
    while True:
        order = torch.randperm(len(items), generator=rng).tolist()
        for i in range(0, len(items) - B + 1, B):
            yield [items[j] for j in order[i : i + B]]


def train_sft(
    model: GPT, examples: Sequence[Sample], B: int, opt: Optimizer,
    schedule: Schedule, cfg: TrainConfig, rng: torch.Generator,
    end: int | None = None,
) -> Iterator[StepStats]:  # fmt: skip
    """Chapter 8's loop over batches of B examples, in random order.

    All examples are looked at before the first step. Chapter 14.
    """
    sft_collate(examples, model.cfg.max_len, end)
    batches = (sft_collate(rows) for rows in endless(examples, B, rng))
    return train(model, batches, opt, schedule, cfg)
