"""Two heads run with the weights of exercise 9, and where each of them looks.

What the check of an induction head reads its diagnosis from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks.tensors import tensor
from llm_utils.checks.watch import WrongForm
from llm_utils.model.attention import attention_weights

SHARP = 0.9  # the weight from which on a head looks at one place
NAMES = ("q1", "k1", "v1", "q2", "k2", "v2")
GLANCE = 0.05  # and from which on it looks there among others
BLUNT = -1


@dataclass(frozen=True)
class Run:
    """What two heads did on some tokens, at the places `asked` (see below).

    first   where the first head looked, at each place but the beginning
    ahead   the same without its mask: where it would have liked to look
    wrote   whether it wrote the token before
    second  all the places that the second head looked at
    next    the token predicted
    """

    first: list[int]
    ahead: list[int]
    wrote: bool
    second: list[list[int]]
    next: list[int]


def asked(ids: list[int]) -> dict[int, int]:
    """{place whose token came before: the place after that one}."""
    return {t: ids.index(x) + 1 for t, x in enumerate(ids) if x in ids[:t]}


def _matrices(x: Any, V: int, T: int) -> list[Tensor]:
    """Six matrices from a tuple, list or dictionary, if their shapes fit."""
    x = [x.get(n) for n in NAMES] if isinstance(x, dict) else x
    if not isinstance(x, (tuple, list)) or len(x) != len(NAMES):
        raise WrongForm("something else than six matrices, q1 to v2")
    made, C = [tensor(y) for y in x], 2 * V + T
    for name, m in zip(NAMES, made, strict=True):
        value = name.startswith("v")
        if m.dim() != 2 or len(m) != C or (value and m.shape[1] != V):
            wants = f"({C}, {V})" if value else f"({C}, any size)"
            raise WrongForm(f"{name} of shape {tuple(m.shape)}; {wants} is "
                            "asked for")  # fmt: skip
    for q, k in ((made[0], made[1]), (made[3], made[4])):
        if q.shape != k.shape:
            raise WrongForm("a q and a k that differ in shape; they must be "
                            "as long as each other")  # fmt: skip
    return made


def _places(w: Tensor) -> list[int]:
    return [
        int(row.argmax()) if row.max() > SHARP else BLUNT
        for row in w
    ]  # fmt: skip


def _decided(row: Tensor) -> int:
    """The token that stands out, or BLUNT."""
    top = row.topk(2).values
    return int(row.argmax()) if top[0] - top[1] > 0.5 * top[0] else BLUNT


def run_of(function: Callable[..., Any]) -> Callable[..., Run]:
    """Two heads, one after the other, with the weights that it returns."""

    def watched(ids: list[int]) -> Run:
        V, T = max(ids) + 1, len(ids)
        q1, k1, v1, q2, k2, v2 = _matrices(function(V, T), V, T)
        token = torch.eye(V).double()[ids]
        room = torch.zeros(T, V).double()
        x = torch.cat([token, torch.eye(T).double(), room], -1)
        w1 = _look(x @ q1, x @ k1)
        x = torch.cat([x[:, : V + T], w1 @ (x @ v1)], -1)
        w2 = _look(x @ q2, x @ k2)
        out, before = w2 @ (x @ v2), x[1:, V + T :]
        return Run(
            _places(w1)[1:],
            _places(_look(x @ q1, x @ k1, torch.ones(T, T).bool()))[1:],
            [_decided(row) for row in before] == ids[:-1],
            [(w2[t] > GLANCE).nonzero().flatten().tolist() for t in asked(ids)],
            [_decided(out[t]) for t in asked(ids)],
        )

    return watched


def _look(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    return attention_weights(q[None, None], k[None, None], mask)[0, 0]
