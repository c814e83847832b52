"""Optimizers: what a gradient does to the weights.

Chapter 8 derives AdamW and proves it equal to torch's. `muon` holds another
optimizer, `schedules` the learning rate of each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf, sqrt
from typing import Any, Protocol

import torch
from torch import Tensor, nn

Groups = list[dict[str, Any]]  # {"params": [...], "weight_decay": 0.1, ...}


class Optimizer(Protocol):
    """What the trainer asks of an optimizer; all of torch's fit.

    A group may have an "lr_scale": the schedule's rate is multiplied by it.
    """

    @property
    def param_groups(self) -> Groups: ...
    def step(self) -> None: ...
    def zero_grad(self) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any], /) -> None: ...


def decay_groups(model: nn.Module, weight_decay: float = 0.1) -> Groups:
    """Two groups: matrices and tables decay, biases and norms do not.

    A vector scales or shifts a whole channel: pulling it to 0 is no prior for
    a simple model, only a wrong one. Frozen weights are left out. Chapter 8;
    Brown et al. (2020), appendix B.
    """
    learned = [p for p in model.parameters() if p.requires_grad]
    groups: Groups = [
        {"params": [p for p in learned if p.dim() > 1]},
        {"params": [p for p in learned if p.dim() < 2], "weight_decay": 0.0},
    ]
    groups[0]["weight_decay"] = weight_decay
    return [group for group in groups if group["params"]]


class AdamW(torch.optim.Optimizer):
    """w <- (1 - lr * decay) * w - lr * m / (sqrt(v) + eps), m and v unbiased.

    m and v are running means of the gradient and of its square. The decay is
    not part of the gradient: that is the W. Equal to torch.optim.AdamW.
    Derived in chapter 8; Kingma and Ba (2015), algorithm 1; Loshchilov and
    Hutter (2019), algorithm 2.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        """params: tensors, or groups of them such as `decay_groups` gives."""
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas={betas} must lie in [0, 1)")
        if not (lr >= 0 and eps > 0 and weight_decay >= 0):
            raise ValueError(
                f"lr={lr}, eps={eps}, weight_decay={weight_decay}: none may be "
                "negative, and eps not 0"
            )
        options = {"lr": lr, "betas": betas, "eps": eps}
        super().__init__(params, {**options, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for params in in_cache(group["params"]):
                self._update(params, group)

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """One step of some weights, all at once."""
        lr, (beta1, beta2) = group["lr"], group["betas"]
        states = [self.state[p] for p in params]
        for p, state in zip(params, states, strict=True):
            if not state:
                state["step"] = 0
                state["exp_avg"] = torch.zeros_like(p)
                state["exp_avg_sq"] = torch.zeros_like(p)
            state["step"] += 1
        grads = [p.grad for p in params if p.grad is not None]
        m = [state["exp_avg"] for state in states]
        v = [state["exp_avg_sq"] for state in states]
        torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
        torch._foreach_lerp_(m, grads, 1 - beta1)
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, grads, grads, 1 - beta2)
        # Both means begin at 0; after t steps they lack a share beta ** t.
        full1 = [1 - beta1 ** state["step"] for state in states]
        full2 = [sqrt(1 - beta2 ** state["step"]) for state in states]
        size = torch._foreach_sqrt(v)
        torch._foreach_div_(size, full2)
        torch._foreach_add_(size, group["eps"])
        torch._foreach_addcdiv_(params, m, size, [-lr / x for x in full1])


def in_cache(params: list[Tensor], most: int = 2**16) -> Iterator[list[Tensor]]:
    """The weights that have a gradient, in lists to be updated together.

    On a GPU all of them: few kernels. On a CPU as many as stay in its cache
    through the whole update, which takes half the time.
    """
    bunch: list[Tensor] = []
    n: float = 0
    for p in params:
        if p.grad is None:
            continue
        if bunch and p.device.type == "cpu" and n + p.numel() > most:
            yield bunch
            bunch, n = [], 0
        bunch.append(p)
        n += p.numel()
    if bunch:
        yield bunch


Schedule = Callable[[int], float]  # steps taken so far -> learning rate


def set_lr(opt: Optimizer, lr: float) -> None:
    """Give every group this rate, times its own "lr_scale"."""
    for group in opt.param_groups:
        group["lr"] = lr * group.get("lr_scale", 1.0)


@torch.no_grad()
def clip_grad_norm(params: Iterable[Tensor], most: float = 1.0) -> Tensor:
    """Scale all gradients together until their norm is at most `most`.

    Returns the norm that they had before. inf only measures. Equal to torch's
    clip_grad_norm_. Chapter 8; Pascanu et al. (2013), algorithm 1.
    """
    grads = [p.grad for p in params if p.grad is not None]
    if not grads:
        raise ValueError("no parameter has a gradient: call backward() first")
    norm = torch.stack(torch._foreach_norm(grads)).norm()
    if most < inf:
        torch._foreach_mul_(grads, (most / (norm + 1e-6)).clamp(max=1.0))
    return norm
