"""Exercise 3 of chapter 3: attention of one head, from its formula.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.model.attention import causal_mask


def _knobs(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor,
    scale: float | None = None,
    dim: int = -1,
    hidden: float = -math.inf,
) -> Tensor:
    """Attention with its parts as knobs, so that a mistake is one of them."""
    q, k, v = q.double(), k.double(), v.double()
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = (q @ k.T * scale).masked_fill(~mask, hidden)
    return scores.softmax(dim) @ v


def _scaled(scale: Callable[..., float]) -> Callable[..., Tensor]:
    """Attention with scale(q, k, v) in place of 1 / sqrt(D)."""
    return lambda q, k, v, mask: _knobs(q, k, v, mask, scale(q, k, v))


def _mask_late(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    scores = q.double() @ k.double().T / math.sqrt(q.shape[-1])
    return scores.softmax(-1).masked_fill(~mask, 0) @ v.double()


def _scaled_late(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    return _knobs(q, k, v, mask, 1.0) / math.sqrt(q.shape[-1])


def _no_softmax(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    scores = q.double() @ k.double().T / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, 0) @ v.double()


def _weights(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    return _knobs(q, k, torch.eye(len(k)), mask)


def _added(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Ones and zeros added to the scores."""
    scores = q.double() @ k.double().T / math.sqrt(q.shape[-1])
    return (scores + mask).softmax(-1) @ v.double()


def _own_mask(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """A triangle in place of the mask that was given."""
    return _knobs(q, k, v, torch.ones_like(mask).tril())


def _keys_ask(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    scores = k.double() @ q.double().T / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(-1) @ v.double()


def _not_divided(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    scores = q.double() @ k.double().T / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).exp() @ v.double()


def _all(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    return _knobs(q, k, v, torch.ones_like(mask))


def _inverted(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    return _knobs(q, k, v, ~mask)


def _case(seed: int, T: int, S: int, D: int, Dv: int) -> tuple[Any, ...]:
    """Random numbers; every query sees some keys, and none sees all."""
    rng = torch.Generator().manual_seed(seed)
    q, k, v = (
        (4 * torch.randn(n, d, generator=rng)).round() / 4
        for n, d in ((T, D), (S, D), (S, Dv))
    )
    return q, k, v, causal_mask(T, S, window=S - 1)


ONE = torch.tensor([[True, False]])

attention = Exercise(
    name="attention",
    asks="write attention(q, k, v, mask), the output of one head",
    reference=_knobs,
    cases=[
        (torch.ones(1, 1), torch.ones(2, 1), torch.tensor([[3.0], [5]]), ONE),
        _case(1, 2, 2, 2, 1),
        _case(2, 2, 3, 4, 2),
        _case(3, 5, 5, 3, 4),
        _case(4, 3, 7, 8, 2),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You scaled by d, not by its square root. The standard deviation "
            "of q . k is sqrt(d): divide by math.sqrt(q.shape[-1]).",
            _scaled(lambda q, k, v: 1 / q.shape[-1]),
        ),
        Mistake(
            "You do not scale. Divide the scores by the square root of d, "
            "the last axis of q, before the softmax.",
            lambda q, k, v, mask: _knobs(q, k, v, mask, 1.0),
        ),
        Mistake(
            "You multiply by the square root of d. Divide: the scores are "
            "too large, not too small.",
            _scaled(lambda q, k, v: math.sqrt(q.shape[-1])),
        ),
        Mistake(
            "You scale by the size of the values. Their size may be another "
            "one; what makes scores large is the length of q and k.",
            _scaled(lambda q, k, v: 1 / math.sqrt(v.shape[-1])),
        ),
        Mistake(
            "You scale by the number of keys. What makes scores large is the "
            "number of products in each, the last axis of q.",
            _scaled(lambda q, k, v: 1 / math.sqrt(len(k))),
        ),
        Mistake(
            "You scale by the number of queries, the first axis of q. What "
            "makes scores large is the number of products in each, the last.",
            _scaled(lambda q, k, v: 1 / math.sqrt(len(q))),
        ),
        Mistake(
            "You divide by the square root of d after the softmax. It has to "
            "come before: the softmax is where large scores do their harm.",
            _scaled_late,
        ),
        Mistake(
            "Your softmax runs over the queries. The weights of one query, "
            "over all keys, must sum to 1: dim=-1.",
            lambda q, k, v, mask: _knobs(q, k, v, mask, dim=0),
        ),
        Mistake(
            "You mask after the softmax, so the weights of what is left do "
            "not sum to 1. Put -inf into the scores before it.",
            _mask_late,
        ),
        Mistake(
            "You put 0 into the masked scores. e^0 is 1, so what is hidden "
            "still gets weight; -inf gets none.",
            lambda q, k, v, mask: _knobs(q, k, v, mask, hidden=0.0),
        ),
        Mistake(
            "The mask is inverted. True means: may look, so what is False "
            "gets -inf: masked_fill(~mask, -torch.inf).",
            _inverted,
        ),
        Mistake(
            "You do not use the mask: queries see keys that they may not. "
            "(masked_fill returns a new tensor, and leaves the old as it is.)",
            _all,
        ),
        Mistake(
            "You add the mask as ones and zeros. What may be seen becomes a "
            "little more likely, and nothing is hidden: masked_fill(~mask, "
            "-torch.inf).",
            _added,
        ),
        Mistake(
            "You make a causal mask of your own (is_causal does as well). "
            "Which keys a query may see is what `mask` says.",
            _own_mask,
        ),
        Mistake(
            "Your scores are k @ q.T, so that their rows are keys. A row "
            "belongs to a query: q @ k.T, of shape (T, S).",
            _keys_ask,
        ),
        Mistake(
            "You take e to the scores and do not divide: the weights of a "
            "query must sum to 1, as softmax makes them.",
            _not_divided,
        ),
        Mistake(
            "There is no softmax. Scores may be negative and sum to "
            "anything; as weights they need to be positive and sum to 1.",
            _no_softmax,
        ),
        Mistake(
            "Those are the weights. The output is weights @ v, a mean of "
            "values.",
            _weights,
        ),
    ],
    praise="Three products and a softmax: the whole of attention.",
)
