"""A tree of states as JSON beside tensors: what pickle would do, readable.

`checkpoint` uses it in chapter 8; nothing in a file is ever run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

TENSOR, PAIRS, TUPLE = "$tensor", "$pairs", "$tuple"


def to_plain(x: Any, tensors: dict[str, Tensor], name: str = "") -> Any:
    """JSON for a tree of dicts, lists, tuples, numbers, text and tensors.

    The tensors go to `tensors`, under names that say where they belong.
    """
    if isinstance(x, Tensor):
        if name in tensors:
            raise ValueError(f"two tensors would be called {name}")
        tensors[name] = x
        return {TENSOR: name}
    if isinstance(x, Mapping):
        pairs = [
            (key, to_plain(value, tensors, f"{name}.{key}".lstrip(".")))
            for key, value in x.items()
        ]
        simple = all(isinstance(k, str) and k[:1] != "$" for k in x)
        return dict(pairs) if simple else {PAIRS: [list(p) for p in pairs]}
    if isinstance(x, (list, tuple)):
        parts = [
            to_plain(part, tensors, f"{name}.{i}".lstrip("."))
            for i, part in enumerate(x)
        ]
        return {TUPLE: parts} if isinstance(x, tuple) else parts
    if x is None or isinstance(x, (bool, int, float, str)):
        return x
    raise ValueError(
        f"{name} is a {type(x).__name__}: a state may hold numbers, text, "
        "tensors, and lists, tuples and dicts of them"
    )


def from_plain(x: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The tree that `to_plain` was given."""
    if isinstance(x, list):
        return [from_plain(part, tensors) for part in x]
    if not isinstance(x, dict):
        return x
    if TENSOR in x:
        return tensors[x[TENSOR]]
    if TUPLE in x:
        return tuple(from_plain(part, tensors) for part in x[TUPLE])
    if PAIRS in x:
        return {key: from_plain(value, tensors) for key, value in x[PAIRS]}
    return {key: from_plain(value, tensors) for key, value in x.items()}
