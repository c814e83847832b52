"""Exercise 8 of chapter 3: attention over two blocks of keys, put together.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.checks.watch import WrongForm

Part = tuple[Tensor, Tensor]  # out (T, D), lse (T,)


def _part(x: Any) -> Part:
    """Two tensors, the outputs and the logarithms of the sums."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise WrongForm(f"a {type(x).__name__}; a pair (out, lse) is asked for")
    return tensor(x[0]), tensor(x[1])


def _weighted(a: Part, b: Part, wa: Tensor, wb: Tensor) -> Tensor:
    total = wa + wb
    out = wa[:, None] * a[0].double() + wb[:, None] * b[0].double()
    return out / total[:, None]


def _merge(a: Part, b: Part) -> Part:
    la, lb = a[1].double(), b[1].double()
    lse = torch.logaddexp(la, lb)
    return _weighted(a, b, (la - lse).exp(), (lb - lse).exp()), lse


def _mean(a: Part, b: Part) -> Part:
    return (a[0].double() + b[0].double()) / 2, _merge(a, b)[1]


def _summed(a: Part, b: Part) -> Part:
    return a[0].double() + b[0].double(), _merge(a, b)[1]


def _linear(a: Part, b: Part) -> Part:
    return _weighted(a, b, a[1].double(), b[1].double()), _merge(a, b)[1]


def _swapped(a: Part, b: Part) -> Part:
    out, _ = _merge((b[0], a[1]), (a[0], b[1]))
    return out, _merge(a, b)[1]


def _max(a: Part, b: Part) -> Part:
    return _merge(a, b)[0], torch.maximum(a[1], b[1]).double()


def _added(a: Part, b: Part) -> Part:
    return _merge(a, b)[0], (a[1] + b[1]).double()


def _lowered(a: Part, b: Part) -> Part:
    out, lse = _merge(a, b)
    return out, lse - torch.maximum(a[1], b[1]).double()


def _winner(a: Part, b: Part) -> Part:
    left = (a[1] > b[1])[:, None]
    return torch.where(left, a[0], b[0]).double(), _max(a, b)[1]


def _along_numbers(a: Part, b: Part) -> Part:
    _, lse = _merge(a, b)
    return (a[1] - lse).exp() * a[0] + (b[1] - lse).exp() * b[0], lse


def _undivided(a: Part, b: Part) -> Part:
    """The sum of both, weighted by their shares of the larger one."""
    m = torch.maximum(a[1], b[1]).double()
    wa, wb = (a[1].double() - m).exp(), (b[1].double() - m).exp()
    return _weighted(a, b, wa, wb) * (wa + wb)[:, None], _merge(a, b)[1]


def _finite(x: Any) -> bool:
    return bool(torch.isfinite(x[0]).all() and torch.isfinite(x[1]).all())


def _case(a: Any, la: Any, b: Any, lb: Any) -> tuple[Part, Part]:
    return (
        (torch.tensor(a), torch.tensor(la)),
        (torch.tensor(b), torch.tensor(lb)),
    )


def _drawn(seed: int, T: int, D: int) -> tuple[Part, Part]:
    rng = torch.Generator().manual_seed(seed)

    def part() -> Part:
        out = torch.randn(T, D, generator=rng)
        return out, 2 * torch.randn(T, generator=rng)

    return part(), part()


def _show(x: Any) -> str:
    both = isinstance(x, tuple) and all(isinstance(y, Tensor) for y in x)
    return f"({', '.join(map(show, x))})" if both else show(x)


merge = Exercise(
    name="merge",
    asks="write merge(left, right), which returns (out, lse) of both blocks",
    reference=_merge,
    cases=[
        _case([[4.0]], [0.0], [[0.0]], [0.0]),
        _case([[4.0]], [math.log(3)], [[0.0]], [0.0]),
        _case([[1.0, 2.0]], [2.0], [[5.0, -2.0]], [1.0]),
        _drawn(1, 2, 2),
        _drawn(2, 5, 4),
        _case([[4.0]], [300.0], [[0.0]], [299.0]),
        _case([[4.0]], [1.5], [[0.0]], [-math.inf]),
    ],
    form=_part,
    same=lambda a, b: all(map(close, a, b)),
    show=_show,
    mistakes=[
        Mistake(
            "You take the plain mean of both outputs. A block whose keys fit "
            "the query better counts for more: by exp(lse).",
            _mean,
        ),
        Mistake(
            "You add the outputs. Each is a mean of values, so both together "
            "are a weighted mean, with weights that sum to 1.",
            _summed,
        ),
        Mistake(
            "You weight with lse itself. It is the logarithm of a sum of "
            "e to the scores: the weights are exp(lse), divided by their sum.",
            _linear,
        ),
        Mistake(
            "The weights are swapped: each output got the other one's.",
            _swapped,
        ),
        Mistake(
            "The weights are right but for their sum: divide by it, so that "
            "they sum to 1.",
            _undivided,
        ),
        Mistake(
            "exp(300) is infinite for a float, and infinity by infinity is "
            "NaN. Take the larger lse off both before exp; the shares stay "
            "the same.",
            when=lambda args, value: (
                max(part[1].max() for part in args) > 88 and not _finite(value)
            ),
        ),
        Mistake(
            "The output is right. But the lse of both is no maximum: it is "
            "the logarithm of the sum, torch.logaddexp.",
            _max,
        ),
        Mistake(
            "The output is right. But the lse lacks the maximum that you took "
            "off before exp: add it again after the logarithm.",
            _lowered,
        ),
        Mistake(
            "The block with the larger lse takes all. The other one counts "
            "too, by its share of exp(lse).",
            _winner,
        ),
        Mistake(
            "Your shares are (T,) and meet the last axis of out, the D "
            "numbers. Each belongs to a row: share[:, None].",
            _along_numbers,
        ),
        Mistake(
            "out and lse have changed places: return the pair (out, lse).",
            lambda a, b: _merge(a, b)[::-1],
        ),
        Mistake(
            "The output is right. But logarithms of sums do not add: the "
            "lse of both is torch.logaddexp of the two.",
            _added,
        ),
        Mistake(
            "A block in which nothing may be seen has lse = -inf, and e to "
            "that is 0. Yours gives NaN there: take the larger lse off "
            "first, not the smaller one or their difference.",
            when=lambda args, value: (
                args[1][1].min() == -math.inf and not _finite(value)
            ),
        ),
    ],
    praise="Blocks can be computed in any order, on any machine, and put "
    "together at the end: the idea behind FlashAttention.",
)
