"""Sampling: one token drawn from the scores, then the next, and the next.

Chapter 10 derives it; `filters` change the scores, `beam` searches instead of
drawing, `stream` makes text of ids. Chapter 11 gives it a cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite

import torch
from torch import Tensor, nn

from llm_utils.infer.filters import Filter, filtered, probabilities
from llm_utils.model.attention import Cache
from llm_utils.model.gpt import GPT

Model = Callable[..., Tensor]  # ids (B, T) -> logits (B, T, V), such as GPT
Rng = torch.Generator | Sequence[torch.Generator] | None


def draw(logits: Tensor, rng: Rng = None) -> Tensor:
    """(B, V) -> (B,): an id of each row, drawn by softmax(logits).

    rng: one generator, or one for each row, so that no row's draws depend on
    its neighbors; None takes the likeliest. ValueError if a row leaves nothing
    to draw, or holds NaN or inf. Chapter 10.
    """
    top = logits.amax(-1)
    if not all(map(isfinite, top.tolist())):
        row = int((~top.isfinite()).nonzero()[0])
        why = {
            "nan": "NaN: look for it in the weights",
            "inf": "inf: too low a temperature? 0 is greedy",
            "-inf": "no token that may come: loosen a filter or a mask",
        }[str(float(top[row]))]
        raise ValueError(f"the scores of row {row} hold {why}")
    if rng is None:
        return logits.argmax(-1)
    rngs = [rng] if isinstance(rng, torch.Generator) else rng
    probs = probabilities(logits).to(rngs[0].device)
    if isinstance(rng, torch.Generator):
        return _draw(probs, rng).to(logits.device)
    if len(rng) != len(logits):
        raise ValueError(
            f"{len(rng)} generators for {len(logits)} rows: give one, or one "
            "for each row"
        )
    rows = zip(probs.split(1), rng, strict=True)
    return torch.cat([_draw(*row) for row in rows]).to(logits.device)


def _draw(probs: Tensor, rng: torch.Generator) -> Tensor:
    return torch.multinomial(probs, 1, generator=rng)[:, 0]


def pick(
    logits: Tensor, filters: Iterable[Filter], ids: Tensor, rng: Rng = None
) -> Tensor:
    """(B, V), ids (B, T) -> (B,): filter, then draw. Chapter 10."""
    return draw(filtered(logits, ids, filters), rng)


def generate(
    model: Model,
    ids: Tensor,
    n: int,
    filters: Sequence[Filter] = (),
    rng: Rng = None,
    cache: Sequence[Cache] | None = None,
    stop_ids: Iterable[int] = (),
) -> Iterator[Tensor]:
    """ids (B, T) -> up to n times (B,): the next id of each row.

    rng: see `draw`; None is greedy. A row that met one of stop_ids repeats it;
    once all have, it ends. cache: one per layer (chapter 11), which holds none
    or the first of the ids; None computes all again for each token. The model
    should be in eval mode. ValueError if it cannot take T + n - 1 tokens.
    Chapter 10.
    """
    if ids.dim() != 2 or ids.is_floating_point():
        raise ValueError(
            f"ids of shape {tuple(ids.shape)} and {ids.dtype}: give integers "
            "(B, T); ids[None] makes a batch of one prompt"
        )
    lengths = torch.full((len(ids),), ids.shape[1])
    check_prompts(model, lengths, n, cache)
    return _steps(model, ids, lengths, n, filters, rng, cache, [*stop_ids])


def generate_batch(
    model: Model,
    prompts: Sequence[Sequence[int]],
    n: int,
    filters: Sequence[Filter] = (),
    rng: Rng = None,
    cache: Sequence[Cache] | None = None,
    stop_ids: Iterable[int] = (),
) -> list[list[int]]:
    """Prompts of any lengths -> up to n new ids of each, its stop id the last.

    Equal to one by one, whatever the positions: all rows start at 0 together,
    and while a long prompt lasts its own ids are fed. With rng it takes one
    generator per row to be equal. Chapter 10; chapter 11 weighs the costs.
    """
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    check_prompts(model, lengths, n, cache)
    ids = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.int64)
    for row, prompt in zip(ids, prompts, strict=True):
        row[: len(prompt)] = torch.tensor(prompt)
    ids = ids.to(device_of(model))
    told = [list[int]() for _ in prompts]
    stop, first = {*stop_ids}, int(lengths.min())
    new = _steps(model, ids, lengths, n, filters, rng, cache, [*stop])
    for t, column in enumerate(new, first):
        rows = zip(told, column.tolist(), lengths.tolist(), strict=True)
        for row, i, T in rows:
            if T <= t < T + n and not (row and row[-1] in stop):
                row.append(i)
    return told


@torch.no_grad()
def _steps(
    model: Model,
    given: Tensor,
    lengths: Tensor,
    n: int,
    filters: Sequence[Filter],
    rng: Rng,
    cache: Sequence[Cache] | None,
    stop_ids: list[int],
) -> Iterator[Tensor]:
    """Column after column (B,), from the end of the shortest prompt on.

    A row is fed its prompt, then draws n ids, then repeats the last.
    """
    T, first, longest = lengths.tolist(), int(lengths.min()), given.shape[1]
    stop, ids, done = {*stop_ids}, given[:, :first], [False] * len(given)
    for t in range(first, longest + n):
        if all(done):
            return
        if cache is None:
            logits = model(ids)[:, -1]
        else:
            logits = model(ids[:, cache[0].length :], cache=cache)[:, -1]
        turn = [t >= own and not d for own, d in zip(T, done, strict=True)]
        if all(turn):  # most often, so it does no more than it must
            new = pick(logits, filters, ids, rng)
        else:
            fed = torch.tensor([t < own for own in T], device=ids.device)
            new = torch.where(fed, given[:, min(t, longest - 1)], ids[:, -1])
            if any(turn):
                mine = torch.tensor(turn, device=ids.device)
                scores = filtered(logits, ids, filters)
                new[mine] = draw(scores[mine], _of_rows(rng, turn))
        ids = torch.cat((ids, new[:, None]), 1)
        yield new
        met = [i in stop for i in new.tolist()] if stop else [False] * len(T)
        done = [
            d or t >= own + n - 1 or (on and end)
            for d, own, on, end in zip(done, T, turn, met, strict=True)
        ]


def _of_rows(rng: Rng, rows: Sequence[bool]) -> Rng:
    if rng is None or isinstance(rng, torch.Generator):
        return rng
    if len(rng) != len(rows):
        raise ValueError(
            f"{len(rng)} generators for {len(rows)} rows: give one, or one "
            "for each row"
        )
    return [own for own, is_on in zip(rng, rows, strict=True) if is_on]


def device_of(model: Model) -> torch.device:
    """Where the model's ids must be."""
    if isinstance(model, nn.Module):
        return next(model.parameters()).device
    return torch.device("cpu")


def check_prompts(
    model: Model, lengths: Tensor, n: int, cache: Sequence[Cache] | None
) -> None:
    """ValueError unless these prompts can go on for n ids."""
    if not len(lengths):
        raise ValueError("no prompt: give one row or more")
    if not int(lengths.min()):
        raise ValueError(
            "an empty prompt: begin with the id that begins a text, such as "
            "that of <|endoftext|>"
        )
    if n < 0:
        raise ValueError(f"n={n} new ids: give 0 or more")
    T, seen = int(lengths.max()), cache[0].length if cache else 0
    if isinstance(model, GPT) and n and T + n - 1 > model.cfg.max_len:
        raise ValueError(
            f"{T} ids and {n} new ones > max_len={model.cfg.max_len} + 1: crop "
            "the prompt to its last ids, or ask for fewer"
        )
    if seen >= int(lengths.min()):
        raise ValueError(
            f"the cache holds {seen} ids, the prompt {int(lengths.min())}: "
            "give all ids, and a cache of the first of them or a new one"
        )
