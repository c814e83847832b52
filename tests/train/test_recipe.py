"""Recipes: defaults, flags over files, typos refused."""

from __future__ import annotations

import json

import pytest
import torch

from llm_utils.model.zoo import build
from llm_utils.train.muon import Together
from llm_utils.train.optim import AdamW
from llm_utils.train.recipe import OptimConfig, Recipe, from_dict, read_recipe


def write(folder, text: str):
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_flags_go_over_the_file_and_the_file_over_the_defaults(tmp_path):
    path = write(
        tmp_path,
        '[model]\npreset = "tiny-qwen"\nn_layers = 2\n'
        "[train]\nsteps = 100\n[optim]\nlr = 1\nwarmup = 5\n",
    )
    flags = [
        "--train.steps=200", "--data.source=a b.txt", "--model.d_ff=7",
        "--train.compile=true", "--optim.schedule=wsd",
    ]  # fmt: skip
    recipe = read_recipe(path, flags)
    assert recipe.model == {"preset": "tiny-qwen", "n_layers": 2, "d_ff": 7}
    assert recipe.train.steps == 200 and recipe.train.compile is True
    assert recipe.optim.lr == 1 and recipe.optim.warmup == 5
    assert recipe.optim.schedule == "wsd"
    assert recipe.data.source == "a b.txt"
    assert recipe.run == Recipe().run
    assert from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


@pytest.mark.parametrize(
    ("text", "flag", "message"),
    [
        ("[train]\nstep = 3", "", "train has no 'step': choose from steps"),
        ("[trn]\nsteps = 3", "", "no 'trn': choose from model, data"),
        ("[optim]\nlr = 1", "", "train.steps is missing"),
        ("steps = 3", "", "no 'steps'"),
        ("[train]\nsteps =", "", "no TOML"),
        ("[train]\nsteps = 'x'", "", "train.steps = 'x' is str, int is due"),
        ("[train]\nsteps = 3.5", "", "is float, int is due"),
        ("[train]\nsteps = true", "", "is bool, int is due"),
        ("[train]\nsteps = 100", "--model.preset=gpt5", "choose from gpt2"),
        ("[train]\nsteps = 100", "--model.layers=3", "model has no 'layers'"),
        ("[train]\nsteps = 100", "--optim.name=sgd", "choose from adamw, muon"),
        ("[train]\nsteps = 100", "--optim.schedule=x", "choose from cosine"),
        ("[train]\nsteps = 10", "", "warmup=50 .* steps=10"),
        ("[train]\nsteps = 100", "--data.held_out=1.0", "held_out=1.0"),
        ("[train]\nsteps = 100", "--data.documents=0", "has no end"),
        ("[train]\nsteps = 100", "--lr=3", "--section.key=value"),
        ("[train]\nsteps = 100", "train.clip=3", "--section.key=value"),
        ("[train]\nsteps = 100", "--train.clip=0.0", "clip=0.0"),
    ],
)
def test_what_is_wrong_is_said(text, flag, message, tmp_path) -> None:
    with pytest.raises(ValueError, match=message):
        read_recipe(write(tmp_path, text), [flag] if flag else [])


def test_no_file(tmp_path) -> None:
    with pytest.raises(ValueError, match="there is no"):
        read_recipe(tmp_path / "recipe.toml")


def test_optimizers_and_schedules() -> None:
    model = build("tiny-llama", torch.Generator(), n_layers=1)
    adamw = OptimConfig(lr=0.5, weight_decay=0.3).optimizer(model)
    assert isinstance(adamw, AdamW)
    assert [g["weight_decay"] for g in adamw.param_groups] == [0.3, 0.0]
    muon = OptimConfig(name="muon", lr_scale=7.0).optimizer(model)
    assert isinstance(muon, Together)
    assert muon.param_groups[0]["lr_scale"] == 7.0
    wsd = OptimConfig(
        lr=2.0, schedule="wsd", warmup=0, decay=10, final=0.0
    ).rates(20)
    assert [wsd(0), wsd(10), wsd(15), wsd(20)] == [2, 2, 1, 0]
    cosine = OptimConfig(lr=2.0, warmup=4).rates(20)
    assert (cosine(4), cosine(20)) == (2.0, pytest.approx(0.2))
    assert OptimConfig(lr=2.0, schedule="constant").rates(20)(3) == 2.0
