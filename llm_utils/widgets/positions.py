"""Chapter 4's explorer: a query and a key, turned by their positions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import traitlets

from .base import Explorer


class PositionsExplorer(Explorer):
    """The widget that `positions_explorer` returns; all traits can be set."""

    module, title = "positions_explorer", "Rotary positions"
    q = traitlets.List(traitlets.Float()).tag(sync=True)
    k = traitlets.List(traitlets.Float()).tag(sync=True)
    m = traitlets.Int(0).tag(sync=True)
    n = traitlets.Int(0).tag(sync=True)
    pair = traitlets.Int(0).tag(sync=True)
    base = traitlets.Float(10_000.0).tag(sync=True)
    last = traitlets.Int(64).tag(sync=True)


def positions_explorer(
    q: Sequence[float],
    k: Sequence[float],
    m: int = 9,
    n: int = 4,
    pair: int = 0,
    base: float = 10_000.0,
    last: int = 64,
) -> PositionsExplorer:
    """Play with RoPE: move a query and a key, see the angle and the score.

    q, k: D numbers each, before they are turned; pair i is (i, i + D/2), as
    in `model.positions.rotate`. m, n: their positions, from 0 to last. The
    score is q . k after both were turned, not divided by sqrt(D). ValueError
    for vectors that do not fit and positions that are not there.
    """
    a, b = [float(x) for x in q], [float(x) for x in k]
    if len(a) != len(b) or len(a) % 2 or not a:
        raise ValueError(
            f"q has {len(a)} numbers and k {len(b)}: give as many to both, an "
            "even number, for RoPE turns pairs"
        )
    if not all(map(math.isfinite, a + b)) or not base > 1:
        raise ValueError(f"base={base}: give a base over 1, and finite q and k")
    if not (0 <= m <= last and 0 <= n <= last and last > 0):
        raise ValueError(f"m={m} and n={n} must be from 0 to last={last}")
    if not 0 <= pair < len(a) // 2:
        raise ValueError(f"pair={pair}: there are {len(a) // 2}, from 0")
    return PositionsExplorer(
        q=a, k=b, m=m, n=n, pair=pair, base=float(base), last=last
    )
