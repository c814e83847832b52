"""LoRA: a low-rank correction beside each frozen matrix.

Chapter 14 derives it: the same walk over the model that replaces `nn.Linear` in
chapter 11's quantization. Its files are in `peft_files`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TARGETS = ("q", "k", "v", "out", "gate", "up", "down")


class LoRA(nn.Module):
    """(..., in) -> (..., out): base(x) + alpha / rank * x A^T B^T.

    A (rank, in) is random, B (out, rank) is 0, so that at first nothing is
    added; only A and B are trained. Derived in chapter 14; Hu et al. (2022),
    section 4.1.
    """

    def __init__(
        self, base: nn.Linear, rank: int, alpha: float,
        rng: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        n_out, n_in = base.weight.shape
        if not 1 <= rank <= min(n_out, n_in):
            raise ValueError(
                f"rank={rank} for a matrix of {n_out} x {n_in}: 1 at least, "
                f"{min(n_out, n_in)} at most"
            )
        self.base, self.rank, self.alpha = base, rank, alpha
        bound = 1 / math.sqrt(n_in)  # as nn.Linear begins, and PEFT
        A = torch.empty(rank, n_in).uniform_(-bound, bound, generator=rng)
        w = base.weight
        self.A = nn.Parameter(A.to(w.device, w.dtype))
        self.B = nn.Parameter(w.new_zeros(n_out, rank))
        self.on = True

    @property
    def scale(self) -> float:
        """What the correction is multiplied by."""
        return self.alpha / self.rank

    def forward(self, x: Tensor) -> Tensor:
        if not self.on:
            return self.base(x)
        return self.base(x) + self.scale * F.linear(F.linear(x, self.A), self.B)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The base with the correction added to its weight: one product."""
        self.base.weight += self.scale * self.B @ self.A
        return self.base


def add_lora(
    model: nn.Module, rank: int, alpha: float,
    targets: Sequence[str] = TARGETS, rng: torch.Generator | None = None,
) -> list[str]:  # fmt: skip
    """Freeze the model, and put a LoRA on each linear map of these names.

    targets: last parts of names, such as "q" for blocks.0.attn.q. -> the
    names of the maps that have one now. The model, changed in place, gives
    what it gave before, to the bit. ValueError for a name that no map has, and
    for a model that has a LoRA. Chapter 14.
    """
    if isinstance(targets, str):
        raise ValueError(f"targets={targets!r}: give a list of names")
    if any(True for _ in loras(model)):
        raise ValueError("the model has a LoRA: merge_lora it first")
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    }
    ends = {name.rsplit(".", 1)[-1] for name in linear}
    lost = [] if targets is TARGETS else sorted(set(targets) - ends)
    if lost:
        raise ValueError(f"no linear map is named {lost[0]!r}: {sorted(ends)}")
    chosen = [n for n in linear if n.rsplit(".", 1)[-1] in targets]
    made = {n: LoRA(linear[n], rank, alpha, rng) for n in chosen}
    for p in model.parameters():
        p.requires_grad_(False)
    for name, lora in made.items():
        replace(model, name, lora)
    return chosen


def merge_lora(model: nn.Module) -> nn.Module:
    """Add each correction to its matrix; the model is a plain one again.

    It is changed in place; all its weights can be trained. Chapter 14.
    """
    found = list(loras(model))
    if not found:
        raise ValueError("the model has no LoRA to merge")
    for name, lora in found:
        replace(model, name, lora.merged())
    for p in model.parameters():
        p.requires_grad_(True)
    return model


@contextmanager
def without_lora(model: nn.Module) -> Iterator[None]:
    """While it lasts the model is the base model: a reference for free.

    Chapter 15.
    """
    found = [one for _, one in loras(model)]
    for one in found:
        one.on = False
    try:
        yield
    finally:
        for one in found:
            one.on = True


def loras(model: nn.Module) -> Iterator[tuple[str, LoRA]]:
    """Each LoRA of a model, with the name of the map that it corrects."""
    for name, module in model.named_modules():
        if isinstance(module, LoRA):
            yield name, module


def n_trained(model: nn.Module) -> int:
    """How many numbers training moves."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def lora_params(n_in: int, n_out: int, rank: int) -> int:
    """How many numbers a LoRA of a map from n_in to n_out has."""
    return rank * (n_in + n_out)


def replace(model: nn.Module, name: str, new: nn.Module) -> None:
    """Put a module in the place of the one of that name."""
    above, _, last = name.rpartition(".")
    setattr(model.get_submodule(above), last, new)
