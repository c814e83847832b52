"""Speculative decoding: a cheap draft guesses ahead, the model checks it all.

Chapter 11 derives it, and proves that what comes out has the distribution of
the model alone, whatever the draft. Leviathan et al. (2023); Chen et al.
(2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from llm_utils.infer.cache import crop, new_cache
from llm_utils.infer.filters import Filter, filtered, probabilities
from llm_utils.infer.sample import Model
from llm_utils.model.gpt import GPT

Scorer = Callable[[Tensor, int], Tensor]  # ids (1, T), n -> logits (n, V)


class Reader:
    """A model that reads a text on, and back again: ids (1, T), n -> (n, V).

    The logits of the last n positions. What came before them must be what it
    was in the last call, so its cache is right up to there; whatever the cache
    holds beyond is a guess that was taken back. Chapter 11.
    """

    def __init__(self, model: GPT, max_len: int, slack: int = 16) -> None:
        """slack: how far a model with windows can go back."""
        self.model = model
        self.cache = new_cache(model, 1, max_len, slack=slack)

    def __call__(self, ids: Tensor, n: int) -> Tensor:
        known = min(self.cache[0].length, ids.shape[1] - n)
        crop(self.cache, known)
        return self.model(ids[:, known:], cache=self.cache)[0, -n:]


def plain(model: Model) -> Scorer:
    """A model without a cache, such as a `Bigram`, as a scorer."""
    return lambda ids, n: model(ids)[0, -n:]


class PromptLookup:
    """Guesses that what followed these tokens before follows them again.

    ids (1, T), n -> (n, V): all on one token, or evenly on all if the last
    n_gram tokens are new. Needs no second model. Saxena (2023); chapter 11.
    """

    def __init__(self, vocab_size: int, n_gram: int = 2) -> None:
        self.vocab_size, self.n_gram = vocab_size, n_gram

    def __call__(self, ids: Tensor, n: int) -> Tensor:
        text = ids[0].tolist()
        ends = range(len(text) - n + 1, len(text) + 1)
        return torch.stack([self._next(text[:end]) for end in ends])

    def _next(self, text: list[int]) -> Tensor:
        wanted = text[-self.n_gram :]
        for end in range(len(text) - 1, self.n_gram - 1, -1):
            if text[end - self.n_gram : end] == wanted:
                logits = torch.full((self.vocab_size,), -torch.inf)
                logits[text[end]] = 0.0
                return logits
        return torch.zeros(self.vocab_size)


class Round(NamedTuple):
    """What one pass of the model came to."""

    tokens: list[int]  # what was kept of the guesses, and one of its own
    guessed: int  # how many the draft had proposed


def acceptance(rounds: Iterable[Round]) -> float:
    """The share of guesses that were kept; ValueError if there were none."""
    rounds = list(rounds)
    guessed = sum(r.guessed for r in rounds)
    if not guessed:
        raise ValueError(f"{len(rounds)} rounds without a guess: no share")
    return sum(len(r.tokens) - 1 for r in rounds) / guessed


def verify(
    p: Tensor, q: Tensor, guesses: Tensor, rng: torch.Generator | None
) -> tuple[int, int]:
    """p (k + 1, V), q (k, V), guesses (k,) drawn from q -> (kept, next id).

    Guess x is kept with probability min(1, p(x) / q(x)). The first that is not
    is replaced by a draw from max(0, p - q); after the last one comes a draw
    from p. So each token has exactly the distribution p. rng None: p and q are
    one-hot. Leviathan et al. (2023), algorithm 1; chapter 11.
    """
    k = len(guesses)
    if rng is None:
        luck = torch.full((k,), 0.5, dtype=p.dtype, device=p.device)
    else:
        luck = torch.rand(k, generator=rng, dtype=p.dtype, device=p.device)
    each = guesses[:, None]
    passed = luck * q.gather(1, each)[:, 0] < p[:k].gather(1, each)[:, 0]
    kept = int(passed.long().cumprod(0).sum())
    left = p[kept] if kept == k else (p[kept] - q[kept]).clamp(min=0)
    if not left.any():  # p and q differ by rounding only
        left = p[kept]
    if rng is None:
        return kept, int(left.argmax())
    return kept, int(torch.multinomial(left, 1, generator=rng))


@torch.no_grad()
def speculate(
    model: Scorer,
    draft: Scorer,
    ids: Tensor,
    n: int,
    k: int = 4,
    filters: Sequence[Filter] = (),
    rng: torch.Generator | None = None,
) -> Iterator[Round]:
    """ids (1, T) -> rounds whose tokens, n in all, are distributed as model's.

    In each the draft guesses up to k tokens, and one pass of the model over
    all of them decides. rng None is greedy: the tokens are those that model
    alone would give. Chapter 11.
    """
    if ids.dim() != 2 or len(ids) != 1 or not ids.shape[1] or k < 1:
        raise ValueError(
            f"ids of shape {tuple(ids.shape)} and k={k}: give one sequence "
            "(1, T) with T of 1 or more, and 1 guess or more"
        )
    while n > 0:
        guesses, qs = ids, []
        ahead = min(k, n - 1)
        for _ in range(ahead):
            q = _distribution(draft(guesses, 1), guesses, filters, rng)
            qs.append(q)
            new = q.argmax(-1) if rng is None else _one(q, rng)
            guesses = torch.cat((guesses, new.view(1, 1)), 1)
        p = _distribution(model(guesses, ahead + 1), guesses, filters, rng)
        guessed = guesses[0, ids.shape[1] :]
        q = torch.cat(qs) if qs else p[:0]
        kept, last = verify(p, q.to(p), guessed, rng)
        tokens = [*guessed[:kept].tolist(), last]
        ids = torch.cat((ids, ids.new_tensor([tokens])), 1)
        n -= len(tokens)
        yield Round(tokens, ahead)


def _one(q: Tensor, rng: torch.Generator) -> Tensor:
    return torch.multinomial(q, 1, generator=rng)


def _distribution(
    logits: Tensor,
    ids: Tensor,
    filters: Sequence[Filter],
    rng: torch.Generator | None,
) -> Tensor:
    """(n, V) of the last n positions -> probabilities; greedy is one-hot."""
    n, T = len(logits), ids.shape[1]
    if filters:
        ends = range(T - n + 1, T + 1)
        rows = zip(logits.split(1), ends, strict=True)
        done = [filtered(row, ids[:, :end], filters) for row, end in rows]
        logits = torch.cat(done)
    if rng is not None:
        return probabilities(logits)
    best = logits.argmax(-1, keepdim=True)
    return torch.zeros_like(logits).scatter(-1, best, 1.0)
