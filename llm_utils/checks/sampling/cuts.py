"""Exercises 1 to 3 of chapter 10: what a cut keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.foretold import Foretold
from llm_utils.checks.tensors import close, show, tensor

NEVER = -torch.inf


def _top_k(z: Tensor, k: int) -> Tensor:
    least = z.topk(min(k, len(z))).values[-1]
    return z.masked_fill(z < least, NEVER)


def _lowest(z: Tensor, k: int) -> Tensor:
    return -_top_k(-z, k).masked_fill(_top_k(-z, k) == NEVER, torch.inf)


def _first(z: Tensor, k: int) -> Tensor:
    return z.masked_fill(torch.arange(len(z)) >= k, NEVER)


def _one_fewer(z: Tensor, k: int) -> Tensor:
    least = z.topk(min(k, len(z))).values[-1]
    return z.masked_fill(z <= least, NEVER)


def _scores(*numbers: float) -> Tensor:
    return torch.tensor(numbers)


top_k = Exercise(
    name="top_k",
    asks="write top_k(logits, k): (V,) scores, -inf where a token is dropped",
    reference=_top_k,
    cases=[
        (_scores(1.0, 3.0, 2.0), 2),
        (_scores(1.0, 3.0, 2.0, 0.5), 1),
        (_scores(-1.0, -3.0, -2.0), 2),
        (_scores(0.5, 4.0, -2.0, 3.0, 1.0), 3),
        (_scores(2.0, 1.0), 5),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "What is dropped has the score 0. That is a score like any other, "
            "and e to the 0 is 1: never is minus infinity.",
            lambda z, k: _top_k(z, k).masked_fill(_top_k(z, k) == NEVER, 0.0),
        ),
        Mistake(
            "You keep the lowest scores. Sorting goes upward by itself: "
            "descending=True.",
            _lowest,
        ),
        Mistake(
            "You keep the first k ids. Sort by the scores: topk or argsort "
            "says which ids have the highest.",
            _first,
        ),
        Mistake(
            "One token too few is left: the k-th itself must stay, so drop "
            "what is less than its score, not what is equal to it.",
            _one_fewer,
        ),
        Mistake(
            "That are the k best scores alone. An id is a place in the row: "
            "keep all V places, with -inf in those that are dropped.",
            when=lambda args, value: value.shape != args[0].shape,
        ),
        Mistake(
            "That are probabilities. A filter takes scores and returns "
            "scores, so that another one can follow.",
            lambda z, k: _top_k(z, k).softmax(-1),
        ),
    ],
    praise="Five lines, and every model that you have talked to has them.",
)

_five = Foretold((3, 2, 3, 2, 1))

kept = _five.exercise(
    "kept",
    "numbers of tokens",
    [
        Mistake(
            "A is the easy one: top-k with k = 3 keeps three, whatever their "
            "probabilities are.",
            when=_five.wrong_at(0),
        ),
        Mistake(
            "B needs a second token: 0.5 alone is less than 0.6, and the one "
            "that crosses the line stays in.",
            when=_five.has(1, 1),
        ),
        Mistake(
            "B is not right. Add up from the likeliest until 0.6 is reached.",
            when=_five.wrong_at(1),
        ),
        Mistake(
            "C: 0.5 + 0.2 is 0.7, which is not yet 0.75. The token that "
            "crosses the line stays in.",
            when=_five.wrong_at(2),
        ),
        Mistake(
            "In D you compared with 0.35 itself. Min-p asks for a share of "
            "the likeliest: 0.35 * 0.5.",
            when=_five.has(3, 1),
        ),
        Mistake(
            "D is not right. The line is at 0.35 * 0.5 = 0.175.",
            when=_five.wrong_at(3),
        ),
        Mistake(
            "In E the temperature comes first. At 1/2 the probabilities are "
            "squared and divided by their sum: 0.25, 0.04, 0.0225, ... over "
            "0.325. How much has the first one now?",
            when=_five.wrong_at(4),
        ),
    ],
    "Counts, sums and shares: and what comes before a filter changes what it "
    "sees.",
)


def _nucleus(probs: Tensor, p: float, keep: Callable[..., Any]) -> Tensor:
    """keep(sorted probabilities, their sums, p) -> which ranks stay."""
    ranked, order = probs.sort(descending=True)
    stays = torch.zeros(len(probs), dtype=torch.bool)
    stays[order] = keep(ranked, ranked.cumsum(0), p)
    left = probs * stays
    return left / left.sum()


def _right(ranked: Tensor, sums: Tensor, p: float) -> Tensor:
    return sums - ranked < p - 1e-7


def _short(ranked: Tensor, sums: Tensor, p: float) -> Tensor:
    return sums < p + 1e-7


def _unscaled(probs: Tensor, p: float) -> Tensor:
    return probs * (_nucleus(probs, p, _right) > 0)


def _unsorted(probs: Tensor, p: float) -> Tensor:
    left = probs * (probs.cumsum(0) - probs < p - 1e-7)
    return left / left.sum()


def _floor(probs: Tensor, p: float) -> Tensor:
    left = probs * (probs >= p * probs.max())
    return left / left.sum()


nucleus = Exercise(
    name="nucleus",
    asks="write nucleus(probs, p), probabilities (V,) that sum to 1",
    reference=lambda probs, p: _nucleus(probs, p, _right),
    cases=[
        (_scores(0.6, 0.3, 0.1), 0.8),
        (_scores(0.9, 0.06, 0.04), 0.5),
        (_scores(0.1, 0.5, 0.15, 0.25), 0.7),
        (_scores(0.05, 0.7, 0.2, 0.05), 0.3),
        (_scores(0.1, 0.2, 0.3, 0.4), 0.95),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The token that crosses the line is dropped, and where the first "
            "one crosses it nothing is left: 0 / 0. Ask what stood before a "
            "token, not what stands with it.",
            lambda probs, p: _nucleus(probs, p, _short),
        ),
        Mistake(
            "What is left does not sum to 1: divide by its sum.",
            _unscaled,
        ),
        Mistake(
            "You add up in the order of the ids. Sort first, the likeliest in "
            "front, and put the result back to its ids.",
            _unsorted,
        ),
        Mistake(
            "That is min-p: a share of the likeliest. Top-p is about a sum.",
            _floor,
        ),
    ],
    praise="Never empty, never short: the fewest tokens that have p together.",
)
