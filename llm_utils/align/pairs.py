"""Preference pairs: one prompt, an answer that won and one that lost.

Chapter 15 uses them, for a reward model and for DPO.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from torch import Tensor

from llm_utils.align.log_probs import CHUNK, response_log_probs
from llm_utils.align.sft import sft_collate
from llm_utils.align.template import ANSWERS, ChatTemplate
from llm_utils.infer.speaker import Message
from llm_utils.model.gpt import GPT
from llm_utils.train.packing import NO_TARGET

Ids = Sequence[int]


class Pair(NamedTuple):
    """ids of the prompt, and of two answers to it, each with its end."""

    prompt: Ids
    chosen: Ids
    rejected: Ids


def make_pair(
    template: ChatTemplate, messages: Sequence[Message], chosen: str,
    rejected: str,
) -> Pair:  # fmt: skip
    """Messages and two answers as text -> their ids. Chapter 15."""
    prompt = template.prompt(messages)
    answers = []
    for words in (chosen, rejected):
        said = [*messages, {"role": ANSWERS, "content": words}]
        ids = template.render(said).ids
        end = len(ids) - ids[::-1].index(template.end)
        answers.append(ids[len(prompt) : end])
    return Pair(prompt, *answers)


def pair_collate(
    pairs: Sequence[Pair], max_len: int | None = None, end: int | None = None
) -> tuple[Tensor, Tensor]:
    """B pairs -> x, y (2 B, T): first all that were chosen, then the others.

    y has targets on the answers only. max_len, end: as in `sft_collate`.
    ValueError says which pair is empty, mismatched, the same twice or cut
    short. Chapter 15.
    """
    if not pairs:
        raise ValueError("no pairs to make a batch of")
    rows = []
    for side in (1, 2):
        for i, pair in enumerate(pairs):
            ids, mask = whole(pair, side, i)
            if max_len is not None and len(ids) - 1 > max_len:
                raise ValueError(
                    f"pair {i}: {Pair._fields[side]} has {len(ids)} ids with "
                    f"its prompt, max_len={max_len} + 1 is the most"
                )
            if end is not None and ids[-1] != end:
                raise ValueError(
                    f"pair {i}: {Pair._fields[side]} is cut short: it ends "
                    f"with the id {ids[-1]}, not with end={end}"
                )
            rows.append((ids, mask))
    return sft_collate(rows)


def whole(pair: Pair, side: int, i: int) -> tuple[list[int], list[bool]]:
    """Prompt and one answer of pair number i, and where the answer is."""
    if len(pair) != 3:
        raise ValueError(
            f"pair {i} is mismatched: {len(pair)} parts, where a prompt, the "
            "chosen and the rejected answer are due"
        )
    for name, part in zip(Pair._fields, pair, strict=True):
        if not len(part):
            raise ValueError(f"pair {i}: its {name} is empty")
    if list(pair[1]) == list(pair[2]):
        raise ValueError(f"pair {i} is mismatched: both answers are the same")
    answer = pair[side]
    mask = [False] * len(pair[0]) + [True] * len(answer)
    return [*pair[0], *answer], mask


def sums(
    model: GPT, x: Tensor, y: Tensor, *, mean: bool = False, chunk: int = CHUNK
) -> Tensor:
    """x, y (2 B, T) -> (2 B,): log p of each answer, in nats.

    mean: per token of it, as IPO and SimPO want. Chapter 15.
    """
    logs = response_log_probs(model, x, y, chunk=chunk).sum(-1)
    return logs / (y != NO_TARGET).sum(-1) if mean else logs


def ranked_pairs(
    prompt: Ids, answers: Sequence[Ids], scores: Sequence[float], end: int,
    most: int, rng: random.Random,
) -> list[Pair]:  # fmt: skip
    """Pairs of answers to one prompt, the `most` whose scores differ most.

    Answers that do not end with the id `end` were cut off, and are left out.
    Chapter 15.
    """
    told = {
        tuple(ids): score
        for ids, score in zip(answers, scores, strict=True)
        if ids and ids[-1] == end
    }
    pairs = [
        Pair(prompt, *sorted(two, key=told.__getitem__, reverse=True))
        for two in combinations(told, 2)
        if told[two[0]] != told[two[1]]
    ]
    rng.shuffle(pairs)
    pairs.sort(key=lambda p: told[tuple(p.rejected)] - told[tuple(p.chosen)])
    return pairs[:most]
