"""LoRA: equal to the base, then to what is merged; its files against PEFT."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from aligned import TOKENIZER, close, seeded, tiny
from bugs import with_bug
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModelForCausalLM

from llm_utils.align import lora
from llm_utils.align.lora import (
    LoRA,
    add_lora,
    lora_params,
    loras,
    merge_lora,
    n_trained,
    without_lora,
)
from llm_utils.align.peft_files import CONFIG, WEIGHTS, load_lora, save_lora
from llm_utils.model.hf import to_hf
from llm_utils.text.next_token import next_token_loss
from llm_utils.train.optim import AdamW, decay_groups

X = torch.randint(300, (2, 12), generator=seeded())
ALL = ("q", "k", "v", "out", "gate", "up", "down")


def moved(model: nn.Module, seed: int = 3) -> nn.Module:
    """The same model with corrections that matter."""
    rng = seeded(seed)
    with torch.no_grad():
        for _, one in loras(model):
            one.B.normal_(0, 0.3, generator=rng)
            one.A.normal_(0, 0.3, generator=rng)
    return model


def assert_starts_equal(kind) -> None:
    model = tiny()
    before = model(X).detach()
    kind.add_lora(model, 4, 8.0, ["q", "down"], seeded())
    assert torch.equal(model(X).detach(), before)


def assert_merges_equal(kind) -> None:
    model = tiny().double()
    before = model(X).detach()
    names = model.state_dict().keys()
    kind.add_lora(model, 4, 6.0, ALL, seeded())
    for module in model.modules():
        if isinstance(module, kind.LoRA):
            nn.init.normal_(module.B, 0, 0.3, seeded(3))
    apart = model(X).detach()
    assert float((apart - before).abs().max()) > 0.1, "vacuous test"
    kind.merge_lora(model)
    close(model(X), apart, atol=1e-10, rtol=0)
    assert model.state_dict().keys() == names
    assert all(p.requires_grad for p in model.parameters())


def assert_trains_its_own_alone(kind) -> None:
    model = tiny()
    frozen = copy.deepcopy(model.state_dict())
    on = kind.add_lora(model, 2, 4.0, ["q", "v"], seeded())
    opt = AdamW(decay_groups(model), lr=0.1)
    for _ in range(2):
        opt.zero_grad()
        next_token_loss(model(X[:, :-1]), X[:, 1:]).backward()
        opt.step()
    state = model.state_dict()
    for name, x in frozen.items():
        stem, _, last = name.rpartition(".")
        key = f"{stem}.base.{last}" if stem in on else name
        assert torch.equal(state[key], x), name
    new = [name for name in state if name.endswith((".A", ".B"))]
    assert len(new) == 2 * len(on) == 8
    assert all(float(state[name].abs().max()) > 0 for name in new)
    params = sum(lora_params(*(32, 32 if n[-1] == "q" else 16), 2) for n in on)
    assert n_trained(model) == params


CHECKS = (assert_starts_equal, assert_merges_equal, assert_trains_its_own_alone)


@pytest.mark.parametrize("check", CHECKS)
def test_its_promises(check) -> None:
    check(lora)


BUGS = {
    "B begins random": (
        "nn.Parameter(w.new_zeros(n_out, rank))",
        "nn.Parameter(torch.randn(n_out, rank, dtype=w.dtype))", 0,
    ),
    "merged without the scale": ("+= self.scale * ", "+= ", 1),
    "merged twice": (
        "+= self.scale * self.B @ self.A",
        "+= 2 * self.scale * self.B @ self.A", 1,
    ),
    "the base is trained, too": ("requires_grad_(False)", "requires_grad", 2),
    "B is frozen": (
        "nn.Parameter(w.new_zeros(n_out, rank))",
        "nn.Parameter(w.new_zeros(n_out, rank), False)", 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_seen(bug: str, tmp_path: Path) -> None:
    old, new, which = BUGS[bug]
    source = Path(lora.__file__).read_text()
    assert source.count(old) == 1
    broken = with_bug(tmp_path, lora, old, new)
    with pytest.raises((AssertionError, ValueError)):
        CHECKS[which](broken)


def test_the_slope_is_that_of_the_full_matrix() -> None:
    """dL/dB = scale * dL/dW A^T: what a correction learns from."""
    model = tiny().double()
    linear = model.blocks[0].attn.q
    loss = next_token_loss(model(X[:, :-1]), X[:, 1:])
    slope = torch.autograd.grad(loss, linear.weight)[0]
    add_lora(model, 3, 6.0, ["q"], seeded())
    one = model.blocks[0].attn.q
    assert isinstance(one, LoRA) and one.scale == 2.0
    loss = next_token_loss(model(X[:, :-1]), X[:, 1:])
    loss.backward()
    close(one.B.grad, 2 * slope @ one.A.T, atol=1e-10, rtol=0)
    assert float(one.A.grad.abs().max()) == 0  # while B is 0


def test_without_it_the_model_is_the_base() -> None:
    model = tiny()
    before = model(X).detach()
    add_lora(model, 3, 6.0, ["q"], seeded())
    moved(model)
    after = model(X).detach()
    with pytest.raises(KeyError), without_lora(model):
        assert torch.equal(model(X), before)
        raise KeyError
    assert torch.equal(model(X), after) and not torch.equal(after, before)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="no linear map is named 'w'"):
        add_lora(tiny(), 2, 4.0, ["w"])
    with pytest.raises(ValueError, match="give a list"):
        add_lora(tiny(), 2, 4.0, "q")
    with pytest.raises(ValueError, match="rank=33"):
        add_lora(tiny(), 33, 4.0, ["q"])
    with pytest.raises(ValueError, match="no LoRA to merge"):
        merge_lora(tiny())
    model = tiny()
    assert len(add_lora(model, 2, 4.0)) == 14
    with pytest.raises(ValueError, match="merge_lora it first"):
        add_lora(model, 2, 4.0)


# --- PEFT --------------------------------------------------------------------

KINDS = {
    "tiny-llama": ["q", "v", "down"],
    "tiny-qwen": [*ALL],
    "tiny-gpt2": ["out", "up"],
}


def base_of(name: str, folder: Path):
    """Our base model, its folder, and theirs."""
    ours = tiny(name)
    to_hf(ours, TOKENIZER, folder)
    return ours, AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize("name", KINDS)
def test_ours_in_peft(agrees, name: str, tmp_path: Path) -> None:
    ours, theirs = base_of(name, tmp_path / "base")
    add_lora(ours, 4, 6.0, KINDS[name], seeded())
    moved(ours)
    save_lora(ours, tmp_path / "lora", tmp_path / "base")
    plain = theirs(X).logits.detach()
    model = PeftModel.from_pretrained(theirs, tmp_path / "lora")
    found, wanted = model(X).logits.detach(), ours(X).detach()
    what = "logits with a LoRA that we saved"
    agrees("peft", what, wanted, found, atol=1e-5, rtol=0)
    assert float((found - plain).abs().max()) > 0.1, "vacuous test"
    n = sum("lora_" in k for k, _ in model.named_parameters())
    assert n == len(load_file(tmp_path / "lora" / WEIGHTS))
    merged = model.merge_and_unload()(X).logits.detach()
    what = "logits where it merged a LoRA that we saved"
    agrees("peft", what, wanted, merged, atol=1e-4, rtol=0)

    again = load_lora(tiny(name), tmp_path / "lora")
    assert torch.equal(again(X), ours(X))


@pytest.mark.parametrize("name", KINDS)
def test_theirs_in_ours(agrees, name: str, tmp_path: Path) -> None:
    ours, theirs = base_of(name, tmp_path / "base")
    places = {"tiny-llama": ["q_proj", "o_proj"], "tiny-gpt2": ["c_proj"]}
    config = LoraConfig(
        r=3, lora_alpha=12, task_type="CAUSAL_LM",
        target_modules=places.get(name, "all-linear"),
        fan_in_fan_out=name == "tiny-gpt2",
    )  # fmt: skip
    model = get_peft_model(theirs, config)
    for key, p in model.named_parameters():
        if "lora_B" in key:
            nn.init.normal_(p, 0, 0.3, seeded(4))
    model.save_pretrained(tmp_path / "lora")
    plain = ours(X).detach()
    load_lora(ours, tmp_path / "lora")
    model.eval()
    agrees(
        "peft", "logits with a LoRA that it saved",
        ours(X).detach(), model(X).logits.detach(), atol=1e-5, rtol=0,
    )  # fmt: skip
    assert float((ours(X) - plain).detach().abs().max()) > 0.1, "vacuous test"


def test_gpt2s_q_is_part_of_a_larger_matrix(tmp_path: Path) -> None:
    model = tiny("tiny-gpt2")
    add_lora(model, 2, 4.0, ["q"])
    with pytest.raises(ValueError, match=r"attn\.q is no matrix of its own"):
        save_lora(model, tmp_path)
    model = tiny("tiny-moe", d_ff=24)
    add_lora(model, 2, 4.0, ["gate"])
    with pytest.raises(ValueError, match="no matrix of its own"):
        save_lora(model, tmp_path)


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    model = tiny()
    with pytest.raises(ValueError, match="no LoRA to save"):
        save_lora(model, tmp_path)
    add_lora(model, 2, 4.0, ["q"])
    save_lora(moved(model), tmp_path)
    good, config = load_file(tmp_path / WEIGHTS), tmp_path / CONFIG
    name = sorted(good)[0]
    for bad, why in (
        ({k: v for k, v in good.items() if k != name}, "lacks"),
        ({k: v for k, v in good.items() if ".0." not in k}, "lacks"),
        ({**good, "x": good[name].clone()}, "no use for x"),
        ({**good, name: good[name][:1].clone()}, "of shape"),
    ):
        save_file(bad, tmp_path / WEIGHTS)
        model = tiny()
        with pytest.raises(ValueError, match=why):
            load_lora(model, tmp_path)
        assert not list(loras(model)), "half of it was done"
    save_file(good, tmp_path / WEIGHTS)
    record = json.loads(config.read_text())
    config.write_text(json.dumps({**record, "use_dora": True}))
    with pytest.raises(ValueError, match="use_dora=True is not a plain LoRA"):
        load_lora(tiny(), tmp_path)
    (tmp_path / WEIGHTS).unlink()
    config.write_text(json.dumps(record))
    with pytest.raises(ValueError, match=f"has no {WEIGHTS}"):
        load_lora(tiny(), tmp_path)
