"""Policy gradients: against the exact gradient, where all can be counted."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from aligned import close, seeded, tiny
from bugs import with_bug
from torch import Tensor

from llm_utils.align import rl
from llm_utils.align.log_probs import response_log_probs
from llm_utils.align.rl import (
    by_length,
    by_response,
    by_token,
    clipped,
    group_advantages,
    grpo_loss,
    kl_estimate,
    leave_one_out,
    reinforce_loss,
)

V, T = 3, 2  # answers of two tokens out of three: nine of them
ALL = torch.tensor(list(itertools.product(range(V), repeat=T)))
WORTH = torch.randn(len(ALL), generator=seeded(7)).double()
PROMPT = 5


def logs_of(model) -> Tensor:
    """log p of each of the nine answers, token by token: (9, T + 1)."""
    x = torch.cat((torch.full((len(ALL), 1), PROMPT), ALL), 1)
    y = x[:, 1:]
    return response_log_probs(model, x[:, :-1], y)


def small():
    """A model with three tokens that may come; the others never do."""
    model = tiny(vocab_size=6, tie_embeddings=False).double()
    with torch.no_grad():
        model.head.weight[V:] = 0
        model.head.weight[:V] *= 8
    return model


def slope(model, loss: Tensor) -> Tensor:
    return torch.autograd.grad(loss, model.blocks[0].attn.q.weight)[0]


def expected(model, loss_of) -> Tensor:
    """Mean gradient of a loss over the answers that the model may give."""
    logs = logs_of(model)
    p = logs.sum(-1).exp().detach()
    total = torch.zeros_like(model.blocks[0].attn.q.weight)
    for i in range(len(ALL)):
        total += p[i] * slope(model, loss_of(logs_of(model), i))
    return total


def assert_reinforce_is_the_gradient(module, baseline: float) -> None:
    """d/dw of the mean reward = minus the mean gradient of the loss.

    The answers that are left out (tokens 3 to 5) are worth the baseline.
    """
    model = small()
    logs = logs_of(model)
    gain = (logs.sum(-1).exp() * (WORTH - baseline)).sum()
    wanted = -slope(model, gain)

    def loss_of(logs: Tensor, i: int) -> Tensor:
        one = logs[i : i + 1]
        return module.reinforce_loss(
            one, torch.ones_like(one), WORTH[i : i + 1] - baseline
        )

    close(expected(model, loss_of), wanted, atol=1e-10, rtol=0)
    assert float(wanted.abs().max()) > 1e-4, "vacuous test"


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_reinforce_is_the_gradient_of_the_mean_reward(baseline) -> None:
    assert_reinforce_is_the_gradient(rl, baseline)


def test_bugs_in_reinforce_are_seen(tmp_path: Path) -> None:
    for old, new in (
        ("return -(advantages * (log_probs", "return (advantages * (log_probs"),
        ("* (log_probs * mask).sum(-1)", "* (log_probs * mask).mean(-1)"),
        ("* (log_probs * mask).sum(-1)", "* (log_probs * mask).exp().sum(-1)"),
    ):
        broken = with_bug(tmp_path, rl, old, new)
        with pytest.raises(AssertionError):
            assert_reinforce_is_the_gradient(broken, 0.0)


def test_a_baseline_keeps_the_mean_and_calms_the_spread() -> None:
    model = small()
    p = logs_of(model).sum(-1).exp().detach()
    p = p / p.sum()
    rewards = WORTH + 10
    slopes = [slope(model, logs_of(model)[i].sum()) for i in range(len(ALL))]
    grads = torch.stack(slopes).flatten(1)
    spreads = []
    for baseline in (0.0, float((p * rewards).sum())):
        each = (rewards - baseline)[:, None] * grads
        mean = (p[:, None] * each).sum(0)
        spreads.append(float((p[:, None] * (each - mean) ** 2).sum()))
    assert spreads[1] < spreads[0] / 10


# --- advantages --------------------------------------------------------------

REWARDS = torch.tensor([[1.0, 0.0, 0.0, 3.0], [2.0, 2.0, 2.0, 2.0]])


def test_group_advantages() -> None:
    A = group_advantages(REWARDS)
    first = REWARDS[0]
    close(A[0], (first - 1) / (first.std() + 1e-4))
    assert A[1].tolist() == [0.0] * 4  # nothing to learn from
    close(group_advantages(REWARDS, scale=False)[0], first - 1)
    close(group_advantages(5 * REWARDS + 7), A, atol=1e-3, rtol=0)


def test_leave_one_out() -> None:
    others = (REWARDS.sum(-1, keepdim=True) - REWARDS) / 3
    close(leave_one_out(REWARDS), REWARDS - others)


def test_a_group_of_one_is_none() -> None:
    for f in (group_advantages, leave_one_out):
        for wrong in (REWARDS[:, :1], REWARDS[0]):
            with pytest.raises(ValueError, match="2 answers or more"):
                f(wrong)


# --- PPO's clip and GRPO -----------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "A", "moves"),
    [(1.0, 1.0, True), (1.1, 1.0, True), (1.3, 1.0, False),
     (0.5, 1.0, True), (1.3, -1.0, True), (0.9, -1.0, True),
     (0.5, -1.0, False)],
)  # fmt: skip
def test_what_has_moved_far_enough_stops(ratio, A, moves, tmp_path) -> None:
    """Schulman et al. (2017), figure 1."""
    logs = torch.tensor([[ratio]]).log().requires_grad_()
    old, advantage = torch.zeros(1, 1), torch.tensor([[A]])
    loss = clipped(logs, old, advantage, 0.2, 0.2)
    grad = float(torch.autograd.grad(loss.sum(), logs)[0])
    assert grad == (pytest.approx(-ratio * A) if moves else 0)
    if ratio == 0.5 and moves:
        bad = with_bug(tmp_path, rl, "torch.minimum(", "torch.maximum(")
        loss = bad.clipped(logs, old, advantage, 0.2, 0.2)
        assert float(torch.autograd.grad(loss.sum(), logs)[0]) == 0


def test_kl_is_right_in_the_mean_and_never_negative() -> None:
    p, q = (torch.randn(9, generator=seeded(i)).double().log_softmax(-1)
            for i in (1, 2))  # fmt: skip
    kl = kl_estimate(p, q)
    close((p.exp() * kl).sum(), (p.exp() * (p - q)).sum())
    assert float(kl.min()) >= 0 and float((p - q).min()) < 0


LOGS = torch.randn(4, 5, generator=seeded(3)).double() - 2
MASK = torch.arange(5) < torch.tensor([5, 2, 1, 4])[:, None]
A4 = torch.tensor([1.0, -1.0, 0.5, 2.0]).double()


def test_at_first_grpo_is_reinforce_per_token() -> None:
    """On what was just drawn the ratio is 1, and its slope that of log p."""
    logs = LOGS.clone().requires_grad_()
    found = grpo_loss(logs, LOGS, MASK, A4)
    wanted = -(A4[:, None] * logs * MASK).sum(-1) / MASK.sum(-1)
    grads = [torch.autograd.grad(x.mean(), logs)[0]
             for x in (found.loss, wanted)]  # fmt: skip
    close(*grads)
    assert float(found.kl) == float(found.clipped) == 0


def test_padding_never_changes_a_loss(tmp_path: Path) -> None:
    old, ref = LOGS + 0.1, LOGS - 0.2
    wide = [torch.nn.functional.pad(x, (0, 3), value=v)
            for x, v in ((LOGS, 9.0), (old, 1.0), (ref, 2.0))]  # fmt: skip
    mask = torch.nn.functional.pad(MASK, (0, 3))
    for average in (by_response, by_token, by_length(8)):
        options = {"beta": 0.3, "average": average}
        a = grpo_loss(LOGS, old, MASK, A4, ref, **options)
        b = grpo_loss(wide[0], wide[1], mask, A4, wide[2], **options)
        close(torch.stack(a), torch.stack(b))
    close(reinforce_loss(LOGS, MASK, A4), reinforce_loss(wide[0], mask, A4))
    broken = with_bug(
        tmp_path, rl, "mask.sum(-1).clamp_min(1)", "mask.shape[-1]"
    )
    a = broken.grpo_loss(LOGS, old, MASK, A4)
    b = broken.grpo_loss(wide[0], wide[1], mask, A4)
    assert float(a.loss) != pytest.approx(float(b.loss))


def test_how_tokens_of_long_and_short_answers_count() -> None:
    x = torch.ones(4, 5).double()
    close(by_response(x * A4[:, None], MASK), A4.mean())
    weights = MASK.sum(-1).double()
    close(by_token(x * A4[:, None], MASK), (A4 * weights).sum() / 12)
    close(by_length(6)(x * A4[:, None], MASK), (A4 * weights).sum() / 24)
    with pytest.raises(ValueError, match="most=0"):
        by_length(0)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="give ref"):
        grpo_loss(LOGS, LOGS, MASK, A4, beta=0.1)
    for wrong in ((MASK[:, 1:], A4), (MASK, A4[1:]), (MASK, A4[:, None])):
        with pytest.raises(ValueError, match=r"\(B, T\), \(B, T\), \(B,\)"):
            reinforce_loss(LOGS, *wrong)
        with pytest.raises(ValueError, match=r"\(B, T\), \(B, T\), \(B,\)"):
            grpo_loss(LOGS, LOGS, *wrong)
    with pytest.raises(ValueError, match="low=-0"):
        clipped(LOGS, LOGS, LOGS, -0.1, 0.2)
