"""A mixture of experts: many feed-forward layers, few of them per token.

Chapter 5 derives it, and shows what happens without the balance loss.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from llm_utils.model.ffn import SwiGLU


class Routing(NamedTuple):
    """Where N tokens went: what the router thought, and what it chose."""

    probs: Tensor  # (N, E), rows sum to 1
    chosen: Tensor  # (N, k), experts, the best first
    weights: Tensor  # (N, k), rows sum to 1 if k > 1


def route(logits: Tensor, top_k: int) -> Routing:
    """(N, E) -> Routing: the top_k experts of each token.

    Their weights are their probabilities, made to sum to 1: Jiang et al.
    (2024), section 2.1. A single one would be the constant 1, from which no
    router learns, so with top_k = 1 the weight is the probability itself:
    Fedus et al. (2022), equation 2. Chapter 5.
    """
    probs = logits.softmax(-1)
    weights, chosen = probs.topk(top_k, dim=-1)
    if top_k > 1:
        weights = weights / weights.sum(-1, keepdim=True)
    return Routing(probs, chosen, weights)


def expert_load(routing: Routing) -> Tensor:
    """-> (E,): the share of assignments each expert got; sums to 1."""
    E = routing.probs.shape[-1]
    n = torch.bincount(routing.chosen.flatten(), minlength=E)
    return n / n.sum()


def balance_loss(routing: Routing) -> Tensor:
    """-> (): 1 when load and probability are even, E when one takes all.

    E * sum of load * mean probability; the gradient flows through the
    probabilities. Chapter 5; Fedus et al. (2022), equation 4.
    """
    load = expert_load(routing)
    return len(load) * (load * routing.probs.mean(0)).sum()


class MoE(nn.Module):
    """(..., C) -> (..., C): each token through top_k of E SwiGLU experts.

    top_k = 2 or more is Mixtral's layer, top_k = 1 weighs as the Switch
    transformer does; see `route`. `routing` keeps the last forward's choices,
    for `balance_loss`. Derived in chapter 5; Shazeer et al. (2017).
    """

    def __init__(
        self, d_model: int, d_ff: int, n_experts: int, top_k: int
    ) -> None:
        super().__init__()
        if not 1 <= top_k <= n_experts:
            raise ValueError(
                f"top_k={top_k} of n_experts={n_experts}: choose 1 or more of "
                "them, and no more than there are"
            )
        self.top_k = top_k
        self.router = nn.Linear(d_model, n_experts, bias=False)
        self.experts = nn.ModuleList(
            SwiGLU(d_model, d_ff) for _ in range(n_experts)
        )
        self.routing: Routing | None = None

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(0, -2)  # (N, C)
        self.routing = routing = route(self.router(tokens), self.top_k)
        return self.mix(tokens, routing).view_as(x)

    def mix(self, tokens: Tensor, routing: Routing) -> Tensor:
        """(N, C) -> (N, C): assignments sorted by expert, one call each."""
        k = self.top_k
        expert, order = routing.chosen.flatten().sort(stable=True)  # (N * k,)
        sizes = torch.bincount(expert, minlength=len(self.experts)).tolist()
        groups = tokens[order // k].split(sizes)  # E of (n_e, C)
        pairs = zip(self.experts, groups, strict=True)
        done = torch.cat([compute(group) for compute, group in pairs])
        done = done[order.argsort()].unflatten(0, (-1, k))  # (N, k, C)
        return (routing.weights[..., None] * done).sum(1)


def total_balance_loss(model: nn.Module) -> Tensor:
    """-> (): the mean balance loss of a model's MoE layers, last forward.

    To be added to the loss with a weight of about 0.01. ValueError for a model
    without any, or before its first forward.
    """
    layers = [m for m in model.modules() if isinstance(m, MoE)]
    routings = [m.routing for m in layers if m.routing is not None]
    if not routings:
        raise ValueError(
            f"{len(layers)} MoE layers and no routing: build the model with "
            "moe_block and call it once before"
        )
    return torch.stack([balance_loss(r) for r in routings]).mean()
