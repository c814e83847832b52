"""Several corpora as one, in proportions that somebody chose.

Chapter 7 derives both functions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence


def mixture_weights(
    sizes: Mapping[str, float], alpha: float = 1.0
) -> dict[str, float]:
    """sizes -> shares proportional to size ** alpha; they sum to 1.

    alpha 1 keeps the natural proportions, 0 gives every corpus the same, and
    between the two small ones are raised. Conneau et al. (2020);
    chapter 7.
    """
    if not sizes or min(sizes.values()) <= 0:
        raise ValueError(f"sizes {dict(sizes)}: each must be more than 0")
    powers = {name: size**alpha for name, size in sizes.items()}
    total = sum(powers.values())
    return {name: power / total for name, power in powers.items()}


def mix(
    sources: Mapping[str, Sequence[str]],
    weights: Mapping[str, float],
    n: int,
    rng: random.Random,
) -> Iterator[tuple[str, str]]:
    """n times (name, document), each corpus drawn with its weight.

    A corpus is gone through in a random order, none of its documents twice
    before all came once. Chapter 7.
    """  # fmt: skip
    if set(sources) != set(weights):
        raise ValueError(
            f"weights for {sorted(weights)}, sources {sorted(sources)}: give "
            "one weight for each source"
        )
    empty = [name for name, docs in sources.items() if not docs]
    if empty:
        raise ValueError(f"no documents in {empty}: leave it out")
    names = list(sources)
    order: dict[str, list[int]] = {name: [] for name in names}
    for name in rng.choices(names, [weights[x] for x in names], k=n):
        if not order[name]:
            order[name] = list(range(len(sources[name])))
            rng.shuffle(order[name])
        yield name, sources[name][order[name].pop()]
