"""AdamW, Muon, decay groups, clipping and schedules against torch."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from math import cos, inf, pi

import pytest
import torch
from bugs import with_bug
from torch import Tensor, nn

from llm_utils.model.zoo import build
from llm_utils.train import muon, optim
from llm_utils.train.muon import Muon, Together, muon_with_adamw, newton_schulz
from llm_utils.train.optim import (
    AdamW,
    clip_grad_norm,
    decay_groups,
    in_cache,
    set_lr,
)
from llm_utils.train.schedules import (
    constant,
    warmup_cosine,
    warmup_stable_decay,
)

close = torch.testing.assert_close
SHAPES = [(5, 3), (3, 5), (4, 4), (4, 4), (7,), (2, 3, 4)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weights(shapes=SHAPES, seed: int = 0) -> list[nn.Parameter]:
    rng = seeded(seed)
    return [
        nn.Parameter(torch.randn(s, generator=rng, dtype=torch.float64))
        for s in shapes
    ]


def run(make, shapes=SHAPES, steps: int = 100) -> list[Tensor]:
    """The weights after some steps down a bowl with noise; lr changes."""
    params, rng = weights(shapes), seeded(1)
    opt = make(params)
    for step in range(steps):
        for group in opt.param_groups:
            group["lr"] = 0.01 * (1 + step % 7)
        for i, p in enumerate(params):
            noise = torch.randn(p.shape, generator=rng, dtype=torch.float64)
            p.grad = 0.1 * p.detach() + noise
            if i == 3 and step % 3:
                p.grad = None  # as of an expert that no token chose
        opt.step()
    return [p.detach() for p in params]


def split(params: list[Tensor]) -> list[dict]:
    """Two groups with options of their own."""
    return [
        {"params": params[:2]},
        {"params": params[2:], "weight_decay": 0.0, "betas": (0.5, 0.8)},
    ]


ADAMW = {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}


@pytest.mark.parametrize("groups", [list, split])
def test_adamw_is_torch_s_over_100_steps(agrees, groups) -> None:
    ours = run(lambda ps: AdamW(groups(ps), **ADAMW))
    for how in ({"foreach": False}, {"fused": True}):
        theirs = run(
            lambda ps, x=how: torch.optim.AdamW(groups(ps), **ADAMW, **x)
        )
        what = "weights after 100 steps of AdamW"
        agrees("torch", what, ours, theirs, atol=1e-10, rtol=0)


PLANTED = {  # what stands in optim.py: what a bug would make of it
    "no bias correction": ("1 - beta2 ** state", "1 - 0 * beta2 ** state"),
    "no bias correction of m": ("1 - beta1 ** state", "1 - 0 * beta1 ** state"),
    "betas swapped": ("lr, (beta1, beta2)", "lr, (beta2, beta1)"),
    "eps inside the root": (
        "size = torch._foreach_sqrt(v)",
        'size = torch._foreach_sqrt(torch._foreach_add(v, group["eps"]))',
    ),
    "decay coupled into the gradient": (
        'torch._foreach_mul_(params, 1 - lr * group["weight_decay"])',
        'torch._foreach_add_(grads, params, alpha=group["weight_decay"])',
    ),
    "decay without lr": ('1 - lr * group["weight', '1 - 0.01 * group["weight'),
    "one count for all": (
        'state["step"] += 1',
        'state["step"] = group["n"] = group.get("n", 0) + 1',
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_bug_in_adamw_is_seen(bug: str, tmp_path) -> None:
    broken = with_bug(tmp_path, optim, *PLANTED[bug]).AdamW
    theirs = run(lambda ps: torch.optim.AdamW(ps, **ADAMW))
    ours = run(lambda ps: broken(ps, **ADAMW))
    with pytest.raises(AssertionError):
        close(ours, theirs, atol=1e-10, rtol=0)


def test_adamw_goes_on_from_its_state() -> None:
    params = weights()
    opt = AdamW(params)
    for p in params:
        p.grad = p.detach().clone()
    opt.step()
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    again = AdamW(copies, lr=5.0)
    again.load_state_dict(deepcopy(opt.state_dict()))
    fresh = [nn.Parameter(p.detach().clone()) for p in params]
    for p, q, r in zip(params, copies, fresh, strict=True):
        p.grad *= -0.5  # from the same gradient all would go the same way
        q.grad, r.grad = p.grad.clone(), p.grad.clone()
    for each in (opt, again, AdamW(fresh)):
        each.step()
    close(copies, params, atol=0, rtol=0)
    with pytest.raises(AssertionError):
        close(fresh, params, atol=1e-10, rtol=0)


def test_weights_are_updated_in_bunches_and_all_of_them() -> None:
    params = weights([(9, 9), (3,), (3,), (40, 2), (1,)])
    for p in params:
        p.grad = torch.zeros_like(p)
    params[1].grad = None
    bunches = list(in_cache(params, most=84))
    assert [len(x) for x in bunches] == [2, 2]
    together = [id(p) for bunch in bunches for p in bunch]
    assert together == [id(p) for p in params if p.grad is not None]


@pytest.mark.parametrize(
    "wrong", [{"betas": (0.9, 1.0)}, {"lr": -1.0}, {"eps": 0.0}]
)
def test_impossible_options_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AdamW(weights(), **wrong)


# --- groups ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama", "tiny-moe"])
def test_biases_and_norms_do_not_decay(name: str) -> None:
    model = build(name, seeded())
    names = {id(p): n for n, p in model.named_parameters()}
    decayed, spared = decay_groups(model, 0.3)
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.3, 0.0)
    got = [{names[id(p)] for p in g["params"]} for g in (decayed, spared)]
    assert got[0] | got[1] == set(names.values())
    assert not got[0] & got[1]
    vectors = {n for n in names.values() if "norm" in n or n.endswith("bias")}
    assert got[1] == vectors


def test_frozen_weights_are_left_out() -> None:
    model = build("tiny-llama", seeded())
    model.tokens.weight.requires_grad_(False)
    ids = [id(p) for g in decay_groups(model) for p in g["params"]]
    assert id(model.tokens.weight) not in ids
    assert len(ids) == len(list(model.parameters())) - 1


# --- Muon --------------------------------------------------------------------


def iterated(s: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return s


@pytest.mark.parametrize(
    "shape", [(6, 9), (9, 6), (5, 5), (1, 4), (3, 2, 7, 4)]
)
def test_newton_schulz_maps_singular_values_and_keeps_vectors(shape) -> None:
    """Against the singular value decomposition, which it never computes."""
    g = torch.randn(shape, generator=seeded(), dtype=torch.float64)
    u, s, vt = torch.linalg.svd(g, full_matrices=False)
    s = s / s.square().sum(-1, keepdim=True).sqrt()
    for steps in (0, 1, 5):
        expected = u @ torch.diag_embed(iterated(s, steps)) @ vt
        close(newton_schulz(g, steps), expected, atol=1e-10, rtol=0)
    values = torch.linalg.svdvals(newton_schulz(g))
    assert values.min() > 0.5 and values.max() < 1.3
    if min(shape[-2:]) > 1:
        assert torch.linalg.svdvals(g).max() > 1.5  # it was not so before


def test_newton_schulz_is_torch_s_in_half_precision(agrees) -> None:
    """Torch's own works in bfloat16 only: equal up to its rounding."""
    theirs = pytest.importorskip("torch.optim._muon")
    for shape in ((64, 32), (32, 64)):
        g = torch.randn(shape, generator=seeded())
        with_theirs = theirs._zeropower_via_newtonschulz(
            g, (3.4445, -4.7750, 2.0315), 5, 1e-7
        ).float()
        for ours in (newton_schulz(g), newton_schulz(g.bfloat16()).float()):
            off = (ours - with_theirs).norm() / with_theirs.norm()
            agrees(
                "torch", "Newton-Schulz in bfloat16, relative to its norm",
                float(off), 0.0, atol=0.08, rtol=0,
            )  # fmt: skip
        off = (newton_schulz(g, 4) - with_theirs).norm() / with_theirs.norm()
        assert off > 0.16


MATRICES = [(5, 3), (3, 5), (4, 4), (4, 4), (8, 2)]
MUON = {"momentum": 0.9, "weight_decay": 0.1}


def torch_muon(monkeypatch):
    """torch.optim.Muon without its rounding to bfloat16."""
    theirs = pytest.importorskip("torch.optim._muon")
    plain = theirs._zeropower_via_newtonschulz

    def exact(g, coefficients, steps, eps):
        with monkeypatch.context() as patch:
            patch.setattr(Tensor, "bfloat16", lambda x: x.clone())
            return plain(g, coefficients, steps, eps)

    monkeypatch.setattr(theirs, "_zeropower_via_newtonschulz", exact)
    return lambda ps: theirs.Muon(ps, adjust_lr_fn="match_rms_adamw", **MUON)


def test_muon_is_torch_s_over_100_steps(agrees, monkeypatch) -> None:
    theirs = run(torch_muon(monkeypatch), MATRICES)
    ours = run(lambda ps: Muon(ps, **MUON), MATRICES)
    what = "weights after 100 steps of Muon"
    agrees("torch", what, ours, theirs, atol=1e-10, rtol=0)


MUON_BUGS = {
    "no Nesterov": ("torch._foreach_lerp(grads, m, momentum)", "m"),
    "scale by the shorter side": ("sqrt(max(shape))", "sqrt(min(shape))"),
    "decay scaled too": ("1 - lr * group", "1 - lr * scale * group"),
    "normed over the batch": ("x.norm(dim=(-2, -1), keepdim=True)", "x.norm()"),
    "not transposed back": (
        "return x.mT if tall else x",
        "return x.view(g.shape)",
    ),
}


@pytest.mark.parametrize("bug", MUON_BUGS)
def test_a_bug_in_muon_is_seen(bug: str, monkeypatch, tmp_path) -> None:
    broken = with_bug(tmp_path, muon, *MUON_BUGS[bug]).Muon
    theirs = run(torch_muon(monkeypatch), MATRICES)
    with pytest.raises((AssertionError, RuntimeError)):
        ours = run(lambda ps: broken(ps, **MUON), MATRICES)
        close(ours, theirs, atol=1e-10, rtol=0)


def test_muon_takes_matrices_only() -> None:
    with pytest.raises(ValueError, match=r"not \(7,\).*AdamW"):
        Muon(weights())
    with pytest.raises(ValueError, match="no matrix"):
        newton_schulz(torch.ones(3))


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama", "tiny-moe"])
def test_muon_for_the_linear_maps_and_adamw_for_the_rest(name: str) -> None:
    model = build(name, seeded(), tie_embeddings=False)
    opt = muon_with_adamw(model, lr=1.0, lr_scale=3.0)
    names = {id(p): n for n, p in model.named_parameters()}
    matrices, *rest = (
        {names[id(p)] for p in g["params"]} for g in opt.param_groups
    )
    assert set.union(matrices, *rest) == set(names.values())
    assert sum(map(len, [matrices, *rest])) == len(names)
    assert all(
        n.startswith("blocks") and n.endswith("weight") for n in matrices
    )
    assert {"tokens.weight", "head.weight"} <= rest[0]
    set_lr(opt, 0.5)
    assert [g["lr"] for g in opt.param_groups] == [1.5, 0.5, 0.5]
    assert [g["weight_decay"] for g in opt.param_groups] == [0.1, 0.1, 0.0]


def test_several_optimizers_step_and_are_saved_as_one() -> None:
    params = weights(MATRICES)

    def both(params: list[nn.Parameter]) -> Together:
        return Together(Muon(params[:3]), AdamW(params[3:]))

    def grads(params) -> None:
        for p in params:
            p.grad = p.detach() + 1

    opt = both(params)
    grads(params)
    opt.step()
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    again = both(copies)
    again.load_state_dict(deepcopy(opt.state_dict()))
    set_lr(again, 0.3)  # also of groups that were loaded
    set_lr(opt, 0.3)
    for each, ps in ((opt, params), (again, copies)):
        grads(ps)
        each.step()
    close(copies, params, atol=0, rtol=0)
    assert all(
        not torch.equal(p, q)
        for p, q in zip(params, weights(MATRICES), strict=True)
    )
    opt.zero_grad()
    assert all(p.grad is None for p in params)
    with pytest.raises(ValueError, match="0 optimizers for 2"):
        again.load_state_dict(AdamW(copies).state_dict())
    with pytest.raises(ValueError, match="AdamW alone"):
        muon_with_adamw(nn.Embedding(3, 2))


# --- clipping and schedules --------------------------------------------------


@pytest.mark.parametrize("most", [0.1, 1.0, 30.0, inf])
def test_clipping_is_torch_s(agrees, most: float) -> None:
    ours, theirs = weights(), weights()
    for p, q in zip(ours[1:], theirs[1:], strict=True):
        p.grad, q.grad = p.detach().clone(), q.detach().clone()
    a = clip_grad_norm(ours, most)
    b = nn.utils.clip_grad_norm_(theirs, most)
    what = "the norm of gradients, and what clipping leaves"
    agrees("torch", what, a, b, atol=1e-12, rtol=0)
    for p, q in zip(ours[1:], theirs[1:], strict=True):
        agrees("torch", what, p.grad, q.grad, atol=1e-12, rtol=0)
    before = torch.cat([p.detach().flatten() for p in ours[1:]]).norm()
    after = torch.cat([p.grad.flatten() for p in ours[1:]]).norm()
    assert float(after) == pytest.approx(min(float(before), most), rel=1e-5)
    with pytest.raises(ValueError, match="backward"):
        clip_grad_norm(weights())


def test_warmup_cosine() -> None:
    lr = warmup_cosine(2.0, steps=110, warmup=10, final=0.1)
    assert lr(0) == pytest.approx(2 / 11)
    assert lr(9) == pytest.approx(20 / 11)
    assert lr(10) == 2.0
    assert lr(60) == pytest.approx(2 * 0.55)
    assert lr(85) == pytest.approx(2 * (0.55 + 0.45 * cos(pi * 0.75)))
    assert lr(110) == lr(10**6) == pytest.approx(0.2)
    rates = [lr(step) for step in range(10, 110)]
    assert all(a > b for a, b in pairwise(rates))


def test_the_cosine_is_torch_s(agrees) -> None:
    p = nn.Parameter(torch.zeros(1))
    opt = torch.optim.SGD([p], lr=2.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 50, eta_min=0.2)
    ours = warmup_cosine(2.0, steps=50, final=0.1)
    for step in range(50):
        agrees(
            "torch", "the cosine schedule",
            ours(step), opt.param_groups[0]["lr"], atol=1e-12, rtol=1e-6,
        )  # fmt: skip
        opt.step()
        theirs.step()


def test_warmup_stable_decay() -> None:
    lr = warmup_stable_decay(2.0, steps=100, warmup=4, decay=20, final=0.1)
    assert [lr(s) for s in range(5)] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert {lr(s) for s in range(4, 81)} == {2.0}
    assert lr(90) == pytest.approx(2 * 0.55)
    assert lr(100) == lr(10**6) == pytest.approx(0.2)
    longer = warmup_stable_decay(2.0, steps=200, warmup=4, decay=20)
    assert [lr(s) for s in range(81)] == [longer(s) for s in range(81)]
    level = warmup_stable_decay(2.0, steps=100)
    assert {level(s) for s in range(100)} == {2.0}
    assert constant(3.0)(17) == 3.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: warmup_cosine(1.0, 10, warmup=10),
        lambda: warmup_cosine(-1.0, 10),
        lambda: warmup_cosine(1.0, 10, final=2.0),
        lambda: warmup_stable_decay(1.0, 10, warmup=6, decay=5),
        lambda: warmup_stable_decay(1.0, 10, decay=-1),
    ],
)
def test_impossible_schedules_are_refused(make) -> None:
    with pytest.raises(ValueError, match=r"peak=|warmup="):
        make()
