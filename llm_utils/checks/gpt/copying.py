"""Exercise 6 of chapter 6: what an untrained model believes, and why.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show
from llm_utils.checks.watch import WrongForm

Model = Callable[[Tensor], Tensor]


def _rate(model: Model, ids: Tensor) -> Tensor:
    return (model(ids).argmax(-1) == ids).double().mean()


def _accuracy(model: Model, ids: Tensor) -> Tensor:
    best = model(ids).argmax(-1)
    return (best[:, :-1] == ids[:, 1:]).double().mean()


def _last(model: Model, ids: Tensor) -> Tensor:
    return (model(ids)[:, -1].argmax(-1) == ids[:, -1]).double().mean()


def _but_last(model: Model, ids: Tensor) -> Tensor:
    return (model(ids).argmax(-1) == ids)[:, :-1].double().mean()


def _belief(model: Model, ids: Tensor) -> Tensor:
    p = model(ids).softmax(-1)
    return p.gather(-1, ids[..., None]).mean()


def _one(x: Any) -> float:
    """A number; a whole tensor of them is refused in words."""
    if isinstance(x, Tensor) and x.numel() != 1:
        raise WrongForm(
            f"a tensor of shape {tuple(x.shape)}; one number is asked for"
        )
    return number(x)


def echo(ids: Tensor) -> Tensor:
    """A model that always repeats."""
    return torch.nn.functional.one_hot(ids, 4).double()


def shy(ids: Tensor) -> Tensor:
    """A model that repeats tokens 0 and 1, and says 0 after 2 and 3."""
    return echo(ids) * torch.tensor([2.0, 2.0, 0.5, 0.5]) + echo(0 * ids)


def late(ids: Tensor) -> Tensor:
    """A model that repeats what stands at place 1, everywhere."""
    return echo(ids[:, 1:2].expand_as(ids))


copy_rate = Exercise(
    name="copy_rate",
    asks="write copy_rate(model, ids), a number from 0 to 1",
    reference=_rate,
    cases=[
        (echo, torch.tensor([[0, 1, 2]])),
        (shy, torch.tensor([[0, 2, 3, 3]])),
        (late, torch.tensor([[3, 1, 1, 2], [2, 2, 2, 2]])),
        (shy, torch.tensor([[0, 0, 3], [1, 2, 1]])),
    ],
    form=_one,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-6),
    show=lambda x: show(x) if callable(x) or torch.is_tensor(x) else f"{x:.3g}",
    mistakes=[
        Mistake(
            "You compare with the next token: that is how often the model "
            "is right. The question is how often it repeats the token that "
            "it has just read.",
            _accuracy,
        ),
        Mistake(
            "You look at the last position only. Every position has an "
            "opinion: take the mean over all of them.",
            _last,
        ),
        Mistake(
            "That is the probability of a copy. Count how often the copy is "
            "the most likely token.",
            _belief,
        ),
        Mistake(
            "You leave out the last position. Its logits are about a token "
            "that is not there, but here that does not matter: it has an "
            "opinion, and can repeat.",
            _but_last,
        ),
        Mistake(
            "That is a percentage. A share is a number from 0 to 1.",
            lambda model, ids: 100 * _rate(model, ids),
        ),
        Mistake(
            "That is the number of copies in a text, not their share. Divide "
            "by all positions, ids.numel().",
            lambda model, ids: _rate(model, ids) * ids.shape[1],
        ),
        Mistake(
            "You divide by the length of one text. Divide by all positions, "
            "ids.numel().",
            lambda model, ids: _rate(model, ids) * len(ids),
        ),
        Mistake(
            "That is how many copies there are. Divide by the number of "
            "positions.",
            lambda model, ids: _rate(model, ids) * ids.numel(),
        ),
        Mistake(
            "That is the share of positions where the model does not copy.",
            lambda model, ids: 1 - _rate(model, ids),
        ),
    ],
    praise="By chance this would be one in V.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: the ids were drawn at random, so a token is "
        "followed by itself once in V times.",
        "B": "B cannot be it: the untied model has the same attention, and it"
        " does not copy. Fresh attention looks at all of the past about "
        "equally, not at the last token.",
        "D": "D cannot be it: the untied model has the same last norm. And a "
        "norm changes the size of a vector, not which row it is most "
        "like.",
    },
    "One table at both ends makes a model that repeats, until the blocks have"
    " learned to write something else over the token.",
)
