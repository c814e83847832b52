"""The explorer of the best policy: its JavaScript against the package."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from llm_utils.checks.dpo import tilted
from llm_utils.widgets import tilting_explorer
from llm_utils.widgets.tilting import BETAS, REPLIES, best_policy

SHOWN = """() => [...document.querySelectorAll(".lx-group")].map((group) =>
  [...group.querySelectorAll(".lx-row")].map((x) => Number(x.dataset.value)))"""
TOLD = """() => ({...document.querySelector(".lx-total").dataset})"""


@pytest.mark.parametrize("habit", [0.0, 0.75, 2.5])
@pytest.mark.parametrize("beta", [0.05, 0.4, 10.0])
def test_every_number_is_the_packages(
    play: Any, beta: float, habit: float
) -> None:
    page = play(tilting_explorer(beta, habit))
    ref, policy = page.page.evaluate(SHOWN)
    told = page.page.evaluate(TOLD)
    wanted = best_policy(beta, habit)
    assert policy == pytest.approx(wanted.policy, abs=1e-9)
    nats = torch.tensor([x.nats for x in REPLIES]).double()
    assert ref == pytest.approx(nats.softmax(0).tolist())
    for name in ("reward", "points", "kl"):
        assert float(told[name]) == pytest.approx(
            getattr(wanted, name), abs=1e-9
        )


def test_it_is_the_policy_of_the_exercise() -> None:
    nats = torch.tensor([x.nats for x in REPLIES]).double()
    reward = torch.tensor([x.points + 0.5 * x.length for x in REPLIES])
    theirs = tilted.reference(nats.softmax(0), reward, 0.7)
    assert best_policy(0.7, 0.5).policy == pytest.approx(theirs.tolist())


def test_a_judge_with_a_habit_is_overdone() -> None:
    """Small betas raise the judge's reward and lower the world's points."""
    fair = [best_policy(beta).points for beta in BETAS]
    assert fair == sorted(fair, reverse=True)
    fooled = [best_policy(beta, 2.5) for beta in BETAS]
    rewards = [x.reward for x in fooled]
    assert rewards == sorted(rewards, reverse=True)
    points = [x.points for x in fooled]
    assert points[0] < 0 < max(points) > points[-1]


def test_a_dial_changes_what_is_shown(play: Any) -> None:
    page = play(tilting_explorer(beta=10.0))
    before = page.page.evaluate(SHOWN)
    beta = page.page.get_by_role("slider", name="beta")
    beta.fill("0")
    after = page.page.evaluate(SHOWN)
    assert after[0] == before[0]
    assert after[1][3] > 0.9 > before[1][3]


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_overflows(play: Any, width: int) -> None:
    page = play(tilting_explorer(), width)
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert page.requests == [page.url]


def test_a_beta_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        tilting_explorer(0)
