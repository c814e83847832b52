"""Exercise 1 of chapter 8: which weights of a model decay.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm

Keep = Callable[[str, Tensor], bool]


class Layer(nn.Module):
    """A linear map with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(2, 3)


class Normed(nn.Module):
    """A norm, a linear map, and a scale of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(3)
        self.out = nn.Linear(3, 2, bias=False)
        self.gain = nn.Parameter(torch.ones(3))


class Table(nn.Module):
    """Token vectors, a convolution over them, and a mask."""

    mask: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(4, 2)
        self.conv = nn.Conv1d(2, 2, 3, bias=False)
        self.register_buffer("mask", torch.ones(3, 3))


class Tied(nn.Module):
    """One table at both ends."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(4, 2)
        self.head = nn.Linear(2, 4, bias=False)
        self.head.weight = self.tokens.weight


class Frozen(nn.Module):
    """An old layer that is kept as it is, and a new one that learns."""

    def __init__(self) -> None:
        super().__init__()
        self.old, self.new = nn.Linear(2, 2), nn.Linear(2, 2)
        self.old.requires_grad_(False)


def _names_where(keep: Keep) -> Callable[[nn.Module], list[str]]:
    """A function that names the weights for which `keep` is true."""

    def names(model: nn.Module) -> list[str]:
        return [name for name, p in model.named_parameters() if keep(name, p)]

    return names


def _matrix(name: str, p: Tensor) -> bool:
    return p.requires_grad and p.dim() > 1


def _twice(model: nn.Module) -> list[str]:
    every = model.named_parameters(remove_duplicate=False)
    return [name for name, p in every if _matrix(name, p)]


def _saved(model: nn.Module) -> list[str]:
    return [name for name, x in model.state_dict().items() if x.dim() > 1]


def _linear(model: nn.Module) -> list[str]:
    kinds = {n: type(m) for n, m in model.named_modules()}
    return [
        name
        for name, p in model.named_parameters()
        if _matrix(name, p) and kinds[name.rpartition(".")[0]] is nn.Linear
    ]


decayed_names = _names_where(_matrix)


def _read(x: Any) -> list[str]:
    """Names in order; of a tied table either of the two."""
    names = sequence(sorted(x, key=str) if isinstance(x, (set, dict)) else x)
    if not all(isinstance(name, str) for name in names):
        kind = type(next(n for n in names if not isinstance(n, str))).__name__
        raise WrongForm(f"a list with a {kind} in it; names are asked for")
    return sorted(names)


def _same(a: list[str], b: list[str]) -> bool:
    other = {"head.weight": "tokens.weight"}  # the tied table's two names
    return sorted(other.get(x, x) for x in a) == sorted(
        other.get(x, x) for x in b
    )


def _show(x: Any) -> str:
    if isinstance(x, list):
        return ", ".join(x) or "no name"
    return f"<{type(x).__name__}: {(x.__doc__ or '').rstrip('.')}>"


decayed = Exercise(
    name="decayed",
    asks="write decayed(model), the names of the weights that decay",
    reference=decayed_names,
    cases=[(Layer(),), (Normed(),), (Table(),), (Tied(),), (Frozen(),)],
    form=_read,
    same=_same,
    show=_show,
    mistakes=[
        Mistake(
            "Every weight decays here. Biases, scales and shifts are left "
            "alone: ask each weight how many axes it has.",
            _names_where(lambda name, p: p.requires_grad),
        ),
        Mistake(
            "Every weight decays here, also those that do not learn at all.",
            _names_where(lambda name, p: True),
        ),
        Mistake(
            "You leave out what is called a bias. The scales of norms are "
            "called weight, and they are vectors, too: go by the number of "
            "axes, not by the name.",
            _names_where(
                lambda name, p: p.requires_grad and "bias" not in name
            ),
        ),
        Mistake(
            "You leave out what is called a bias, and nothing else. Scales of "
            "norms are vectors, too, and frozen weights do not learn.",
            _names_where(lambda name, p: "bias" not in name),
        ),
        Mistake(
            "You take what is called a weight. So is the scale of a norm, "
            "which is a vector: go by the number of axes, not by the name.",
            _names_where(
                lambda name, p: p.requires_grad and name.endswith("weight")
            ),
        ),
        Mistake(
            "You take what is called a weight. So is the scale of a norm, "
            "and a frozen weight is called so, too.",
            _names_where(lambda name, p: name.endswith("weight")),
        ),
        Mistake(
            "You know biases and norms by their names. The next scale has "
            "another name, such as gain: go by the number of axes.",
            _names_where(
                lambda name, p: (
                    p.requires_grad
                    and "bias" not in name
                    and "norm" not in name
                )
            ),
        ),
        Mistake(
            "A frozen weight is in your list. What does not learn is not the "
            "optimizer's business: ask p.requires_grad.",
            _names_where(lambda name, p: p.dim() > 1),
        ),
        Mistake(
            "The tied table is in your list twice, so it would decay twice "
            "as much. named_parameters() gives each tensor once, unless you "
            "ask otherwise.",
            _twice,
        ),
        Mistake(
            "You go through the state dict. It holds all that is saved: a "
            "tied table under both of its names, masks, frozen weights. "
            "Ask named_parameters().",
            _saved,
        ),
        Mistake(
            "You take the matrices of linear maps only. A table of tokens and "
            "the kernel of a convolution have more than one axis as well.",
            _linear,
        ),
        Mistake(
            "You take what has exactly two axes. The kernel of a convolution "
            "has three, and it decays like every other map.",
            _names_where(lambda name, p: p.requires_grad and p.dim() == 2),
        ),
        Mistake(
            "That is the other group: those are the weights that do not decay.",
            _names_where(lambda name, p: p.requires_grad and p.dim() < 2),
        ),
        Mistake(
            "That is the other group, the weights that do not decay, and "
            "among them some that do not learn at all.",
            _names_where(lambda name, p: p.dim() < 2),
        ),
        Mistake(
            "Those are names of layers. Asked for are the names of their "
            "weights, such as up.weight: go through named_parameters().",
            when=lambda args, value: (
                bool(value)
                and set(value) <= {name for name, _ in args[0].named_modules()}
            ),
        ),
    ],
    praise="What is pulled towards 0 is what maps vectors, not what scales "
    "or shifts them.",
)
