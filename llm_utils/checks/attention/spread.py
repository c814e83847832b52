"""Exercise 6 of chapter 3: how widely a query spreads its weight.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.tensors import close, show, tensor


def _terms(w: Tensor) -> Tensor:
    return torch.special.entr(w.double())  # -w log w, and 0 at 0


def _entropy(w: Tensor) -> Tensor:
    return _terms(w).sum(-1)


def _nan(w: Tensor) -> Tensor:
    w = w.double()
    return -(w * w.log()).sum(-1)


def _again(w: Tensor) -> Tensor:
    return _entropy(w.double().softmax(-1))


entropy = Exercise(
    name="entropy",
    asks="write entropy(weights), in nats, one number for each query",
    reference=_entropy,
    cases=[
        (torch.tensor([[0.5, 0.5]]),),
        (torch.tensor([[0.25, 0.75], [0.5, 0.5]]),),
        (torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]),),
        (torch.tensor([[1.0, 0.0], [0.5, 0.5]]),),
        (torch.tensor([[[[1.0, 0, 0], [0.5, 0.5, 0], [0.2, 0.2, 0.6]]]]),),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "A weight of 0 gives NaN: 0 times the logarithm of 0. What gets "
            "no weight adds nothing; torch.special.entr knows, or take the "
            "logarithm of weights.clamp(min=1e-9).",
            _nan,
        ),
        Mistake(
            "The sign is turned. Logarithms of weights are negative, so the "
            "sum needs a minus in front.",
            lambda w: -_entropy(w),
        ),
        Mistake(
            "That is in bits, with the logarithm to base 2. In nats it is "
            "the natural one.",
            lambda w: _entropy(w) / math.log(2),
        ),
        Mistake(
            "That is in bits, with the logarithm to base 2, and a weight of 0 "
            "gives NaN. In nats the logarithm is the natural one; "
            "torch.special.entr takes care of both.",
            lambda w: _nan(w) / math.log(2),
        ),
        Mistake(
            "There is no sum yet: those are the terms. Add them up along the "
            "keys, the last axis.",
            _terms,
        ),
        Mistake(
            "The numbers are right, but an axis of size 1 is left over. The "
            "shape is that of the weights without the keys, (..., T).",
            lambda w: _entropy(w)[..., None],
        ),
        Mistake(
            "You take the mean over the keys. An entropy is a sum: the "
            "weights in it are the mean already.",
            lambda w: _terms(w).mean(-1),
        ),
        Mistake(
            "You sum over the queries. Each query has a distribution of its "
            "own, along the last axis.",
            lambda w: _terms(w).sum(-2),
        ),
        Mistake(
            "You add up all queries. Return one number for each: sum along "
            "the last axis only.",
            lambda w: _terms(w).sum(),
        ),
        Mistake(
            "You return the mean over all queries. Return one number for "
            "each; the measurement below takes the mean.",
            lambda w: _entropy(w).mean(),
        ),
        Mistake(
            "You take a softmax of the weights. They are what came out of it "
            "and sum to 1 already.",
            _again,
        ),
    ],
    praise="exp of it is how many keys a query attends to, as perplexity is "
    "a number of tokens.",
)

explanation = choice(
    "B",
    {
        "A": "A cannot be it: the number of keys is the same in every row of "
        "the table, so the softmax has equally many to share among.",
        "C": "C cannot be it: a float holds numbers of this size easily, and "
        "softmax takes the largest score off first.",
        "D": "D can be tried: random vectors are the more orthogonal the "
        "longer they are, so by angle alone all keys become alike and "
        "the entropy would rise. It is their length that wins.",
    },
    "A sum of d independent products has a standard deviation of sqrt(d); "
    "dividing by it gives every d the same softmax.",
)
