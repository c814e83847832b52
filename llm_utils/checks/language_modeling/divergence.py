"""Exercise 6 of chapter 2: how far one table is from another, in nats.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show


def _each(p: Tensor, q: Tensor) -> Tensor:
    """p log p/q of each pair, with 0 log 0 = 0."""
    p, q = p.double(), q.double()
    terms = p * (p / q).log()
    return torch.where(p > 0, terms, torch.zeros_like(terms))


def _kl(often: Tensor, p: Tensor, q: Tensor) -> float:
    return float(often.double() @ _each(p, q).sum(-1))


def _reversed(often: Tensor, p: Tensor, q: Tensor) -> float:
    return _kl(often, q, p)


def _cross(often: Tensor, p: Tensor, q: Tensor) -> float:
    return float(often.double() @ -torch.special.xlogy(p, q).double().sum(-1))


def _nan(often: Tensor, p: Tensor, q: Tensor) -> float:
    p, q = p.double(), q.double()
    return float(often.double() @ (p * (p / q).log()).sum(-1))


def _unweighted(often: Tensor, p: Tensor, q: Tensor) -> float:
    logs = (p.double() / q.double()).log()
    logs = torch.where(p > 0, logs, torch.zeros_like(logs))
    return float(often.double() @ logs.sum(-1))


def _hidden(args: tuple[Any, ...], value: float) -> bool:
    return _kl(*args) == math.inf and value < math.inf


def _case(often: list[float], p: Any, q: Any) -> tuple[Tensor, ...]:
    return torch.tensor(often), torch.tensor(p), torch.tensor(q)


def _drawn(seed: int, V: int) -> tuple[Tensor, ...]:
    rng = torch.Generator().manual_seed(seed)
    often, *rows = torch.randn(2 * V + 1, V, generator=rng).softmax(-1)
    return often, torch.stack(rows[:V]), torch.stack(rows[V:])


EVEN = [[0.5, 0.5], [0.5, 0.5]]

kl = Exercise(
    name="kl",
    asks="write kl(often, p, q), a number of nats",
    reference=_kl,
    cases=[
        _case([0.5, 0.5], EVEN, EVEN),
        _case([1.0, 0.0], [[0.75, 0.25], [0.5, 0.5]], EVEN),
        _case([0.8, 0.2], [[0.75, 0.25], [0.9, 0.1]], [[0.6, 0.4], [0.2, 0.8]]),
        _drawn(1, 3),
        _case([0.5, 0.5], [[1.0, 0.0], [0.5, 0.5]], [[0.9, 0.1], [0.3, 0.7]]),
        _case([0.5, 0.5], EVEN, [[1.0, 0.0], [0.5, 0.5]]),
    ],
    form=number,
    same=lambda a, b: (
        math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-6)
        or (math.isnan(a) and math.isnan(b))
    ),
    show=lambda x: f"{x:.4g}" if isinstance(x, float) else show(x),
    mistakes=[
        Mistake(
            "You swapped the two: that is KL(q || p). The mean is taken over "
            "what really comes, so p stands in front and on top: p log p/q.",
            _reversed,
        ),
        Mistake(
            "You take the plain mean of the rows. A context that comes often "
            "counts often: weight row a by often[a].",
            lambda often, p, q: float(_each(p, q).sum(-1).mean()),
        ),
        Mistake(
            "You add the rows up without a weight. A context that comes "
            "often counts often: weight row a by often[a].",
            lambda often, p, q: float(_each(p, q).sum()),
        ),
        Mistake(
            "You take the mean within a row as well. A row sums over what "
            "can come next; only the rows are averaged, with weights.",
            lambda often, p, q: _kl(often, p, q) / len(p),
        ),
        Mistake(
            "That is the cross-entropy. The divergence is what is left "
            "without the entropy of p: it must be 0 where q equals p.",
            _cross,
        ),
        Mistake(
            "A pair with p = 0 gives NaN: 0 times the logarithm of 0. What "
            "never comes adds nothing, so leave such terms out "
            "(torch.special.xlogy does).",
            _nan,
        ),
        Mistake(
            "The sign is turned. The divergence is never negative: log p/q, "
            "not log q/p.",
            lambda often, p, q: -_kl(often, p, q),
        ),
        Mistake(
            "Your weights stand along the wrong axis: often[a] belongs to row "
            "a. Sum each row first, then weight: often @ terms.sum(-1).",
            lambda often, p, q: float((often.double() * _each(p, q)).sum()),
        ),
        Mistake(
            "The p in front is missing. A pair that comes often is charged "
            "often: p log p/q.",
            _unweighted,
        ),
        Mistake(
            "That is in bits, with the logarithm to base 2. In nats it is "
            "the natural one.",
            lambda often, p, q: _kl(often, p, q) / math.log(2),
        ),
        Mistake(
            "Where p > 0 and q = 0 the divergence is infinite, and yours is "
            "not. A small number added to q, or a row skipped, hides the "
            "worst that a model can do.",
            when=_hidden,
        ),
    ],
    praise="Cross-entropy = entropy + this. No training can push it below 0.",
)
