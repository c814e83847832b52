"""Log-probabilities in chunks: equal to the plain way, in less memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from aligned import close, seeded, tiny
from bugs import with_bug
from torch import Tensor
from torch.distributions import Categorical, kl_divergence
from torch.profiler import ProfilerActivity, profile

from llm_utils.align import log_probs
from llm_utils.align.log_probs import (
    response_entropy,
    response_kl,
    response_log_probs,
)

V = 300


def batch(B: int = 3, T: int = 17) -> tuple[Tensor, Tensor]:
    """Ids, and targets at some of the places."""
    rows = torch.randint(V, (B, T + 1), generator=seeded())
    x, y = rows[:, :-1], rows[:, 1:].clone()
    off = torch.rand(B, T, generator=seeded(1)) < 0.5
    return x, y.masked_fill(off, -100)


def plain(model, x: Tensor, y: Tensor, soft: float) -> tuple[Tensor, Tensor]:
    """All scores at once: log p and entropy, (B, T) each."""
    draws = Categorical(logits=model(x) / soft)
    on = y != -100
    return draws.log_prob(y.clamp_min(0)) * on, draws.entropy() * on


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2"])
@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("chunk", [1, 7, 512])
def test_chunks_change_nothing(
    agrees, name: str, tie: bool, chunk: int
) -> None:
    """Values and gradients, against a random probe, in float64."""
    model = tiny(name, tie_embeddings=tie).double()
    x, y = batch()
    probe = torch.randn(2, *x.shape, generator=seeded(2)).double()
    values, grads = [], []
    options = {"temperature": 1.7, "chunk": chunk}
    for both in (
        plain(model, x, y, 1.7),
        (response_log_probs(model, x, y, **options),
         response_entropy(model, x, y, **options)),
    ):  # fmt: skip
        value = torch.stack(both)
        params = list(model.parameters())
        grads.append(torch.autograd.grad(value, params, probe))
        values.append(value.detach())
    what = "log p and entropy of answers"
    agrees("torch", what, values[1], values[0], atol=1e-10, rtol=0)
    what = "the gradients of log p and entropy"
    agrees("torch", what, grads[1], grads[0], atol=1e-10, rtol=0)
    assert float(values[0][:, y == -100].abs().max()) == 0
    assert float(values[0][1].max()) > 1, "vacuous test"


def test_kl_is_exact_and_has_a_gradient(agrees) -> None:
    model, other = tiny().double(), tiny(seed=5).double()
    x, y = batch()
    wanted = kl_divergence(
        Categorical(logits=model(x)), Categorical(logits=other(x))
    )
    wanted = wanted * (y != -100)
    found = response_kl(model, other, x, y, chunk=5)
    what = "the KL divergence of two models, and a gradient of it"
    agrees("torch", what, found, wanted, atol=1e-10, rtol=0)
    weight = model.blocks[0].attn.q.weight
    agrees(
        "torch", what,
        *(torch.autograd.grad(kl.sum(), weight)[0] for kl in (found, wanted)),
        atol=1e-10, rtol=0,
    )  # fmt: skip
    same = response_kl(model, model, x, y)
    assert (
        float(same.detach().abs().max()) < 1e-12 < float(found.detach().max())
    )


# --- memory ------------------------------------------------------------------


def peak(f: Callable[[], object]) -> int:
    """Bytes held at once, at most, above what was held before."""
    f()  # what is made once
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as p:
        f()
    now = most = 0
    events = [e for e in p.profiler.kineto_results.events()
              if e.name() == "[memory]"]  # fmt: skip
    for event in sorted(events, key=lambda e: e.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    assert events, "the profiler saw no memory"
    return most


def of_vocabulary(f: Callable[..., Tensor], B: int, back: bool = True) -> float:
    """How many bytes of a pass each place of batch and vocabulary costs."""
    peaks, sizes = [], (1000, 9000)
    for V in sizes:
        model = tiny(vocab_size=V, n_layers=1, d_model=8, n_heads=1,
                     n_kv_heads=1, d_ff=8)  # fmt: skip
        x = torch.randint(1000, (B, 64), generator=seeded())

        def run(model=model, x=x) -> None:
            with torch.set_grad_enabled(back):
                value = f(model, x, x).sum()
            if back:
                value.backward()

        peaks.append(peak(run))
    return (peaks[1] - peaks[0]) / (sizes[1] - sizes[0])


def at_once(model, x: Tensor, y: Tensor) -> Tensor:
    return -F.cross_entropy(model(x).flatten(0, 1), y.flatten())


@pytest.mark.parametrize("back", [True, False])
def test_memory_does_not_grow_with_batch_times_vocabulary(back: bool) -> None:
    def ours(model, x, y):
        return response_log_probs(model, x, y, chunk=64)

    def spread(model, x, y):
        return response_entropy(model, x, y, chunk=64)

    small, large = (of_vocabulary(at_once, B, back) for B in (2, 16))
    assert large > 6 * small, "vacuous test"
    for f in (ours, spread):
        small, large = (of_vocabulary(f, B, back) for B in (2, 16))
        assert large < 1.2 * small
        assert large < 64 * 4 * 8  # bytes: a few tables of chunk x V


def test_keeping_the_scores_is_seen(tmp_path: Path) -> None:
    """Without the second computation all chunks wait for the gradient."""
    broken = with_bug(
        tmp_path, log_probs, "not torch.is_grad_enabled()", "True"
    )

    def kept(model, x, y):
        return broken.response_log_probs(model, x, y, chunk=64)

    small, large = (of_vocabulary(kept, B) for B in (2, 16))
    assert large > 4 * small


BUGS = {
    "no temperature": ("entropy(logits / temperature", "entropy(logits"),
    "in bits": ("logs).sum(-1)", "logs).sum(-1) / 0.693"),
    "out of place": ("scatter(places, ", "scatter(places.flip(1), "),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_seen(bug: str, tmp_path: Path) -> None:
    broken = with_bug(tmp_path, log_probs, *BUGS[bug])
    model, (x, y) = tiny(), batch()
    wanted = torch.stack(plain(model, x, y, 1.7))
    found = torch.stack(
        [broken.response_log_probs(model, x, y, temperature=1.7),
         broken.response_entropy(model, x, y, temperature=1.7)]
    )  # fmt: skip
    with pytest.raises(AssertionError):
        close(found, wanted)


def test_half_precision_is_scored_in_float32() -> None:
    model, (x, y) = tiny().bfloat16(), batch()
    assert response_log_probs(model, x, y).dtype == torch.float32


def test_nonsense_is_refused() -> None:
    model, (x, y) = tiny(), batch()
    with pytest.raises(ValueError, match="give"):
        response_log_probs(model, x, y[:, :-1])
    with pytest.raises(ValueError, match="no target"):
        response_entropy(model, x, torch.full_like(y, -100))
    with pytest.raises(ValueError, match="chunk=0"):
        response_log_probs(model, x, y, chunk=0)
