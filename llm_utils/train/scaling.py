"""A scaling law: what loss to expect of N parameters and D tokens.

Chapter 9 fits one to small runs, asks how sure it is, and splits a budget of
work between parameters and tokens by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Run(NamedTuple):
    """What a training run cost and came to. loss: nats per token."""

    n_params: float
    n_tokens: float
    loss: float


@dataclass(frozen=True)
class ScalingLaw:
    """loss(N, D) = E + A / N**a + B / D**b, in nats per token.

    E is what no model can go below, the entropy. Derived in chapter 9;
    Hoffmann et al. (2022), equation 2.
    """

    E: float
    A: float
    a: float
    B: float
    b: float

    def loss(self, n_params: float, n_tokens: float) -> float:
        """The loss to expect, in nats per token."""
        model, data = self.A / n_params**self.a, self.B / n_tokens**self.b
        return self.E + model + data

    def split(self, flops: float) -> tuple[float, float]:
        """-> (N, D) of the lowest loss with 6 N D = flops.

        Where a percent more of either lowers the loss by the same: Hoffmann
        et al. (2022), equation 4.
        """
        if not flops > 0:
            raise ValueError(f"flops={flops}: a budget is positive")
        ratio = self.a * self.A / (self.b * self.B)
        N = (ratio * (flops / 6) ** self.b) ** (1 / (self.a + self.b))
        return N, flops / (6 * N)


CHINCHILLA = ScalingLaw(1.69, 406.4, 0.34, 410.7, 0.28)
"""As printed: Hoffmann et al. (2022), section D.3, in nats per token."""
CHINCHILLA_AGAIN = ScalingLaw(1.8172, 482.01, 0.3478, 2085.43, 0.3658)
"""The same runs, fitted again: Besiroglu et al. (2024), table 1."""


def fit_scaling_law(
    runs: Sequence[Run], entropy: float | None = None, delta: float = 1e-3
) -> ScalingLaw:
    """The law that fits best: least Huber loss of log(predicted / measured).

    entropy: E, where it is known (of TinyWorld it is); None fits it too.
    delta: where the Huber loss turns from square to straight. ValueError for
    fewer runs than numbers to fit, or for a loss not above the entropy.
    Chapter 9; Hoffmann et al. (2022), section 3.3.
    """
    table = _table(runs, entropy)
    return _fit(table[None], _starts(table, entropy), entropy, delta)[0]


def bootstrap(
    runs: Sequence[Run],
    n: int,
    rng: torch.Generator,
    entropy: float | None = None,
    delta: float = 1e-3,
) -> list[ScalingLaw]:
    """n laws, each fitted to as many runs drawn with replacement.

    How much they differ says how little the runs pin down. A draw keeps at
    least as many different runs as there are numbers to fit. Chapter 9.
    """
    table, need = _table(runs, entropy), 5 - (entropy is not None)
    draws: list[Tensor] = []
    while len(draws) < n:
        rows = torch.randint(len(table), (len(table),), generator=rng)
        draws += [rows] * (len(rows.unique()) > need)
    law = fit_scaling_law(runs, entropy, delta)
    near = _numbers(law, entropy)[None]
    return _fit(table[torch.stack(draws)], near, entropy, delta)


def interval(
    values: Sequence[float], level: float = 0.95
) -> tuple[float, float]:
    """(low, high): the middle `level` of the values, by their quantiles."""
    q = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.tensor(values, dtype=torch.float64).quantile(q).tolist()
    return low, high


def _table(runs: Sequence[Run], entropy: float | None) -> Tensor:
    """-> (R, 3): logs of parameters, tokens and losses, float64."""
    need = 5 - (entropy is not None)
    if len(set(runs)) <= need:
        raise ValueError(
            f"{len(set(runs))} runs for {need} numbers: give {need + 1} or "
            "more, of several sizes and lengths"
        )
    least = min(run.loss for run in runs)
    if least <= (entropy or 0.0):
        raise ValueError(
            f"a loss of {least:.4g} is not above the entropy {entropy or 0.0}:"
            " are both in nats per token, of the same text?"
        )
    return torch.tensor(runs, dtype=torch.float64).log()


def _starts(table: Tensor, entropy: float | None) -> Tensor:
    """-> (S, 5): where the search begins. Only the best end counts."""
    least = float(table[:, 2].min())
    floors = [math.log(entropy)] if entropy else [least - 2, least - 0.1]
    exponents = [(a, b) for a in (0.2, 0.5, 1.0) for b in (0.2, 0.5, 1.0)]
    n, d, loss = table.mean(0).tolist()
    return torch.tensor(
        [
            (e, loss - 1 + a * n, a, loss - 1 + b * d, b)
            for e in floors
            for a, b in exponents
        ],
        dtype=torch.float64,
    )


def _numbers(law: ScalingLaw, entropy: float | None) -> Tensor:
    """-> (5,): log E, log A, a, log B, b; what `_fit` moves."""
    e, A, B = (math.log(max(x, 1e-12)) for x in (law.E, law.A, law.B))
    return torch.tensor([e, A, law.a, B, law.b], dtype=torch.float64)


def _residuals(p: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """(P, 5), (P, R, 3) -> log(predicted / measured) (P, R), slopes (P, R, 5).

    The prediction is a log-sum-exp of three terms, which cannot overflow.
    """
    e, A, a, B, b = p[:, :, None].unbind(1)  # each (P, 1)
    n, d, loss = table.unbind(-1)
    terms = torch.stack([e.expand_as(n), A - a * n, B - b * d], -1)
    share = terms.softmax(-1)  # (P, R, 3): each term's part of the loss
    E, N, D = share.unbind(-1)
    slopes = torch.stack([E, N, -n * N, D, -d * D], -1)
    return terms.logsumexp(-1) - loss, slopes


def _fit(
    tables: Tensor, starts: Tensor, entropy: float | None, delta: float
) -> list[ScalingLaw]:
    """(P, R, 3), (S, 5) -> P laws: Levenberg-Marquardt, all at once.

    The Huber loss is a least squares whose weights follow the residuals.
    """
    P, S = len(tables), len(starts)
    table = tables.repeat_interleave(S, 0)  # (P * S, R, 3)
    p, damp = starts.repeat(P, 1), torch.ones(P * S, dtype=torch.float64)
    free = torch.ones(5, dtype=torch.float64)
    free[0] = float(entropy is None)

    def cost(p: Tensor) -> Tensor:
        size = _residuals(p, table)[0].abs()
        low = size.clamp(max=delta)
        return (low * (size - low / 2)).sum(-1)

    now = old = cost(p)
    for i in range(400):
        if i % 25 == 24:
            if bool((now > (1 - 1e-9) * old).all()):
                break  # none has become better
            old = now
        r, J = _residuals(p, table)
        w = (delta / r.abs().clamp(min=delta))[..., None]
        J = J * free
        H, g = J.mT @ (w * J), (J.mT @ (w * r[..., None]))[..., 0]
        ridge = damp[:, None] * (H.diagonal(dim1=1, dim2=2) + 1e-9)
        step = torch.linalg.solve(H + torch.diag_embed(ridge + 1e-12), g)
        new = p - step.clamp(-3, 3) * free
        after = cost(new)
        better = after < now
        p = torch.where(better[:, None], new, p)
        now = torch.where(better, after, now)
        damp = torch.where(better, damp / 3, damp * 2).clamp(1e-9, 1e9)
    best = p.view(P, S, 5)[torch.arange(P), now.view(P, S).argmin(1)]
    return [
        ScalingLaw(
            math.exp(e) if entropy is None else entropy,
            math.exp(A), a, math.exp(B), b,
        )
        for e, A, a, B, b in best.tolist()
    ]  # fmt: skip
