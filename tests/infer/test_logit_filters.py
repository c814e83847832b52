"""Each filter against its logits processor in transformers, and its edges."""

from __future__ import annotations

import math
from functools import partial
from types import ModuleType

import pytest
import torch
import transformers as hf
from agreement import silently
from bugs import with_bug
from hypothesis import given
from hypothesis import strategies as st
from tiny import randn, seeded
from torch import Tensor

from llm_utils.infer import filters
from llm_utils.infer.filters import (
    allow,
    chosen,
    filtered,
    min_p,
    probabilities,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)

B, T, V = 6, 9, 53
IDS = torch.randint(V, (B, T), generator=seeded(1))
THEIRS = {
    "temperature": [partial(hf.TemperatureLogitsWarper, t)
                    for t in (0.1, 0.7, 1.0, 3.0)],
    "top_k": [partial(hf.TopKLogitsWarper, k) for k in (1, 2, 20, 52, 53, 99)],
    "top_p": [partial(hf.TopPLogitsWarper, p)
              for p in (0.0, 0.1, 0.5, 0.9, 0.999, 1.0)],
    "min_p": [partial(hf.MinPLogitsWarper, p)
              for p in (0.0, 0.01, 0.1, 0.5, 1.0)],
    "repetition_penalty": [partial(hf.RepetitionPenaltyLogitsProcessor, theta)
                           for theta in (0.5, 1.0, 1.2, 5.0)],
}  # fmt: skip
BUGS = {
    "temperature": ("return logits / t", "return logits * t"),
    "top_k": ("logits < least", "logits <= least"),
    "top_p": ("lost = rest <= 1 - p", "lost = probs.cumsum(-1) > p"),
    "min_p": ("+ log_p", "+ p"),
    "repetition_penalty": (
        "torch.where(was < 0, was * theta, was / theta)",
        "was / theta",
    ),
}


def some_logits(scale: float, masked: bool = False) -> Tensor:
    logits = scale * randn(B, V, seed=int(10 * scale))
    if masked:  # as if another filter had been there
        logits[:, ::3] = -torch.inf
    return logits


def assert_theirs(module: ModuleType, name: str, agrees=silently) -> None:
    for make in THEIRS[name]:
        (value,) = make.args
        for scale in (0.5, 2.0, 8.0):
            for masked in (False, True):
                logits = some_logits(scale, masked)
                ours = getattr(module, name)(value)(logits, IDS)
                theirs = make()(IDS, logits.clone())
                what = f"logits after {name}"
                agrees("transformers", what, ours, theirs, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", THEIRS)
def test_each_filter_is_that_of_transformers(
    agrees, name: str, tmp_path
) -> None:
    assert_theirs(filters, name, agrees)
    with pytest.raises(AssertionError):
        assert_theirs(with_bug(tmp_path, filters, *BUGS[name]), name)


@given(seed=st.integers(0, 99), p=st.floats(0, 1), scale=st.floats(0.1, 9))
def test_top_p_keeps_the_fewest_that_reach_p(seed, p, scale) -> None:
    logits = scale * randn(1, 12, seed=seed)
    probs = logits.softmax(-1)[0]
    kept = top_p(p)(logits, IDS[:1])[0].isfinite()
    mass, least = probs[kept].sum(), probs[kept].min()
    assert mass >= p - 1e-12
    assert kept.sum() == 1 or mass - least < p + 1e-12  # one fewer is too few
    assert not (probs[~kept] > least).any()


@given(seed=st.integers(0, 99), p=st.floats(0, 1), scale=st.floats(0.1, 9))
def test_min_p_keeps_a_share_of_the_likeliest(seed, p, scale) -> None:
    logits = scale * randn(1, 12, seed=seed)
    probs = logits.softmax(-1)[0]
    kept = min_p(p)(logits, IDS[:1])[0].isfinite()
    clear = (probs - p * probs.max()).abs() > 1e-12
    assert torch.equal(kept[clear], (probs > p * probs.max())[clear])
    assert kept[probs.argmax()]


def test_nothing_is_changed_in_place() -> None:
    logits = some_logits(2.0)
    before = logits.clone()
    for make in (temperature(0.0), temperature(2.0), top_k(3), top_p(0.5),
                 min_p(0.2), repetition_penalty(2.0),
                 allow(torch.arange(V) > 3)):  # fmt: skip
        assert not torch.equal(make(logits, IDS), logits)
        assert torch.equal(logits, before)


# --- edges -------------------------------------------------------------------


def test_temperature_zero_keeps_the_first_of_the_likeliest() -> None:
    logits = torch.tensor([[1.0, 3.0, 3.0], [2.0, 0.0, -torch.inf]])
    kept = temperature(0)(logits, IDS[:2])
    assert kept.isfinite().tolist() == [
        [False, True, False], [True, False, False],
    ]  # fmt: skip
    close_to_it = temperature(1e-6)(logits[1:], IDS[:1]).softmax(-1)
    assert close_to_it.tolist() == [[1, 0, 0]]


def test_zero_and_one_are_the_two_ends() -> None:
    logits = some_logits(2.0)
    for keeps_all in (top_p(1.0), min_p(0.0), top_k(V + 1)):
        assert torch.equal(keeps_all(logits, IDS), logits)
    best = temperature(0)(logits, IDS)
    for keeps_one in (top_p(0.0), min_p(1.0), top_k(1)):
        assert torch.equal(keeps_one(logits, IDS), best)


def assert_tail_kept(module: ModuleType) -> None:
    """One likely token of many sizes: whether a sum errs up or down is luck."""
    for best in torch.arange(3.0, 13.0, 0.25):
        logits = torch.zeros(1, 50_000)
        logits[0, 0] = best
        for dtype in (torch.float32, torch.bfloat16):
            kept = module.top_p(1.0)(logits.to(dtype), IDS[:1])
            assert kept.isfinite().all()


def test_a_tail_is_kept_in_low_precision(tmp_path) -> None:
    """Summed from the likeliest on, rounding would lose a tail at p = 1."""
    assert_tail_kept(filters)
    assert probabilities(some_logits(1.0).bfloat16()).dtype == torch.float32
    naive = "lost = probs.cumsum(-1) - probs >= p"
    with pytest.raises(AssertionError):
        assert_tail_kept(
            with_bug(tmp_path, filters, "lost = rest <= 1 - p", naive)
        )


def test_an_empty_past_is_not_punished() -> None:
    logits = some_logits(2.0)
    assert torch.equal(repetition_penalty(2.0)(logits, IDS[:, :0]), logits)


def test_masks_allow_by_row_or_for_all() -> None:
    logits = some_logits(2.0)
    for mask in (torch.arange(V) % 2 == 0, logits > logits.mean()):
        kept = allow(mask)(logits, IDS)
        assert torch.equal(kept.isfinite(), mask.expand(B, V))
        assert torch.equal(kept[kept.isfinite()], logits[mask.expand(B, V)])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: temperature(-1), "temperature -1: give 0"),
        (lambda: temperature(math.nan), "temperature nan"),
        (lambda: temperature(math.inf), "temperature inf"),
        (lambda: top_k(0), "top_k=0: keep 1"),
        (lambda: top_p(1.1), r"top_p=1.1: a probability"),
        (lambda: top_p(math.nan), "top_p=nan"),
        (lambda: min_p(-0.1), "min_p=-0.1: a share"),
        (lambda: repetition_penalty(0), "repetition_penalty 0: above 0"),
        (lambda: allow(torch.ones(V)), "mask is torch.float32"),
        (lambda: allow(torch.zeros(V, dtype=torch.bool)), "with 0 allowed"),
        (lambda: allow(torch.ones(V - 1) > 0)(some_logits(1.0), IDS),
         r"mask of shape \(52,\) for logits \(6, 53\)"),
        (lambda: repetition_penalty(2)(some_logits(1.0), IDS[:2]),
         r"ids \(2, 9\) do not fit"),
        (lambda: chosen(top_kk=3), r"no filters \['top_kk'\]"),
    ],
)  # fmt: skip
def test_what_cannot_be(make, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


# --- together ----------------------------------------------------------------

KNOBS = dict(temperature=0.7, top_k=12, top_p=0.8, min_p=0.05)


def sampled_scores(**knobs) -> tuple[Tensor, Tensor, Tensor]:
    """ids, logits and what transformers' generate made of them."""
    sizes = dict(n_positions=32, n_embd=16, n_layer=1, n_head=2)
    model = hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=V, **sizes)).eval()
    with torch.no_grad():
        model.lm_head.weight.copy_(randn(V, 16, seed=5))
    told = model.generate(
        IDS, do_sample=True, max_new_tokens=1, output_scores=True,
        output_logits=True, return_dict_in_generate=True,
        eos_token_id=None, pad_token_id=0,
        attention_mask=torch.ones_like(IDS), **knobs,
    )  # fmt: skip
    return IDS, told.logits[0], told.scores[0]


def test_plain_values_act_in_the_order_of_transformers(agrees) -> None:
    ids, logits, theirs = sampled_scores(repetition_penalty=1.3, **KNOBS)
    ours = filtered(logits, ids, chosen(repetition_penalty=1.3, **KNOBS))
    agrees("transformers", "logits after all filters", ours, theirs)
    assert 1 < ours.isfinite().sum(-1).float().mean() < 12
    backward = filtered(
        logits, ids, chosen(repetition_penalty=1.3, **KNOBS)[::-1]
    )
    with pytest.raises(AssertionError):
        torch.testing.assert_close(backward, theirs)
    assert chosen(top_p=None) == []
