"""The classifier reads the last token, as that of transformers does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from aligned import PAD, TOKENIZER, close, seeded, tiny
from bugs import with_bug
from torch import nn
from transformers import AutoModelForSequenceClassification

from llm_utils.align import classify
from llm_utils.align.classify import Classifier, pad_rows, train_classifier
from llm_utils.align.learn import Lost
from llm_utils.model.hf import to_hf
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.schedules import constant
from llm_utils.train.trainer import TrainConfig

LENGTHS = (3, 9, 1, 6)
ROWS = [torch.randint(90, (n,), generator=seeded(n)).tolist() for n in LENGTHS]


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2"])
def test_it_is_that_of_transformers(
    agrees, name: str, tmp_path: Path
) -> None:
    ours = Classifier(tiny(name), 5, seeded())
    to_hf(ours.body, TOKENIZER, tmp_path)
    pad = TOKENIZER.special_tokens[PAD]
    theirs = AutoModelForSequenceClassification.from_pretrained(
        tmp_path, num_labels=5, pad_token_id=pad
    )
    theirs.score.weight.data = ours.head.data.clone()
    x, lengths = pad_rows(ROWS)
    places = torch.arange(x.shape[1]) < lengths[:, None]
    found = theirs(
        x.masked_fill(~places, pad), attention_mask=places.long()
    ).logits
    what = "scores of a classifier on padded texts"
    agrees("transformers", what, ours(x, lengths), found, atol=1e-5, rtol=0)
    assert float(found.detach().std(0).min()) > 1e-3, "vacuous test"


def assert_padding_changes_nothing(kind) -> None:
    model = kind.Classifier(tiny().double(), 3, seeded())
    alone = [model(*pad_rows([row]))[0] for row in ROWS]
    close(model(*pad_rows(ROWS)), torch.stack(alone), atol=1e-12, rtol=0)


def test_padding_never_changes_a_score(tmp_path: Path) -> None:
    assert_padding_changes_nothing(classify)
    for old, new in (("lengths - 1]", "-1]"), ("lengths - 1]", "0]")):
        broken = with_bug(tmp_path, classify, old, new)
        if new == "0]":  # the first token has seen nothing
            x, lengths = pad_rows(ROWS)
            later = x.clone()
            later[1, 5] += 1
            for kind, moves in ((classify, True), (broken, False)):
                model = kind.Classifier(tiny(), 3, seeded())
                a, b = model(x, lengths)[1], model(later, lengths)[1]
                assert torch.equal(a, b) != moves
        else:
            with pytest.raises(AssertionError):
                assert_padding_changes_nothing(broken)


def test_it_learns_what_only_the_whole_text_tells() -> None:
    """Whether an id stands anywhere in a text."""
    rng = seeded(1)
    rows = [[*torch.randint(2, 30, (7,), generator=rng).tolist(), 1]
            for _ in range(32)]  # fmt: skip
    for row in rows[::2]:
        row[3] = 0
    model = Classifier(tiny(), 2, seeded())
    opt = AdamW(decay_groups(model, 0.0))
    stats = list(
        train_classifier(
            model, rows, [1, 0] * 16, 16, opt, constant(3e-3), TrainConfig(60),
            seeded(),
        )
    )  # fmt: skip
    assert stats[0]["accuracy"] < 0.8 and stats[-1]["accuracy"] == 1
    assert stats[-1].loss < 0.1 and stats[-1].step == 60
    assert set(stats[0].row()) == {
        "step", "loss", "lr", "grad_norm", "seconds", "accuracy"
    }  # fmt: skip


def test_a_loss_that_is_no_number_stops_before_the_step() -> None:
    model = Classifier(tiny(), 2, seeded())
    with torch.no_grad():
        model.head[0] = torch.nan
    before = model.body.tokens.weight.detach().clone()
    loop = train_classifier(
        model, ROWS, [0, 1, 0, 1], 2, AdamW(decay_groups(model)),
        constant(0.1), TrainConfig(3), seeded(),
    )  # fmt: skip
    with pytest.raises(Lost, match="step 1: the loss is nan"):
        next(loop)
    assert torch.equal(model.body.tokens.weight, before)


def test_accumulated_steps_are_those_of_one_batch() -> None:
    states = []
    for B, parts in ((4, 1), (2, 2)):
        model = Classifier(tiny().double(), 2, seeded())
        opt = AdamW(decay_groups(model))
        cfg = TrainConfig(1, accumulate=parts)
        list(train_classifier(model, ROWS, [0, 1, 0, 1], B, opt,
                              constant(0.01), cfg, seeded()))  # fmt: skip
        states.append(nn.utils.parameters_to_vector(model.parameters()))
    close(*states, atol=1e-10, rtol=0)


def test_nonsense_is_refused() -> None:
    model = Classifier(tiny(), 2)
    x, lengths = pad_rows(ROWS)
    for wrong in (lengths[:2], lengths * 0, lengths + 9):
        with pytest.raises(ValueError, match="lengths"):
            model(x, wrong)
    with pytest.raises(ValueError, match="row 1 is empty"):
        pad_rows([[1], []])
    with pytest.raises(ValueError, match="row 1 has 9 ids"):
        pad_rows(ROWS, 8)
    with pytest.raises(ValueError, match="no rows"):
        pad_rows([])
    with pytest.raises(ValueError, match="n_classes=0"):
        Classifier(tiny(), 0)
    more = (2, AdamW(decay_groups(model)), constant(0.1))
    for labels, why in (([0, 1], "2 labels"), ([0, 1, 2, 0], "text 2 is 2")):
        with pytest.raises(ValueError, match=why):
            train_classifier(model, ROWS, labels, *more, TrainConfig(1),
                             seeded())  # fmt: skip
    loop = train_classifier(model, ROWS, [0, 1, 0, 1], *more,
                            TrainConfig(1, compile=True), seeded())  # fmt: skip
    with pytest.raises(ValueError, match="compile"):
        next(loop)
