"""Pairs, the reward model and DPO: what each loss does, and its loop."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from aligned import ASKED, FORMATS_ALL, ask, close, pairs, seeded, spoken, tiny
from bugs import with_bug

from llm_utils.align import dpo
from llm_utils.align import pairs as pairs_module
from llm_utils.align.dpo import (
    dpo_loss,
    ipo_loss,
    reference_log_probs,
    robust_loss,
    simpo_loss,
    train_dpo,
)
from llm_utils.align.pairs import Pair, make_pair, pair_collate, sums
from llm_utils.align.reward import (
    RewardModel,
    bradley_terry_loss,
    train_reward,
)
from llm_utils.text.next_token import token_log_probs
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.schedules import constant
from llm_utils.train.trainer import TrainConfig

LOGS = [torch.randn(6, generator=seeded(i)).double() - 3 for i in range(4)]


# --- pairs -------------------------------------------------------------------


def assert_padding_changes_nothing(module) -> None:
    model, template = spoken(model=tiny().double())
    found = pairs(template)
    wanted = []
    for side in (1, 2):
        for pair in found:
            row = torch.tensor([[*pair.prompt, *pair[side]]])
            logs = token_log_probs(model(row[:, :-1]), row[:, 1:])[0]
            wanted.append(logs[len(pair.prompt) - 1 :].sum())
    x, y = module.pair_collate(found, end=template.end)
    close(module.sums(model, x, y), torch.stack(wanted), atol=1e-10, rtol=0)
    each = torch.tensor([len(p[s]) for s in (1, 2) for p in found])
    means = module.sums(model, x, y, mean=True)
    close(means, torch.stack(wanted) / each, atol=1e-10, rtol=0)


def test_padding_never_changes_a_log_probability(tmp_path: Path) -> None:
    assert_padding_changes_nothing(pairs_module)
    for old, new in (
        ("[False] * len(pair[0])", "[False] + [True] * (len(pair[0]) - 1)"),
        ("for side in (1, 2):", "for side in (2, 1):"),
        ("(y != NO_TARGET).sum(-1)", "y.shape[1]"),
    ):
        broken = with_bug(tmp_path, pairs_module, old, new)
        with pytest.raises(AssertionError):
            assert_padding_changes_nothing(broken)


@pytest.mark.parametrize("name", FORMATS_ALL)
def test_a_pair_is_what_a_template_renders(name: str) -> None:
    _, t = spoken(FORMATS_ALL[name])
    for (q, good, bad), pair in zip(ASKED, pairs(t), strict=True):
        assert pair.prompt == t.prompt(ask(q))
        for words, ids in ((good, pair.chosen), (bad, pair.rejected)):
            whole = t.render(ask(q, words))
            answer = [i for i, m in zip(*whole, strict=True) if m]
            assert ids == answer and ids[-1] == t.end


GOOD = Pair([1, 2, 3], [4, 9], [5, 6, 9])
WRONG = {
    "its prompt is empty": Pair([], [4, 9], [5, 9]),
    "its chosen is empty": Pair([1], [], [5, 9]),
    "its rejected is empty": Pair([1], [4, 9], []),
    "is mismatched: both answers are the same": Pair([1], [4, 9], [4, 9]),
    "is mismatched: 2 parts": ([1], [4, 9]),
    "chosen is cut short: it ends with the id 4": Pair([1], [4], [5, 9]),
    "rejected is cut short": Pair([1], [4, 9], [5]),
    "rejected has 8 ids with its prompt, max_len=6": Pair(
        [1, 2, 3, 4], [5, 9], [5, 6, 7, 9]
    ),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_refused_and_which_it_is(why: str) -> None:
    pair_collate([GOOD, GOOD], max_len=6, end=9)
    with pytest.raises(ValueError, match=f"pair 1:? {why}"):
        pair_collate([GOOD, WRONG[why]], max_len=6, end=9)
    with pytest.raises(ValueError, match="no pairs"):
        pair_collate([])


def test_an_empty_answer_is_refused_before_it_is_ids() -> None:
    _, t = spoken()
    with pytest.raises(ValueError, match="has no words"):
        make_pair(t, ask("Who?"), "Tom.", " ")


# --- losses ------------------------------------------------------------------


def test_at_the_reference_every_pair_is_a_coin() -> None:
    loss, margins = dpo_loss(*LOGS[:2], *LOGS[:2])
    assert float(loss) == pytest.approx(math.log(2))
    assert float(margins.abs().max()) == 0
    same = bradley_terry_loss(LOGS[0], LOGS[0])
    assert float(same) == pytest.approx(math.log(2))


def test_the_slope_is_beta_times_how_wrong_the_margin_is() -> None:
    """Rafailov et al. (2023), section 4: the weight of each pair."""
    chosen = LOGS[0].clone().requires_grad_()
    loss, margins = dpo_loss(chosen, *LOGS[1:], beta=0.7)
    slope = torch.autograd.grad(loss, chosen)[0]
    close(slope, -0.7 * torch.sigmoid(-margins.detach()) / 6)


def test_smoothing_is_the_mean_over_swapped_labels() -> None:
    """dpo_loss with smoothing e, and robust_loss without its bias."""
    pc, pr, rc, rr = LOGS
    e = 0.2
    right, _ = dpo_loss(pc, pr, rc, rr)
    swapped, _ = dpo_loss(pr, pc, rr, rc)
    smooth, _ = dpo_loss(pc, pr, rc, rr, smoothing=e)
    close(smooth, (1 - e) * right + e * swapped)
    robust, _ = robust_loss(pc, pr, rc, rr, smoothing=e)
    flipped, _ = robust_loss(pr, pc, rr, rc, smoothing=e)
    close((1 - e) * robust + e * flipped, right)
    with pytest.raises(ValueError, match="less than half"):
        robust_loss(pc, pr, rc, rr, smoothing=0.5)


def test_ipo_is_content_and_dpo_is_not() -> None:
    """IPO's best margin is 1/2; DPO's has no end."""
    zero = torch.zeros(1).double()
    for far in (5.0, 50.0):
        ratio = torch.tensor([far]).double().requires_grad_()
        slopes = [
            float(torch.autograd.grad(f(ratio, zero, zero, zero, beta=0.1)[0],
                                      ratio)[0])
            for f in (ipo_loss, dpo_loss)
        ]  # fmt: skip
        assert slopes[0] == pytest.approx(2 * (far - 5)) and slopes[1] < 0


def test_simpo_does_not_look_at_the_reference() -> None:
    nothing = torch.full((6,), math.nan).double()
    loss, margins = simpo_loss(*LOGS[:2], nothing, nothing, beta=2, gamma=1)
    wanted = -torch.log(torch.sigmoid(2 * (LOGS[0] - LOGS[1]) - 1)).mean()
    close(loss, wanted)
    close(margins, 2 * (LOGS[0] - LOGS[1]))


def test_shapes_are_checked() -> None:
    for f in (dpo_loss, ipo_loss, simpo_loss, robust_loss):
        with pytest.raises(ValueError, match="four times"):
            f(*LOGS[:3], LOGS[3][:2])
        with pytest.raises(ValueError, match="four times"):
            f(*(x[:, None] for x in LOGS))


# --- loops -------------------------------------------------------------------


def ready(model, steps: int):
    opt = AdamW(decay_groups(model, 0.0))
    return opt, constant(2e-3), TrainConfig(steps)


@pytest.mark.parametrize(
    ("loss", "mean"),
    [(dpo_loss, False), (partial(ipo_loss, beta=0.5), True),
     (simpo_loss, True)],
)  # fmt: skip
def test_dpo_learns_which_answer_is_liked(loss, mean: bool) -> None:
    model, t = spoken()
    reference = None if loss is simpo_loss else tiny()
    found = pairs(t)
    stats = list(
        train_dpo(model, reference, found, 4, *ready(model, 30), seeded(),
                  loss, mean, t.end)
    )  # fmt: skip
    assert stats[-1]["accuracy"] == 1 and stats[-1].loss < stats[0].loss
    assert stats[-1]["margin"] > stats[0]["margin"]
    if reference is not None:
        assert stats[0]["margin"] == pytest.approx(0, abs=1e-5)
        assert stats[-1]["chosen"] > stats[-1]["rejected"]


def test_the_reference_is_asked_once_and_left_alone(tmp_path: Path) -> None:
    model, t = spoken(model=tiny().double())
    reference = tiny(seed=5).double()
    before = [p.clone() for p in reference.parameters()]
    found = pairs(t)
    known = reference_log_probs(reference, found, 3)
    x, y = pair_collate(found)
    both = sums(reference, x, y).detach()
    close(known, torch.stack(both.chunk(2), 1), atol=1e-10, rtol=0)
    stats = next(train_dpo(model, reference, found, 4, *ready(model, 1),
                           seeded()))  # fmt: skip
    loss, margins = dpo_loss(
        *sums(spoken(model=tiny().double())[0], x, y).chunk(2), *both.chunk(2)
    )
    assert stats.loss == pytest.approx(float(loss.detach()))
    assert stats["margin"] == pytest.approx(float(margins.detach().mean()))
    assert all(
        torch.equal(a, b)
        for a, b in zip(before, reference.parameters(), strict=True)
    )
    broken = with_bug(tmp_path, dpo, "known[batch]", "known[batch[::-1]]")
    wrong = next(
        broken.train_dpo(
            spoken(model=tiny().double())[0],
            reference,
            found,
            4,
            *ready(model, 1),
            seeded(),
        )
    )
    assert wrong.loss != pytest.approx(stats.loss, abs=1e-4)


def test_a_reward_model_learns_which_answer_is_liked() -> None:
    body, t = spoken()
    model = RewardModel(body, seeded())
    found = pairs(t)
    stats = list(
        train_reward(model, found, 4, *ready(model, 30), seeded(), t.end)
    )
    assert stats[0].loss == pytest.approx(math.log(2), abs=0.1)
    assert stats[-1]["accuracy"] == 1 and stats[-1]["margin"] > 2
    with pytest.raises(ValueError, match="pair 0: its chosen is empty"):
        train_reward(model, [Pair([1], [], [2])], 1, *ready(model, 1), seeded())
