"""Rollouts: answers to learn from, with the probabilities they were drawn by.

Chapter 16 uses them. Sampling is chapter 10's with chapter 11's cache; a prompt
is read once for all of its answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_utils.infer.cache import KVCache, RollingCache, new_cache
from llm_utils.infer.filters import temperature as soften
from llm_utils.infer.sample import device_of, generate
from llm_utils.model.gpt import GPT
from llm_utils.train.packing import NO_TARGET, pad

Ids = Sequence[int]
Caches = list[KVCache | RollingCache]


@dataclass(frozen=True)
class Rollout:
    """B = P * G answers; row p * G + g is answer g to prompt p.

    x, y (B, T): ids and targets, y NO_TARGET but at the answers. log_probs
    (B, T): log p of each target when it was drawn, in nats, 0 elsewhere.
    responses: the new ids of each row, its stop id the last.
    """

    x: Tensor
    y: Tensor
    log_probs: Tensor
    responses: list[list[int]]
    ended: list[bool]  # by a stop id, rather than by running out of room

    @property
    def mask(self) -> Tensor:
        """(B, T), bool: where the tokens of answers are."""
        return self.y != NO_TARGET

    def to(self, device: torch.device) -> Rollout:
        """The same on another device."""
        x, y, logs = (t.to(device) for t in (self.x, self.y, self.log_probs))
        return Rollout(x, y, logs, self.responses, self.ended)


@torch.no_grad()
def rollout(
    model: GPT, prompts: Sequence[Ids], G: int, n: int, rng: torch.Generator,
    temperature: float = 1.0, stop_ids: Sequence[int] = (),
) -> Rollout:  # fmt: skip
    """P prompts -> G answers to each, of n ids at most.

    Prompts of one length are answered together. log_probs are those of the
    softened scores, logits / temperature, from which the ids were drawn.
    ValueError for a prompt that is empty or leaves no room. Chapter 16.
    """
    if G < 1 or n < 1 or not temperature > 0:
        raise ValueError(
            f"G={G}, n={n}, temperature={temperature}: all must be positive"
        )
    check_room(model, prompts, n)
    was_training = model.training
    model.eval()
    rows: dict[int, list[tuple[list[int], list[float]]]] = {}
    for group in alike(prompts):
        ids = torch.tensor([list(prompts[p]) for p in group])
        drawn = answer(
            model, ids.to(device_of(model)), G, n, rng, temperature, stop_ids
        )
        for k, p in enumerate(group):
            rows[p] = drawn[k * G : (k + 1) * G]
    model.train(was_training)
    return assemble(prompts, [rows[p] for p in range(len(prompts))], stop_ids)


def answer(
    model: GPT, ids: Tensor, G: int, n: int, rng: torch.Generator,
    temperature: float, stop_ids: Sequence[int],
) -> list[tuple[list[int], list[float]]]:  # fmt: skip
    """ids (p, T) -> for each of p * G rows its new ids and their log p."""
    given = ids.repeat_interleave(G, 0)
    cache = read_once(model, ids, G, n)
    last: list[Tensor] = []

    def look(logits: Tensor, past: Tensor) -> Tensor:
        last[:] = [logits.log_softmax(-1)]
        return logits

    told: list[tuple[list[int], list[float]]] = [([], []) for _ in given]
    on, stop = list(range(len(given))), set(stop_ids)
    filters = [soften(temperature), look]
    steps = generate(model, given, n, filters, rng, cache, stop_ids)
    for column in steps:
        logs = last[0].gather(1, column[:, None])[:, 0].tolist()
        for row in on:
            told[row][0].append(int(column[row]))
            told[row][1].append(logs[row])
        on = [row for row in on if told[row][0][-1] not in stop]
    return told


def read_once(model: GPT, ids: Tensor, G: int, n: int) -> Caches:
    """ids (p, T) -> caches for p * G rows that hold all but the last ids."""
    p, T = ids.shape
    small = new_cache(model, p, T + n - 1)
    if T > 1:
        model(ids[:, :-1], cache=small)
    large = new_cache(model, p * G, T + n - 1)
    for one, many in zip(small, large, strict=True):
        many.kv.copy_(one.kv.repeat_interleave(G, 1))
        many.length = one.length
        if isinstance(one, RollingCache) and isinstance(many, RollingCache):
            many.furthest = one.furthest
    return large


def alike(prompts: Sequence[Ids]) -> Iterator[list[int]]:
    """Numbers of prompts, those of one length together."""
    found: dict[int, list[int]] = {}
    for p, prompt in enumerate(prompts):
        found.setdefault(len(prompt), []).append(p)
    yield from found.values()


def assemble(
    prompts: Sequence[Ids],
    rows: Sequence[Sequence[tuple[list[int], list[float]]]],
    stop_ids: Sequence[int],
) -> Rollout:
    """What was drawn, as tensors."""
    pairs = [
        (list(prompt), *row)
        for prompt, own in zip(prompts, rows, strict=True)
        for row in own
    ]
    x, y = pad([[*prompt, *ids] for prompt, ids, _ in pairs])
    log_probs = torch.zeros(x.shape)
    for r, (prompt, ids, logs) in enumerate(pairs):
        first = len(prompt) - 1
        y[r, :first] = NO_TARGET
        log_probs[r, first : first + len(ids)] = torch.tensor(logs)
    stop = set(stop_ids)
    ended = [ids[-1] in stop for _, ids, _ in pairs]
    return Rollout(x, y, log_probs, [ids for _, ids, _ in pairs], ended)


def check_room(model: GPT, prompts: Sequence[Ids], n: int) -> None:
    """ValueError unless each prompt can be answered with n ids."""
    if not prompts:
        raise ValueError("no prompts to answer")
    for p, prompt in enumerate(prompts):
        if not len(prompt):
            raise ValueError(f"prompt {p} is empty: begin it with a token")
        if len(prompt) + n - 1 > model.cfg.max_len:
            raise ValueError(
                f"prompt {p} of {len(prompt)} ids and {n} new ones are more "
                f"than max_len={model.cfg.max_len} + 1: shorten one of them"
            )
