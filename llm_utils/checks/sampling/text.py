"""Exercises 5 and 6 of chapter 10: phrases that are banned, text that waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.watch import WrongForm


def _banned(ids: Sequence[int], n: int, last: int | None = None) -> list[int]:
    """last: how many ids at the end must be those at the phrase's begin."""
    last = n - 1 if last is None else last
    end = list(ids[len(ids) - last :]) if last else []
    starts = range(len(ids) - last)
    return sorted({
        ids[s + last] for s in starts if list(ids[s : s + last]) == end
    })  # fmt: skip


def _ids(x: Any) -> list[int]:
    if isinstance(x, (str, bytes, dict)):
        raise WrongForm(f"a {type(x).__name__}; a set or list is asked for")
    x = x.tolist() if hasattr(x, "tolist") else x
    return sorted({int(i) for i in x})


def _early(ids: Sequence[int], n: int) -> list[int]:
    """Forgets the last phrase that is whole."""
    end = list(ids[len(ids) - n + 1 :]) if n > 1 else []
    starts = range(len(ids) - n)
    return sorted({
        ids[s + n - 1] for s in starts if list(ids[s : s + n - 1]) == end
    })  # fmt: skip


banned = Exercise(
    name="banned",
    asks="write banned(ids, n), the set of ids that may not come next",
    reference=lambda ids, n: _banned(ids, n) if len(ids) >= n - 1 else [],
    cases=[
        ([1, 2, 3, 1, 2], 3),
        ([5, 6, 5], 2),
        ([1, 2, 1, 3, 1], 2),
        ([7, 7], 2),
        ([1, 2, 3], 2),
        ([4, 1, 4], 1),
        ([1, 2], 4),
        ([3, 3, 3, 3], 3),
        ([1, 2, 3, 9, 2, 4, 1, 2], 3),
    ],
    form=_ids,
    mistakes=[
        Mistake(
            "You compare the last n ids. A phrase of n ids is one id longer "
            "than what is there already: compare the last n - 1.",
            lambda ids, n: _banned(ids, n, n) if len(ids) >= n else [],
        ),
        Mistake(
            "The last phrase is forgotten: the loop stops one place too "
            "early. In 7 7 the phrase 7 7 was there, so 7 is banned.",
            lambda ids, n: _early(ids, n) if len(ids) >= n - 1 else [],
        ),
        Mistake(
            "You ban everything that was said. Only what would make a whole "
            "phrase of n ids come again is banned.",
            lambda ids, n: sorted(set(ids)),
        ),
        Mistake(
            "You ban what followed the last id alone. All of the last n - 1 "
            "ids have to be the same.",
            lambda ids, n: _banned(ids, n, min(1, n - 1)),
        ),
    ],
    praise="A filter that forbids phrases and leaves names alone.",
)


def _begun(text: str, stop: str, most: int | None = None) -> int:
    sizes = range(
        min(len(stop) - 1 if most is None else most, len(text)), 0, -1
    )
    return next((k for k in sizes if text.endswith(stop[:k])), 0)


def _waits(text: str, stops: Sequence[str]) -> int:
    return max((_begun(text, s) for s in stops), default=0)


def _shortest(text: str, stops: Sequence[str]) -> int:
    found = [
        k
        for s in stops
        for k in range(1, len(s))
        if text.endswith(s[:k])
    ]  # fmt: skip
    return min(found, default=0)


waits = Exercise(
    name="waits",
    asks="write waits(text, stops), a number of characters",
    reference=_waits,
    cases=[
        ("Hello\nU", ["\nUser:"]),
        ("Hello", ["\nUser:"]),
        ("aXa", ["aXaY"]),
        ("...", ["...!"]),
        ("so far", ["far away", "r"]),
        ("ends in b", ["bc", "in bad"]),
        ("nothing", []),
        ("a", ["abcdef"]),
        ("banan", ["ana"]),
        ("stop", ["stop", "opera"]),
    ],
    form=number,
    mistakes=[
        Mistake(
            "You take the shortest beginning. The longest one must wait: if "
            "its first characters are shown, they cannot be taken back.",
            _shortest,
        ),
        Mistake(
            "You always hold back as much as the longest stop string could "
            "take. Text that cannot be the beginning of one need not wait.",
            lambda text, stops: min(
                len(text), max((len(s) - 1 for s in stops), default=0)
            ),
        ),
        Mistake(
            "You count a stop string that is whole. It would have ended the "
            "text before; here only a beginning, not all of one, waits.",
            lambda text, stops: max(
                (_begun(text, s, len(s)) for s in stops), default=0
            ),
        ),
        Mistake(
            "You look at the first stop string only.",
            lambda text, stops: _waits(text, stops[:1]),
        ),
        Mistake(
            "You ask for the whole stop string. What may become one has to "
            "wait as well: look for its beginnings at the end of the text.",
            lambda text, stops: 0,
        ),
    ],
    praise="As much as necessary and no more: the reader hardly notices.",
)
