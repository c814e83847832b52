"""Every loss against TRL's trainers: the same batch, weights, gradients.

Offline, on tiny random models. TRL cuts conversations into ids by itself, with
the template that we have written.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from aligned import (
    ASKED,
    PAD,
    ask,
    close,
    folder_of,
    pairs,
    same_gradients,
    seeded,
    spoken,
    tiny,
)
from bugs import with_bug
from datasets import Dataset
from transformers import AutoModelForSequenceClassification
from trl import (
    DPOConfig,
    DPOTrainer,
    RewardConfig,
    RewardTrainer,
    SFTConfig,
    SFTTrainer,
)
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl_parts import batch_of, load, settings, words

from llm_utils.align import dpo
from llm_utils.align.classify import pad_rows
from llm_utils.align.pairs import pair_collate, sums
from llm_utils.align.reward import RewardModel, bradley_terry_loss
from llm_utils.align.sft import sft_collate
from llm_utils.model.hf import from_hf
from llm_utils.text.next_token import next_token_loss
from llm_utils.train.schedules import constant
from llm_utils.train.trainer import TrainConfig

pytestmark = pytest.mark.filterwarnings("ignore")

BETA, ATOL = 0.3, 1e-6
CHOSEN, REJECTED = (
    [{"prompt": ask(x[0]), name: ask(x[0], x[i])[1:]} for x in ASKED]
    for i, name in ((1, "chosen"), (2, "rejected"))
)
PAIRS = Dataset.from_list(
    [a | b for a, b in zip(CHOSEN, REJECTED, strict=True)]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of four models."""
    path = tmp_path_factory.mktemp("trl")
    model, template = spoken()
    folder_of(model, template, path / "model")
    folder_of(tiny(seed=5), template, path / "reference")
    for name, seed in (("exact", 0), ("exact reference", 5)):
        folder_of(tiny("tiny-gpt2", seed), template, path / name)
    return path


# --- supervised fine-tuning --------------------------------------------------


def test_sft_loss(agrees, folder: Path) -> None:
    model, template = spoken()
    data = Dataset.from_list([{"messages": ask(q, a)} for q, a, _ in ASKED])
    theirs = load(folder / "model")
    trainer = SFTTrainer(
        theirs, settings(folder, SFTConfig, assistant_only_loss=True),
        train_dataset=data,
        processing_class=words(folder / "model"),
    )  # fmt: skip
    batch = batch_of(trainer)
    x, y = sft_collate([template.render(ask(q, a)) for q, a, _ in ASKED])
    what = "the targets of fine-tuning on answers"
    agrees("trl", what, y, batch["labels"][:, 1:], atol=0, rtol=0)
    plain = theirs(
        batch["input_ids"], batch["attention_mask"], labels=batch["labels"]
    ).loss
    loss = trainer.compute_loss(theirs, batch)
    loss.backward()
    ours = next_token_loss(model(x), y)
    ours.backward()
    what = "the loss of fine-tuning on answers"
    agrees("trl", what, ours, loss, atol=ATOL, rtol=0)
    agrees("transformers", what, ours, plain, atol=ATOL, rtol=0)
    same_gradients(model, theirs, ATOL, "fine-tuning on answers", agrees)


# --- preferences -------------------------------------------------------------


def theirs_and_loss(folder: Path, **more):
    trainer = DPOTrainer(
        load(folder / "exact").double(),
        load(folder / "exact reference").double(),
        settings(folder, DPOConfig, beta=BETA, max_length=None, **more),
        train_dataset=PAIRS,
        processing_class=words(folder / "model"),
    )  # fmt: skip
    n = 1 if more["loss_type"] == ["aot"] else 4
    batch = batch_of(trainer, n)
    loss = trainer.compute_loss(trainer.model, batch)
    trainer.model.zero_grad()
    loss.backward()
    return trainer.model, loss, batch


def our_loss(loss, n: int = 4, mean: bool = False):
    """In float64, with GPT-2, whose layers have no float32 inside.

    From TRL 1.16 on its own sums are in float32, and differ by a few 1e-7.
    """
    model, template = spoken(model=tiny("tiny-gpt2").double())
    reference = tiny("tiny-gpt2", 5).double()
    x, y = pair_collate(pairs(template, n), end=template.end)
    with torch.no_grad():
        ref = sums(reference, x, y, mean=mean).chunk(2)
    value, _ = loss(*sums(model, x, y, mean=mean).chunk(2), *ref)
    value.backward()
    return model, value, y


def test_their_trainer_and_our_loop_end_at_the_same_weights(
    agrees, folder: Path
) -> None:
    """Three steps of DPO, each on all pairs: TRL trains what we export."""
    trainer = DPOTrainer(
        load(folder / "model"), load(folder / "reference"),
        settings(
            folder, DPOConfig, beta=BETA, max_length=None, max_steps=3,
            learning_rate=0.1, lr_scheduler_type="constant", optim="sgd",
            max_grad_norm=1.0, logging_strategy="no", save_strategy="no",
        ),
        train_dataset=PAIRS,
        processing_class=words(folder / "model"),
    )  # fmt: skip
    trainer.train()
    trainer.model.save_pretrained(folder / "trained")
    wanted = from_hf(folder / "trained")
    model, template = spoken()
    opt = torch.optim.SGD(model.parameters(), 0.1)
    loss = partial(dpo.dpo_loss, beta=BETA)
    stats = list(
        dpo.train_dpo(
            model, tiny(seed=5), pairs(template), 4, opt, constant(0.1),
            TrainConfig(3), seeded(), loss, end=template.end,
        )
    )  # fmt: skip
    assert stats[-1].loss < stats[0].loss
    agrees(
        "trl", "weights after three steps of DPO from our folder",
        model.state_dict(), wanted.state_dict(), atol=1e-5, rtol=0,
    )  # fmt: skip
    gone = tiny().state_dict()
    moved = [(gone[k] - v).abs().max() for k, v in wanted.state_dict().items()]
    assert min(moved) > 1e-3, "vacuous test"


# TRL's options, our loss, pairs, log p per token. TRL has the smoothing of
# Mitchell (2023) only in `aot`, which for a single pair is the same loss.
LOSSES = {
    "dpo": (["sigmoid"], 0.0, partial(dpo.dpo_loss, beta=BETA), 4, False),
    "smooth": (
        ["aot"], 0.2, partial(dpo.dpo_loss, beta=BETA, smoothing=0.2), 1, False
    ),
    "robust": (
        ["robust"], 0.2,
        partial(dpo.robust_loss, beta=BETA, smoothing=0.2), 4, False,
    ),
    "ipo": (["ipo"], 0.0, partial(dpo.ipo_loss, beta=BETA), 4, True),
}  # fmt: skip


NAMES = {"dpo": "DPO", "smooth": "DPO with smoothed labels",
         "robust": "robust DPO", "ipo": "IPO"}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_dpo_and_its_variants(agrees, name: str, folder: Path) -> None:
    kind, smoothing, loss, n, mean = LOSSES[name]
    theirs, wanted, batch = theirs_and_loss(
        folder, loss_type=kind, label_smoothing=smoothing
    )
    model, value, y = our_loss(loss, n, mean)
    assert torch.equal(batch["completion_mask"][:, 1:].bool(), y != -100)
    assert torch.equal(batch["input_ids"][:, 1:][y != -100], y[y != -100])
    value, wanted, what = value.double(), wanted.double(), NAMES[name]
    agrees("trl", f"the loss of {what}", value, wanted, atol=ATOL, rtol=0)
    same_gradients(model, theirs, ATOL, what, agrees)


BUGS = {
    "the reference is forgotten": (
        "beta * ((pi_chosen - ref_chosen) - (pi_rejected - ref_rejected))",
        "beta * (pi_chosen - pi_rejected)",
    ),
    "the losers win": ("F.logsigmoid(margins)\n", "F.logsigmoid(-margins)\n"),
    "beta is left out": ("margins = beta * (", "margins = 1.0 * ("),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_wrong_dpo_is_seen(bug: str, folder: Path, tmp_path: Path) -> None:
    broken = with_bug(tmp_path, dpo, *BUGS[bug])
    _, wanted, _ = theirs_and_loss(folder, loss_type=["sigmoid"])
    _, value, _ = our_loss(partial(broken.dpo_loss, beta=BETA))
    with pytest.raises(AssertionError):
        close(value.double(), wanted.double(), atol=1e-3, rtol=0)


def test_simpo_is_that_of_their_cpo_trainer(agrees, folder: Path) -> None:
    theirs = load(folder / "model")
    trainer = CPOTrainer(
        theirs,
        settings(
            folder, CPOConfig, loss_type="simpo", simpo_gamma=0.4, beta=2.0,
            cpo_alpha=0.0,
        ),
        train_dataset=PAIRS,
        processing_class=words(folder / "model", pad_token=PAD),
    )  # fmt: skip
    batch = {
        "policy": torch.tensor([-0.5, -2.0, -1.0, -0.1]),
        "other": torch.tensor([-0.7, -0.3, -1.0, -5.0]),
    }
    losses, chosen, rejected = trainer.cpo_loss(*batch.values())
    zeros = torch.zeros(4)
    loss, margins = dpo.simpo_loss(
        *batch.values(), zeros, zeros, beta=2.0, gamma=0.4
    )
    what = "the loss of SimPO"
    agrees("trl", what, loss, losses.mean(), atol=ATOL, rtol=0)
    agrees("trl", "the margins of SimPO", margins, chosen - rejected)


@pytest.mark.parametrize("margin", [None, [0.5, 0.0, 1.0, 2.0]])
def test_bradley_terry_is_that_of_their_reward_trainer(
    agrees, folder: Path, margin: list[float] | None
) -> None:
    body, template = spoken()
    ours = RewardModel(body, seeded(3))
    with torch.no_grad():
        ours.head *= 30
    theirs = load(
        folder / "model", AutoModelForSequenceClassification, num_labels=1
    )
    theirs.score.weight.data = ours.head.data.clone()
    data = PAIRS if margin is None else PAIRS.add_column("margin", margin)
    trainer = RewardTrainer(
        theirs, settings(folder, RewardConfig, max_length=None),
        train_dataset=data,
        processing_class=words(folder / "model", pad_token=PAD),
    )  # fmt: skip
    batch = batch_of(trainer)
    loss = trainer.compute_loss(theirs.eval(), batch)
    loss.backward()
    found = pairs(template)
    rows = [[*p.prompt, *p.chosen] for p in found]
    rows += [[*p.prompt, *p.rejected] for p in found]
    assert [len(r) for r in rows] == batch["attention_mask"].sum(1).tolist()
    chosen, rejected = ours(*pad_rows(rows)).chunk(2)
    value = bradley_terry_loss(chosen, rejected, torch.tensor(margin or 0.0))
    value.backward()
    assert float((chosen - rejected).abs().min()) > 0.01, "vacuous test"
    what = "the loss of a reward model"
    agrees("trl", what, value, loss, atol=ATOL, rtol=0)
    found = theirs.score.weight.grad
    what = "the gradient of a reward model's head"
    agrees("trl", what, ours.head.grad, found, atol=ATOL, rtol=0)
