"""Routing, load and balance, against loops over tokens and transformers."""

from __future__ import annotations

import pytest
import torch
from tiny import ids, randn, seeded, stirred, tiny
from torch import nn
from transformers.models.mixtral.modeling_mixtral import (
    load_balancing_loss_func,
)

from llm_utils.model.moe import (
    MoE,
    balance_loss,
    expert_load,
    route,
    total_balance_loss,
)
from llm_utils.notebook import assert_same

close = torch.testing.assert_close


def moe(E: int = 5, k: int = 2) -> MoE:
    torch.manual_seed(0)
    layer = stirred(MoE(6, 8, E, k))
    assert isinstance(layer, MoE)
    return layer


def token_by_token(layer: MoE, x, weigh: bool = True):
    """The definition: each token, its best experts, their weighted sum."""
    out = []
    for token in x.flatten(0, -2):
        p = (layer.router.weight @ token).softmax(-1)
        best = p.argsort(descending=True)[: layer.top_k]
        share = p[best] / (p[best].sum() if len(best) > 1 else 1)
        share = share if weigh else torch.ones(len(best))
        pairs = zip(share, best, strict=True)
        parts = [w * layer.experts[e](token) for w, e in pairs]
        out.append(torch.stack(parts).sum(0))
    return torch.stack(out).view_as(x)


@pytest.mark.parametrize(("E", "k"), [(1, 1), (5, 1), (5, 2), (3, 3), (16, 4)])
@pytest.mark.parametrize("shape", [(1, 1, 6), (2, 7, 6)])
def test_grouped_is_token_by_token(E: int, k: int, shape) -> None:
    layer = moe(E, k)
    assert_same(layer, lambda x: token_by_token(layer, x), randn(*shape))
    if E > 1:  # the classic bug: experts added without their weights
        with pytest.raises(AssertionError):
            assert_same(
                layer, lambda x: token_by_token(layer, x, False), randn(*shape)
            )


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_router_learns(k: int) -> None:
    """Its gradient is not zero, with one expert a token as with more."""
    layer = moe(5, k)
    probe = torch.randn(2, 7, 6, generator=seeded()).double()
    (layer(randn(2, 7, 6)) * probe).sum().backward()
    slope = layer.router.weight.grad
    assert float(slope.abs().max()) > 1e-2


def test_one_expert_weighs_as_in_switch() -> None:
    """The weight is p itself; with two or more they sum to 1."""
    logits = randn(9, 5)
    one, two = route(logits, 1), route(logits, 2)
    close(one.weights[:, 0], logits.softmax(-1).amax(-1))
    close(two.weights.sum(-1), torch.ones(9).double())
    close(one.chosen[:, 0], two.chosen[:, 0])


def test_only_the_chosen_compute() -> None:
    layer = moe(8, 2)
    seen = [0] * 8
    for e, expert in enumerate(layer.experts):
        expert.register_forward_pre_hook(
            lambda _, args, e=e: seen.__setitem__(e, len(args[0]))
        )
    layer(randn(3, 10, 6))
    assert sum(seen) == 30 * 2
    n = torch.bincount(layer.routing.chosen.flatten(), minlength=8)
    assert seen == n.tolist()


def test_load_and_balance_by_hand() -> None:
    """Four tokens, all to experts 0 and 1, equally sure."""
    logits = torch.tensor([[1.0, 1.0, -9.0, -9.0]]).repeat(4, 1)
    routing = route(logits, 2)
    assert expert_load(routing).tolist() == [0.5, 0.5, 0, 0]
    assert float(balance_loss(routing)) == pytest.approx(2, rel=1e-3)
    close(routing.weights.sum(-1), torch.ones(4))
    even = route(torch.eye(4) * 3, 1)
    assert float(balance_loss(even)) == pytest.approx(1)
    one = route(torch.tensor([[99.0, 0, 0, 0]]).repeat(8, 1), 1)
    assert float(balance_loss(one)) == pytest.approx(4)


def test_balance_loss_is_that_of_transformers(agrees) -> None:
    """Theirs counts each of the top_k choices for itself."""
    logits = 3 * randn(50, 6)
    theirs = load_balancing_loss_func((logits,), num_experts=6, top_k=2)
    ours = balance_loss(route(logits, 2))
    agrees(
        "transformers", "the balance loss of a mixture of experts",
        2 * ours, theirs, atol=1e-6, rtol=0, check_dtype=False,
    )  # fmt: skip
    wrong = balance_loss(route(logits, 1))
    assert abs(float(2 * wrong - theirs)) > 1e-3


def test_the_loss_evens_the_load() -> None:
    """A router that sends all to one expert spreads them after training."""
    layer = moe(4, 1).float()
    with torch.no_grad():
        layer.router.weight[0] += 1.0
    x = torch.randn(256, 6, generator=seeded()) + 1

    def share_of_the_busiest(weight: float) -> float:
        router = nn.Linear(6, 4, bias=False)
        router.load_state_dict(layer.router.state_dict())
        opt = torch.optim.Adam(router.parameters(), lr=0.05)
        for _ in range(80):
            loss = weight * balance_loss(route(router(x), 1))
            opt.zero_grad()
            loss.backward()
            opt.step()
        return float(expert_load(route(router(x), 1)).max())

    assert share_of_the_busiest(0.0) > 0.9
    assert share_of_the_busiest(1.0) < 0.4


def test_balance_of_a_whole_model() -> None:
    model = tiny("tiny-moe")
    with pytest.raises(ValueError, match="2 MoE layers and no routing"):
        total_balance_loss(model)
    model(ids(2, 9))
    each = [balance_loss(b.ffn.routing) for b in model.blocks]
    close(total_balance_loss(model), torch.stack(each).mean())
    total_balance_loss(model).backward()
    assert model.blocks[0].ffn.router.weight.grad.abs().any()
    with pytest.raises(ValueError, match="0 MoE layers"):
        total_balance_loss(tiny("tiny-llama"))


@pytest.mark.parametrize("k", [0, 5])
def test_more_experts_than_there_are(k: int) -> None:
    with pytest.raises(ValueError, match=f"top_k={k} of n_experts=4"):
        MoE(6, 8, 4, k)
