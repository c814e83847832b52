"""Muon: an optimizer for the matrices inside a model.

Chapter 8 derives it and proves it equal to torch's. Tables, norms and biases
stay with AdamW: `muon_with_adamw` gives both as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from math import sqrt
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from llm_utils.train.optim import AdamW, Groups, decay_groups


def newton_schulz(g: Tensor, steps: int = 5) -> Tensor:
    """(..., A, B) -> (..., A, B): U S V^T becomes U S' V^T, S' near 1.

    Each step maps every singular value s to a s + b s^3 + c s^5, without
    computing any; after 5 all but the tiniest lie in 0.7 to 1.2. Chapter 8;
    Jordan et al. (2024).
    """
    if g.dim() < 2:
        raise ValueError(f"{tuple(g.shape)} is no matrix: give (..., A, B)")
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = g.shape[-2] > g.shape[-1]
    x = g.mT if tall else g
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


def dealt_newton_schulz(g: Tensor) -> Tensor:
    """newton_schulz of (N, A, B), each process of torchrun with its share.

    What a process leaves to the others is 0 in its sum. Chapter 9.
    """
    if not dist.is_initialized():
        return newton_schulz(g)
    mine = slice(dist.get_rank(), None, dist.get_world_size())
    whole = torch.zeros_like(g)
    whole[mine] = newton_schulz(g[mine])
    dist.all_reduce(whole)
    return whole


class Muon(torch.optim.Optimizer):
    """w <- (1 - lr * decay) * w - lr * scale * newton_schulz(m).

    Every direction of a matrix moves equally far, whatever its gradient's
    size. scale = 0.2 sqrt(max(A, B)) gives steps as large as AdamW's, so that
    one learning rate and one decay serve both. Equal to torch.optim.Muon with
    "match_rms_adamw". Chapter 8; Jordan et al. (2024); Liu et al. (2025).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        dealt: bool = False,
    ) -> None:
        """params: matrices (A, B) only.

        dealt: under torchrun each process computes its share of the updates
        and sends them to the others, which hold the same gradients.
        """
        options = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, options | {"dealt": dealt})
        shapes = [p.shape for g in self.param_groups for p in g["params"]]
        odd = [tuple(shape) for shape in shapes if len(shape) != 2]
        if odd:
            raise ValueError(
                f"Muon takes matrices, not {odd[0]}: leave the rest to AdamW"
            )

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            params.sort(key=lambda p: p.shape)
            for shape, same in groupby(params, key=lambda p: p.shape):
                self._update(list(same), group, 0.2 * sqrt(max(shape)))

    def _update(
        self, params: list[Tensor], group: dict[str, Any], scale: float
    ) -> None:
        """One step of N matrices of one shape, as one batch (N, A, B)."""
        lr, momentum = group["lr"], group["momentum"]
        for p in params:
            if not self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(p)
        grads = [p.grad for p in params if p.grad is not None]
        m = [self.state[p]["momentum_buffer"] for p in params]
        torch._foreach_lerp_(m, grads, 1 - momentum)
        ahead = torch.stack(torch._foreach_lerp(grads, m, momentum))  # Nesterov
        ahead = ahead.bfloat16() if ahead.is_cuda else ahead
        whole = dealt_newton_schulz if group["dealt"] else newton_schulz
        updates = list(whole(ahead).to(m[0].dtype))
        torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
        torch._foreach_add_(params, updates, alpha=-lr * scale)


class Together:
    """Several optimizers, stepped and saved as one. Chapter 8."""

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.optimizers = optimizers

    @property
    def param_groups(self) -> Groups:
        return [g for opt in self.optimizers for g in opt.param_groups]

    def step(self) -> None:
        for opt in self.optimizers:
            opt.step()

    def zero_grad(self) -> None:
        for opt in self.optimizers:
            opt.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        return {"optimizers": [opt.state_dict() for opt in self.optimizers]}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """ValueError unless it comes from the same optimizers."""
        states = state_dict.get("optimizers", [])
        if len(states) != len(self.optimizers):
            raise ValueError(
                f"a state of {len(states)} optimizers for "
                f"{len(self.optimizers)}: was it saved with other ones?"
            )
        for opt, state in zip(self.optimizers, states, strict=True):
            opt.load_state_dict(state)


def muon_with_adamw(
    model: nn.Module,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.95),
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    lr_scale: float = 1.0,
) -> Together:
    """Muon for the matrices of all linear maps, AdamW for the rest.

    The rest: embeddings, head, norms and biases. lr_scale: Muon's learning
    rate as a multiple of AdamW's. Chapter 8; Liu et al. (2025), section 2.2.
    """
    linear = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    matrices = {id(p) for p in linear if p.requires_grad}
    rest = decay_groups(model, weight_decay)
    for group in rest:
        group["params"] = [p for p in group["params"] if id(p) not in matrices]
    hidden = [p for p in model.parameters() if id(p) in matrices]
    if not hidden:
        raise ValueError("the model has no nn.Linear to learn: use AdamW alone")
    muon = {"params": hidden, "lr_scale": lr_scale}
    return Together(
        Muon([muon], lr, momentum, weight_decay),
        AdamW([g for g in rest if g["params"]], lr, betas, 1e-8, weight_decay),
    )
