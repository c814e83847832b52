"""Predicting the next token: targets, loss, its units, and counting pairs.

Chapter 2 derives everything here. A model is anything that turns ids (B, T)
into logits (B, T, V); chapters 3 to 6 build better ones than `Bigram`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.text.tinyworld import Story

Model = Callable[[Tensor], Tensor]  # ids (B, T) -> logits (B, T, V)


def windows(
    ids: Sequence[int] | Tensor, T: int, stride: int | None = None
) -> tuple[Tensor, Tensor]:
    """ids (n,) -> x (N, T) and y (N, T), with y[i, t] the token after x[i, t].

    Window i starts at i * stride. The default stride, T, makes every token a
    target once; stride 1 gives all windows. What does not fill a window at the
    end is left out. Both are views: no token is copied. Chapter 2.
    """
    stride = T if stride is None else stride
    if T < 1 or stride < 1:
        raise ValueError(f"T={T} and stride={stride} must be 1 or more")
    ids = torch.as_tensor(ids)
    if ids.dim() != 1:
        raise ValueError(f"ids of shape {tuple(ids.shape)}: give one sequence")
    if len(ids) < T + 1:
        raise ValueError(
            f"{len(ids)} tokens are too few: a window of T={T} and its targets "
            f"need {T + 1}"
        )
    rows = ids.unfold(0, T + 1, stride)  # (N, T + 1)
    return rows[:, :-1], rows[:, 1:]


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """(B, T, V), (B, T) -> (): mean cross-entropy in nats per token.

    Targets of -100 do not count. Equal to the mean of
    -log softmax(logits)[target]. Chapter 2.
    """
    total = sum(_losses(logits, targets, "sum"), logits.new_zeros(()))
    return total / (targets != -100).sum()


def token_log_probs(logits: Tensor, targets: Tensor) -> Tensor:
    """(B, T, V), (B, T) -> (B, T): log p(target), in nats. Chapter 2."""
    losses = torch.cat(list(_losses(logits, targets, "none")))
    return -losses.view_as(targets)


def _losses(
    logits: Tensor, targets: Tensor, reduction: str
) -> Iterator[Tensor]:
    """The loss of one slice of rows after another, half precision in float32.

    Slices that fit a processor's cache take half the time of one great table
    of log-probabilities, and none of its memory.
    """
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} do not fit targets "
            f"{tuple(targets.shape)}: they need (B, T, V) and (B, T)"
        )
    numbers = 2**19 if logits.device.type == "cpu" else 2**27  # 2 MB, 0.5 GB
    n = max(1, numbers // logits.shape[-1])
    rows, wanted = logits.flatten(0, -2).split(n), targets.flatten().split(n)
    for row, target in zip(rows, wanted, strict=True):
        row = row.float() if row.dtype.itemsize < 4 else row
        yield F.cross_entropy(row, target, reduction=reduction)


def perplexity(nats_per_token: float | Tensor) -> float:
    """exp(loss): how many equally likely tokens would be as hard. Chapter 2."""
    nats = _number(nats_per_token)
    return math.exp(nats) if nats < 709 else math.inf


def bits_per_byte(nats: float | Tensor, n_bytes: float) -> float:
    """Nats over a whole text -> bits per byte of it, whatever the tokenizer.

    nats: summed, not averaged: loss * n_tokens, or -story.log_prob, or for an
    entropy in nats per byte n_bytes=1. Chapter 2.
    """
    if not n_bytes > 0:
        raise ValueError(f"n_bytes={n_bytes}: a text has 1 byte or more")
    return _number(nats) / n_bytes / math.log(2)


def _number(x: float | Tensor) -> float:
    return float(x.detach() if isinstance(x, Tensor) else x)


class Bigram:
    """ids (B, T) -> logits (B, T, V): p(next | current), counted.

    p(b | a) = (n(ab) + alpha) / (n(a) + alpha * V): additive smoothing, so
    that what was never seen is improbable and not impossible. Derived in
    chapter 2; Jurafsky and Martin (2025), section 3.5.
    """

    def __init__(self, vocab_size: int, alpha: float = 1.0) -> None:
        if vocab_size < 1:
            raise ValueError(f"vocab_size={vocab_size} must be 1 or more")
        if not alpha > 0:
            raise ValueError(
                f"alpha={alpha} must be positive: without smoothing, pairs "
                "that were never seen have probability 0 and infinite loss"
            )
        self.alpha = alpha
        self.counts = torch.zeros(vocab_size, vocab_size, dtype=torch.int64)

    def fit(self, ids: Sequence[int] | Tensor) -> Bigram:
        """Add the pairs of a sequence to the counts; returns the model."""
        ids = torch.as_tensor(ids, dtype=torch.int64)
        V = len(self.counts)
        if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < V:
            raise ValueError(
                f"ids run from {int(ids.min())} to {int(ids.max())}, but "
                f"vocab_size={V}: wrong tokenizer?"
            )
        pairs = ids[:-1] * V + ids[1:]
        self.counts += torch.bincount(pairs, minlength=V * V).view(V, V)
        return self

    @property
    def log_probs(self) -> Tensor:
        """(V, V): row a holds log p(next | a), float64, and sums to 1."""
        smooth = self.counts + torch.tensor(self.alpha, dtype=torch.float64)
        return smooth.log() - smooth.sum(-1, keepdim=True).log()

    def __call__(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, V): each token's row, float32."""
        return self.log_probs.float()[ids]

    def sample(self, start: int, n: int, rng: torch.Generator) -> list[int]:
        """`start` and n tokens after it, each drawn given the one before."""
        probs = self.log_probs.exp()
        ids = [start]
        for _ in range(n):
            draw = torch.multinomial(probs[ids[-1]], 1, generator=rng)
            ids.append(int(draw))
        return ids


@dataclass(frozen=True)
class Gap:
    """How far a model is from the world, in nats per byte of story.

    loss = floor + kl on the same stories; the interval is a 95 % one.
    """

    loss: float
    floor: float
    kl: float
    kl_ci: tuple[float, float]
    n: int


@torch.no_grad()
def gap(
    model: Model, stories: Iterable[Story], encode: Callable[[str], list[int]]
) -> Gap:
    """The distance of a model from TinyWorld, over stories it has not seen.

    encode(text) gives the ids to score: the first is given, the rest counts,
    so begin and end with what separates stories in training. The mean of
    log p_world - log p_model estimates the Kullback-Leibler divergence (of
    texts: a token sequence is at most as likely as its text). Chapter 2.
    """
    rows = []
    for story in stories:
        ids = torch.tensor([encode(story.text)])
        logits = model(ids[:, :-1])
        nats = -float(token_log_probs(logits, ids[:, 1:]).double().sum())
        rows.append((nats, -story.log_prob, len(story.text.encode("utf-8"))))
    n = len(rows)
    if n < 2:
        raise ValueError(f"{n} stories: an interval needs 2 or more")
    loss, floor, size = torch.tensor(rows, dtype=torch.float64).T
    kl = (loss - floor).sum() / size.sum()
    off = (loss - floor - kl * size).std() / size.mean()  # delta method
    half = 1.96 * float(off) / math.sqrt(n)
    return Gap(
        float(loss.sum() / size.sum()),
        float(floor.sum() / size.sum()),
        float(kl),
        (float(kl) - half, float(kl) + half),
        n,
    )
