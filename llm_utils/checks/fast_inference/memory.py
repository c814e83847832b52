"""Exercises 1 and 3 of chapter 11: the bytes and the places of a cache.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number, sequence


def _bytes(
    L: int, H: int, K: int, D: int, B: int, T: int, size: int,
    left_out: str = "", both: int = 2, heads: str = "K",
) -> int:  # fmt: skip
    """Bytes of keys and values, with the mistakes as knobs."""
    factors = {"L": L, "B": B, "D": D, "T": T, "size": size}
    factors["K"] = {"K": K, "H": H, "both": H + K}[heads]
    total = both
    for name, factor in factors.items():
        total *= 1 if name == left_out else factor
    return total


cache_bytes = Exercise(
    name="cache_bytes",
    asks="write cache_bytes(L, H, K, D, B, T, size), one number",
    reference=_bytes,
    cases=[
        (1, 2, 1, 4, 1, 1, 2),
        (2, 4, 2, 8, 3, 5, 4),
        (16, 32, 8, 64, 1, 8192, 2),
        (32, 32, 8, 128, 64, 2048, 2),
    ],
    form=number,
    mistakes=[
        Mistake(
            "You count keys only. A value is kept beside each key.",
            partial(_bytes, both=1),
        ),
        Mistake(
            "You count one for each query head. Queries are not kept: there "
            "are as many keys and values as key-value heads, K.",
            partial(_bytes, heads="H"),
        ),
        Mistake(
            "You count queries, too. A query is used once, by its own token.",
            partial(_bytes, heads="both"),
        ),
        Mistake(
            "You count a single layer. Each of the L has a cache of its own.",
            partial(_bytes, left_out="L"),
        ),
        Mistake(
            "You count one text. Caches are not shared: each of the B texts "
            "has its own.",
            partial(_bytes, left_out="B"),
        ),
        Mistake(
            "You count numbers. Each of them has `size` bytes.",
            partial(_bytes, left_out="size"),
        ),
        Mistake(
            "You count one token. All T of them are kept.",
            partial(_bytes, left_out="T"),
        ),
        Mistake(
            "You count bits. `size` is in bytes already.",
            lambda *args: 8 * _bytes(*args),
        ),
    ],
    praise="It grows with the texts and their length, and not with the query "
    "heads: that is what grouped heads are for.",
)


def _places(
    t: int, window: int, more: int = 0, shift: int = 0, turn: bool = True
) -> list[int]:
    """Places of what position t sees, with the mistakes as knobs."""
    first = max(0, t - window + 1 - more)
    seen = range(first, t + 1 + shift)
    return [s % window if turn else s for s in seen]


def _never_short(t: int, window: int) -> list[int]:
    return [s % window for s in range(t - window + 1, t + 1)]


def _sorted(t: int, window: int) -> list[int]:
    return sorted(_places(t, window))


def _newest_first(t: int, window: int) -> list[int]:
    return _places(t, window)[::-1]


def _numbers(x: object) -> Sequence[float]:
    return [number(v) for v in sequence(x)]


places = Exercise(
    name="places",
    asks="write places(t, window): a list, the oldest position's place first",
    reference=_places,
    cases=[(0, 4), (2, 4), (3, 4), (4, 4), (9, 4), (6, 1), (12, 5)],
    form=_numbers,
    mistakes=[
        Mistake(
            "The places are all there, in the order in which they lie. The "
            "oldest position is asked for first, and after the first round "
            "it does not lie in place 0.",
            _sorted,
        ),
        Mistake(
            "The newest comes first. Turn the order round.",
            _newest_first,
        ),
        Mistake(
            "Position t itself is missing. A query sees its own key, which "
            "has just been put away.",
            partial(_places, shift=-1),
        ),
        Mistake(
            "One too many: with itself a query sees `window` positions, and "
            "the one before those has been written over.",
            partial(_places, more=1),
        ),
        Mistake(
            "Those are the positions. Position s lies in place s % window.",
            partial(_places, turn=False),
        ),
        Mistake(
            "At the beginning of a text there are fewer than `window` "
            "positions: those before 0 do not exist.",
            _never_short,
        ),
    ],
    praise="A single query needs no order. A chunk does: its mask goes by it.",
)
