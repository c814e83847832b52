"""Batches of answers: padding that changes nothing, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from aligned import ASKED, TALK, ask, close, seeded, spoken, tiny
from bugs import with_bug
from torch import Tensor

from llm_utils.align import sft
from llm_utils.align.sft import endless, sft_collate, train_sft
from llm_utils.text.next_token import next_token_loss, token_log_probs
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.schedules import constant
from llm_utils.train.trainer import TrainConfig

Collate = Callable[..., tuple[Tensor, Tensor]]
MODEL, TEMPLATE = spoken(model=tiny().double())
EXAMPLES = [
    TEMPLATE.render(m)
    for m in [*(ask(q, a) for q, a, _ in ASKED), TALK]
]  # fmt: skip


def loss_of(collate: Collate, examples) -> tuple[Tensor, list[Tensor]]:
    """The loss of a batch and its gradients."""
    x, y = collate(examples)
    loss = next_token_loss(MODEL(x), y)
    return loss, list(torch.autograd.grad(loss, list(MODEL.parameters())))


def by_hand() -> tuple[Tensor, list[Tensor]]:
    """One example after the other, unpadded; nothing of `sft` in it."""
    total, n = torch.zeros((), dtype=torch.float64), 0
    for ids, mask in EXAMPLES:
        row = torch.tensor([ids])
        logs = token_log_probs(MODEL(row[:, :-1]), row[:, 1:])[0]
        total = total - logs[torch.tensor(mask[1:])].sum()
        n += sum(mask)
    loss = total / n
    return loss, list(torch.autograd.grad(loss, list(MODEL.parameters())))


def assert_padding_changes_nothing(collate: Collate) -> None:
    wanted, slope = by_hand()
    found, own = loss_of(collate, EXAMPLES)
    close(found, wanted, atol=1e-12, rtol=0)
    close(own, slope, atol=1e-10, rtol=0)


def test_padding_never_changes_a_loss() -> None:
    assert_padding_changes_nothing(sft_collate)
    x, y = sft_collate(EXAMPLES)
    assert sum((y[i] != -100).sum() for i in range(len(y))) == sum(
        sum(mask) for _, mask in EXAMPLES
    )
    longer = (
        torch.nn.functional.pad(x, (0, 9)),
        torch.nn.functional.pad(y, (0, 9), value=-100),
    )
    close(next_token_loss(MODEL(longer[0]), longer[1]),
          next_token_loss(MODEL(x), y), atol=1e-12, rtol=0)  # fmt: skip


BUGS = {
    "prompts are learned": (
        "row[: len(learn)].masked_fill_(~learn, NO_TARGET)", "pass"
    ),
    "the mask is not shifted": ("mask[1:], dtype", "mask[:-1], dtype"),
    "padding is learned": (
        "    return x, y\n\n\ndef fault",
        "    y[0, -1] = 0\n    return x, y\n\n\ndef fault",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_seen(bug: str, tmp_path: Path) -> None:
    broken = with_bug(tmp_path, sft, *BUGS[bug])
    with pytest.raises(AssertionError):
        assert_padding_changes_nothing(broken.sft_collate)


IDS, MASK = EXAMPLES[0]
END = TEMPLATE.end
WRONG = {
    "is mismatched: .* ids, but": (IDS, MASK[:-1]),
    "is empty: no id": (IDS, [False] * len(IDS)),
    "learns its first id": (IDS, [True] * len(IDS)),
    "is cut short: an answer ends at place": (IDS[:-1], MASK[:-1]),
    "has 98 ids, max_len=60": (IDS[:1] * 70 + IDS, [False] * 70 + MASK),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_refused_and_which_it_is(why: str) -> None:
    good = EXAMPLES[:2]
    sft_collate(good, max_len=60, end=END)
    with pytest.raises(ValueError, match=f"example 2 {why}"):
        sft_collate([*good, WRONG[why]], max_len=60, end=END)


def test_an_answer_in_the_middle_must_end_too() -> None:
    ids, mask = TEMPLATE.render(TALK)
    first = ids.index(END, 1)
    assert mask[first]
    with pytest.raises(ValueError, match="example 0 is cut short"):
        sft_collate([(ids[:first] + ids[first + 1 :],
                      mask[:first] + mask[first + 1 :])], end=END)  # fmt: skip
    with pytest.raises(ValueError, match="no examples"):
        sft_collate([])


def test_each_epoch_takes_each_once_and_in_another_order() -> None:
    found = endless(range(6), 2, seeded())
    epochs = [[i for _ in range(3) for i in next(found)] for _ in range(3)]
    assert all(sorted(epoch) == [*range(6)] for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    again = endless(range(6), 2, seeded())
    assert next(again) == epochs[0][:2]
    for B in (0, 7):
        with pytest.raises(ValueError, match=f"B={B}"):
            next(endless(range(6), B, seeded()))


def test_the_loop_learns_answers_and_ends() -> None:
    model = tiny()
    opt = AdamW(decay_groups(model, 0.0))
    cfg = TrainConfig(60)
    stats = list(
        train_sft(
            model, EXAMPLES[:4], 4, opt, constant(0.01), cfg, seeded(), END
        )
    )
    assert stats[-1].loss < 0.05 < stats[0].loss
    assert stats[0].tokens == sum(sum(mask) for _, mask in EXAMPLES[:4])
    with pytest.raises(ValueError, match="example 4 is cut short"):
        train_sft(model, [*EXAMPLES[:4], (IDS[:-1], MASK[:-1])], 2, opt,
                  constant(0.01), cfg, seeded(), end=END)  # fmt: skip
