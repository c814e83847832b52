"""A Llama without autograd is the same Llama."""

from __future__ import annotations

import pytest
import torch
from tiny import ids, seeded, tiny

from llm_utils.appendix import by_hand
from llm_utils.model.zoo import build
from llm_utils.text.next_token import next_token_loss
from llm_utils.train.optim import AdamW

close = torch.testing.assert_close


def autograd(model, x, y):
    model.zero_grad()
    loss = next_token_loss(model(x), y)
    loss.backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters()}
    return loss.detach(), grads


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 16)])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_loss_and_every_gradient(agrees, shape, heads) -> None:
    model = tiny("tiny-llama", n_kv_heads=heads)
    x, y = ids(*shape), ids(*shape, seed=1)
    want, wanted = autograd(model, x, y)
    loss, grads = by_hand.loss_and_grads(
        by_hand.weights_of(model), model.cfg, x, y
    )
    what = "the loss of a Llama by hand"
    agrees("torch", what, loss, want, atol=1e-12, rtol=0)
    assert set(grads) == set(wanted)
    what = "the gradients of a Llama by hand"
    agrees("torch", what, grads, wanted, atol=1e-10, rtol=0)
    assert all((g != 0).any() for g in wanted.values() if shape[1] > 1)


def test_targets_that_do_not_count() -> None:
    model = tiny("tiny-llama")
    x, y = ids(2, 6), ids(2, 6, seed=1)
    y[:, :4] = -100
    want, wanted = autograd(model, x, y)
    weights = by_hand.weights_of(model)
    loss, grads = by_hand.loss_and_grads(weights, model.cfg, x, y)
    close((loss, grads), (want, wanted), atol=1e-10, rtol=0)


def test_recomputing_changes_no_bit() -> None:
    model, x, y = tiny("tiny-llama"), ids(2, 6), ids(2, 6, seed=1)
    weights = by_hand.weights_of(model)
    one = by_hand.loss_and_grads(weights, model.cfg, x, y)
    two = by_hand.loss_and_grads(weights, model.cfg, x, y, recompute=True)
    assert torch.equal(one[0], two[0])
    assert all(torch.equal(one[1][n], two[1][n]) for n in one[1])


def losses(model, hand: bool, whole: bool = True) -> torch.Tensor:
    """Of thirty steps of AdamW on the same batches."""
    weights = by_hand.weights_of(model)
    params = weights if hand else dict(model.named_parameters())
    opt, rng, seen = AdamW(params.values(), lr=3e-3), seeded(4), []
    for _ in range(30):
        x = torch.randint(31, (4, 9), generator=rng)
        x, y = x[:, :-1], x[:, 1:]
        if hand:
            loss, grads = by_hand.loss_and_grads(weights, model.cfg, x, y)
        else:
            loss, grads = autograd(model, x, y)
        for name, p in params.items():
            p.grad = grads[name] * (whole or name != "norm.weight")
        opt.step()
        seen.append(loss)
    return torch.stack(seen)


def test_trained_by_hand_the_losses_are_autograds(agrees) -> None:
    with_autograd = losses(tiny("tiny-llama"), hand=False)
    agrees(
        "torch", "losses of thirty steps without autograd, and with it",
        losses(tiny("tiny-llama"), hand=True), with_autograd,
        atol=1e-9, rtol=0,
    )  # fmt: skip
    wrong = losses(tiny("tiny-llama"), hand=True, whole=False)
    assert (wrong - with_autograd).abs().max() > 1e-6, "vacuous"


def test_autograd_sees_nothing() -> None:
    model, x, y = tiny("tiny-llama"), ids(2, 6), ids(2, 6, seed=1)
    weights = {n: w.requires_grad_()
               for n, w in by_hand.weights_of(model).items()}  # fmt: skip
    loss, grads = by_hand.loss_and_grads(weights, model.cfg, x, y)
    assert not loss.requires_grad
    assert not any(g.requires_grad for g in grads.values())


@pytest.mark.parametrize(
    "name, sizes",
    [("tiny-gpt2", {}), ("tiny-qwen", {}), ("tiny-llama", {"window": 4}),
     ("tiny-llama", {"tie_embeddings": False}),
     ("tiny-llama", {"dropout": 0.1}),
     ("tiny-llama", {"positions": "learned"})],
)  # fmt: skip
def test_another_model_is_refused(name, sizes) -> None:
    with pytest.raises(ValueError, match="plain Llama"):
        by_hand.weights_of(build(name, **sizes))
