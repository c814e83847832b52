"""Exercise 6 of chapter 4: distance taken from the score.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor
from llm_utils.model.positions import alibi, alibi_slopes

# -- linear_bias(n_heads, T, S) -> (H, T, S)


def _back(T: int, S: int, first: int | None = None) -> Tensor:
    """(T, S): how far each key lies behind each query."""
    first = S - T if first is None else first
    return torch.arange(first, first + T)[:, None] - torch.arange(S)


def _bias(slopes: Tensor, back: Tensor) -> Tensor:
    bias = -slopes[:, None, None] * back
    return bias.masked_fill(back < 0, -torch.inf)


def _slopes(H: int, step: float, first: int = 1) -> Tensor:
    return 2.0 ** (-step * torch.arange(first, first + H))


def _rewarded(H: int, T: int, S: int) -> Tensor:
    bias = alibi(H, T, S)
    return torch.where(bias.isinf(), bias, -bias)


linear_bias = Exercise(
    name="linear_bias",
    asks="write linear_bias(n_heads, T, S), a tensor (H, T, S)",
    reference=alibi,
    cases=[(1, 2, 2), (2, 3, 3), (4, 1, 3), (2, 2, 4), (8, 3, 5)],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Yours rewards distance: far keys get the larger scores. The "
            "bias is -slope * distance.",
            _rewarded,
        ),
        Mistake(
            "The future is not hidden. A key behind its query, with n > m, "
            "gets -inf; yours gets a bonus.",
            lambda H, T, S: -alibi_slopes(H)[:, None, None] * _back(T, S),
        ),
        Mistake(
            "The future is not hidden. Yours treats a key three places ahead "
            "like one three places back; ahead means -inf.",
            lambda H, T, S: -alibi_slopes(H)[:, None, None] * _back(T, S).abs(),
        ),
        Mistake(
            "The future is not hidden. A bias of 0 there makes it the best "
            "place to look; it should be -inf.",
            lambda H, T, S: alibi(H, T, S).nan_to_num(neginf=0.0),
        ),
        Mistake(
            "Your first head has slope 1. The slopes are 2 ** (-8h / H) for "
            "h = 1 ... H, so the last one is 1/256, not the one after it.",
            lambda H, T, S: _bias(_slopes(H, 8 / H, 0), _back(T, S)),
        ),
        Mistake(
            "Your slopes are 2 ** -h, whatever the number of heads. They "
            "should span the same range for any H: 2 ** (-8h / H).",
            lambda H, T, S: _bias(_slopes(H, 1), _back(T, S)),
        ),
        Mistake(
            "All your heads have the same slope. Each has its own, so that "
            "some see far and some see near.",
            lambda H, T, S: _bias(alibi_slopes(H)[:1].repeat(H), _back(T, S)),
        ),
        Mistake(
            "Your queries stand at the first T positions. They are the last "
            "T of the S: query 0 stands at position S - T.",
            lambda H, T, S: _bias(alibi_slopes(H), _back(T, S, 0)),
        ),
        Mistake(
            "You hide the query's own position. It may look at itself, and "
            "pays nothing: only n > m is -inf.",
            lambda H, T, S: alibi(H, T, S).masked_fill(
                _back(T, S) == 0, -torch.inf
            ),
        ),
        Mistake(
            "Queries and keys have changed places: a row is a query, a "
            "column a key.",
            lambda H, T, S: alibi(H, T, S).mT,
        ),
        Mistake(
            "Queries and keys have changed places: a row is a query, a "
            "column a key.",
            lambda H, T, S: _bias(alibi_slopes(H), _back(T, S).T),
        ),
        Mistake(
            "You charge by the key's own position, not by its distance. "
            "Within a row the two differ by a constant, and the softmax "
            "gives the same weights; asked for is the distance.",
            lambda H, T, S: (
                alibi_slopes(H)[:, None, None] * torch.arange(S).expand(T, S)
            ).masked_fill(_back(T, S) < 0, -torch.inf),
        ),
        Mistake(
            "The future has a large negative number. That hides it as well, "
            "as long as every score is small beside it; asked for is -inf, "
            "which always does.",
            when=lambda args, value: close(
                value.masked_fill(value < -1e3, -torch.inf),
                tensor(alibi(*args)),
            ),
        ),
        Mistake(
            "A query is at distance 0 from itself, and yours is at 1. The "
            "softmax would not notice, since every score of a row loses the "
            "same, but count from 0.",
            lambda H, T, S: (
                alibi(H, T, S) - alibi_slopes(H)[:, None, None].double()
            ),
        ),
        other_shape(alibi),
    ],
    praise="Nothing was learned and nothing has a last row: it works at any "
    "length.",
)
