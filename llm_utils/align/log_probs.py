"""How likely an answer is, token by token, in memory that stays small.

Chapter 14 derives it; DPO and reinforcement learning stand on it. Scores over
the vocabulary are by far the largest thing in a pass (B x T x V), and all that
is wanted of them is one number a token: they are made in chunks, only where
there is a target, and made again in the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from llm_utils.model.gpt import GPT
from llm_utils.train.packing import NO_TARGET

# rows of scores (n, V) and their targets (n,) -> a number a row (n,)
PerToken = Callable[[Tensor, Tensor], Tensor]
CHUNK = 512


def response_log_probs(
    model: GPT, x: Tensor, y: Tensor, *, temperature: float = 1.0,
    chunk: int = CHUNK,
) -> Tensor:  # fmt: skip
    """x, y (B, T) -> (B, T): log p(y), in nats; 0 where y has no target.

    temperature: of the sampling whose probabilities are wanted. chunk: tokens
    scored at a time, which bounds the memory and changes nothing else.
    Chapter 14.
    """

    def log_prob(logits: Tensor, y: Tensor) -> Tensor:
        return -F.cross_entropy(logits / temperature, y, reduction="none")

    return by_chunk(model, x, y, log_prob, chunk)


def response_entropy(
    model: GPT, x: Tensor, y: Tensor, *, temperature: float = 1.0,
    chunk: int = CHUNK,
) -> Tensor:  # fmt: skip
    """x, y (B, T) -> (B, T): the entropy of each draw, in nats.

    0 where y has no target. Chapter 14.
    """

    def spread(logits: Tensor, y: Tensor) -> Tensor:
        logs = (logits / temperature).log_softmax(-1)
        return -(logs.exp() * logs).sum(-1)

    return by_chunk(model, x, y, spread, chunk)


def response_kl(
    model: GPT, reference: GPT, x: Tensor, y: Tensor, *, chunk: int = CHUNK
) -> Tensor:
    """x, y (B, T) -> (B, T): KL(model || reference) of each draw, in nats.

    Exact, over the whole vocabulary. Summed over answers that the model has
    drawn, its mean is the divergence of its answers from the reference's.
    Chapter 15.
    """
    check(x, y)
    places = y != NO_TARGET
    ours, theirs = model.stream(x)[places], reference.stream(x)[places]
    table = (model.head or model.tokens).weight
    other = (reference.head or reference.tokens).weight

    def kl(ours: Tensor, theirs: Tensor) -> Tensor:
        p = scores(ours, table).log_softmax(-1)
        q = scores(theirs, other).log_softmax(-1)
        return (p.exp() * (p - q)).sum(-1)

    pairs = zip(ours.split(chunk), theirs.split(chunk), strict=True)
    return put([again(kl, *pair) for pair in pairs], places)


def by_chunk(
    model: GPT, x: Tensor, y: Tensor, f: PerToken, chunk: int = CHUNK
) -> Tensor:
    """f of the scores at each target, (B, T), never more than (chunk, V).

    ValueError if x and y do not fit.
    """
    check(x, y)
    if chunk < 1:
        raise ValueError(f"chunk={chunk}: score 1 token or more at a time")
    places = y != NO_TARGET
    rows = model.stream(x)[places]  # (n, C)
    table = (model.head or model.tokens).weight

    def scored(rows: Tensor, targets: Tensor) -> Tensor:
        return f(scores(rows, table), targets)

    pairs = zip(rows.split(chunk), y[places].split(chunk), strict=True)
    return put([again(scored, *pair) for pair in pairs], places)


def scores(rows: Tensor, table: Tensor) -> Tensor:
    """(n, C), (V, C) -> (n, V), half precision in float32."""
    logits = F.linear(rows, table)
    return logits.float() if logits.dtype.itemsize < 4 else logits


def again(f: Callable[..., Tensor], *xs: Tensor) -> Tensor:
    """f(*xs), whose insides the backward pass computes again."""
    if not torch.is_grad_enabled():
        return f(*xs)
    result = checkpoint(f, *xs, use_reentrant=False)
    assert isinstance(result, Tensor)
    return result


def put(parts: list[Tensor], places: Tensor) -> Tensor:
    """Numbers (n,) in parts -> (B, T), 0 elsewhere."""
    flat = torch.cat(parts)
    return flat.new_zeros(places.shape).masked_scatter(places, flat)


def check(x: Tensor, y: Tensor) -> None:
    """ValueError unless they are ids and targets of the same batch."""
    if x.shape != y.shape or x.dim() != 2:
        raise ValueError(
            f"ids {tuple(x.shape)} and targets {tuple(y.shape)}: give (B, T) "
            "twice"
        )
    if not (y != NO_TARGET).any():
        raise ValueError(f"no target: all of y is {NO_TARGET}")
