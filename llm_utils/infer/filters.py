"""Filters: what each changes in the scores before a token is drawn.

A filter takes logits (B, V) and the ids so far (B, T) and returns logits
(B, V). Filters compose: give a list, they act in its order. -inf means never.
Chapter 10 derives them; a function of your own with this form is one, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

Filter = Callable[[Tensor, Tensor], Tensor]


def temperature(t: float) -> Filter:
    """logits / t: above 1 flatter, below 1 sharper, 0 keeps the likeliest.

    t: 0 or more; at 0 the first of several equally likely tokens is kept.
    Chapter 10; Ackley et al. (1985).
    """
    if not 0 <= t < math.inf:
        raise ValueError(f"temperature {t}: give 0 (greedy) or more; 1 is none")

    def divide(logits: Tensor, ids: Tensor) -> Tensor:
        if t > 0:
            return logits / t
        best = logits.argmax(-1, keepdim=True)
        kept = torch.zeros_like(logits, dtype=torch.bool)
        return logits.masked_fill(~kept.scatter(-1, best, True), -torch.inf)

    return divide


def top_k(k: int) -> Filter:
    """Keep the k likeliest tokens, and what is as likely as the last of them.

    k: 1 or more; from V on all are kept. Chapter 10; Fan et al. (2018).
    """
    if k < 1:
        raise ValueError(f"top_k={k}: keep 1 token or more")

    def keep(logits: Tensor, ids: Tensor) -> Tensor:
        least = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
        return logits.masked_fill(logits < least, -torch.inf)

    return keep


def top_p(p: float) -> Filter:
    """Keep the fewest tokens that together have probability p, at least one.

    p in [0, 1]: 0 keeps the likeliest, 1 keeps all that can be drawn. Chapter
    10; Holtzman et al. (2020), equations 2 and 3.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"top_p={p}: a probability from 0 to 1")

    def keep(logits: Tensor, ids: Tensor) -> Tensor:
        probs, order = probabilities(logits).sort(descending=True, stable=True)
        rest = probs.flip(-1).cumsum(-1).flip(-1)  # it and all less likely
        lost = rest <= 1 - p
        lost[..., 0] = False
        return logits.masked_fill(lost.scatter(-1, order, lost), -torch.inf)

    return keep


def min_p(p: float) -> Filter:
    """Keep what is at least p times as likely as the likeliest token.

    p in [0, 1]: 0 keeps all, 1 the likeliest. Chapter 10; Nguyen et al.
    (2024), section 3.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p={p}: a share from 0 to 1 of the likeliest")
    log_p = math.log(p) if p > 0 else -math.inf

    def keep(logits: Tensor, ids: Tensor) -> Tensor:
        floor = logits.amax(-1, keepdim=True) + log_p
        return logits.masked_fill(logits < floor, -torch.inf)

    return keep


def repetition_penalty(theta: float) -> Filter:
    """Make each id that was there less likely.

    Its logit is divided by theta, or multiplied if negative. theta: above 0; 1
    changes nothing, 1.2 is usual, below 1 rewards. The prompt counts as well.
    Chapter 10; Keskar et al. (2019), section 4.1.
    """
    if not 0 < theta < math.inf:
        raise ValueError(f"repetition_penalty {theta}: above 0; 1 is none")

    def punish(logits: Tensor, ids: Tensor) -> Tensor:
        if len(ids) != len(logits):
            raise ValueError(
                f"ids {tuple(ids.shape)} do not fit logits "
                f"{tuple(logits.shape)}: they need (B, T) and (B, V)"
            )
        was = logits.gather(-1, ids)  # (B, T)
        now = torch.where(was < 0, was * theta, was / theta)
        return logits.scatter(-1, ids, now)

    return punish


def allow(mask: Tensor) -> Filter:
    """Keep the tokens where mask is True.

    mask: bool, (V,) or (B, V). What may come next often depends on what came:
    then write a filter that reads its ids. Chapter 10.
    """
    if mask.dtype != torch.bool or not mask.any(-1).all():
        raise ValueError(
            f"the mask is {mask.dtype} with {int(mask.sum())} allowed: give "
            "bool, True = may come, at least one in each row"
        )

    def keep(logits: Tensor, ids: Tensor) -> Tensor:
        if mask.shape not in (logits.shape, logits.shape[-1:]):
            raise ValueError(
                f"a mask of shape {tuple(mask.shape)} for logits "
                f"{tuple(logits.shape)}: give (V,) or (B, V)"
            )
        return logits.masked_fill(~mask.to(logits.device), -torch.inf)

    return keep


KNOBS: dict[str, Callable[[Any], Filter]] = {
    "repetition_penalty": repetition_penalty,
    "temperature": temperature,
    "top_k": top_k,
    "top_p": top_p,
    "min_p": min_p,
}


def chosen(**values: float | None) -> list[Filter]:
    """chosen(temperature=0.8, top_p=0.9) -> the filters of those names.

    None leaves one out. In the order of KNOBS, which is that of transformers.
    For what is set from outside: a command line, a page, a request. Chapter
    10.
    """
    unknown = sorted(values.keys() - KNOBS)
    if unknown:
        raise ValueError(f"no filters {unknown}: there are {list(KNOBS)}")
    return [
        make(value)
        for name, make in KNOBS.items()
        if (value := values.get(name)) is not None
    ]


def filtered(
    logits: Tensor, ids: Tensor, filters: Iterable[Filter] = ()
) -> Tensor:
    """(B, V), (B, T) -> (B, V): the filters, one after the other."""
    for change in filters:
        logits = change(logits, ids)
    return logits


def probabilities(logits: Tensor) -> Tensor:
    """(B, V) -> (B, V): rows sum to 1; float32 at least."""
    half = logits.dtype.itemsize < 4
    return (logits.float() if half else logits).softmax(-1)
