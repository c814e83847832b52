"""Targets, losses, their units, and the model that counts pairs."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text import next_token
from llm_utils.text.next_token import (
    Bigram,
    bits_per_byte,
    gap,
    next_token_loss,
    perplexity,
    token_log_probs,
    windows,
)
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tokenizer import CharTokenizer


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# --- windows -----------------------------------------------------------------


@given(n=st.integers(2, 60), T=st.integers(1, 12), stride=st.integers(1, 15))
def test_targets_are_the_next_tokens(n: int, T: int, stride: int) -> None:
    if n < T + 1:
        with pytest.raises(ValueError, match="too few"):
            windows(range(n), T, stride)
        return
    x, y = windows(range(n), T, stride)
    assert x.shape == y.shape == (1 + (n - T - 1) // stride, T)
    assert torch.equal(y, x + 1)  # the ids are their own positions
    assert x[:, 0].tolist() == [i * stride for i in range(len(x))]


def test_every_token_is_a_target_once() -> None:
    _, y = windows(list(range(13)), 4)
    assert y.flatten().tolist() == list(range(1, 13))
    _, y = windows(list(range(13)), 4, stride=3)  # the planted bug
    assert y.flatten().tolist() != list(range(1, 13))


def test_windows_copy_nothing() -> None:
    ids = torch.arange(100)
    x, y = windows(ids, 9, stride=1)
    assert x.data_ptr() == ids.data_ptr()
    assert y.data_ptr() == ids[1:].data_ptr()


@pytest.mark.parametrize(
    ("ids", "T", "stride", "says"),
    [
        ([1, 2], 0, None, "must be 1 or more"),
        ([1, 2], 1, 0, "must be 1 or more"),
        ([[1, 2]], 1, None, "give one sequence"),
        ([1, 2], 2, None, "need 3"),
    ],
)
def test_windows_that_cannot_be(ids, T, stride, says) -> None:
    with pytest.raises(ValueError, match=says):
        windows(ids, T, stride)


# --- loss --------------------------------------------------------------------


def by_hand(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    probs = logits.double().softmax(-1)
    p = probs.gather(-1, targets[..., None]).squeeze(-1)
    return -p.log()


@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 5, 7), (2, 1300, 512)])
def test_loss_is_minus_log_p(shape, rng, monkeypatch) -> None:
    """The last shape takes more than one slice."""
    logits = torch.randn(shape, generator=rng, dtype=torch.float64)
    targets = torch.randint(shape[-1], shape[:2], generator=rng)
    wanted = by_hand(logits, targets)
    close = torch.testing.assert_close
    close(token_log_probs(logits, targets), -wanted, atol=1e-12, rtol=0)
    close(next_token_loss(logits, targets), wanted.mean(), atol=1e-12, rtol=0)
    if shape[1] > 1:  # a bug: the targets of another position
        off = targets.roll(1, -1)
        with pytest.raises(AssertionError):
            close(next_token_loss(logits, off), wanted.mean())


def test_gradient_is_p_minus_y(rng) -> None:
    logits = torch.randn(2, 1300, 512, generator=rng, dtype=torch.float64)
    targets = torch.randint(512, (2, 1300), generator=rng)
    logits.requires_grad_()
    next_token_loss(logits, targets).backward()
    p = logits.detach().softmax(-1)
    y = F.one_hot(targets, 512)
    wanted = (p - y) / targets.numel()
    torch.testing.assert_close(logits.grad, wanted, atol=1e-15, rtol=0)


def test_targets_of_minus_100_do_not_count(rng) -> None:
    logits = torch.randn(2, 4, 9, generator=rng)
    targets = torch.randint(9, (2, 4), generator=rng)
    part = next_token_loss(logits[:, :3], targets[:, :3])
    targets[:, 3] = -100
    torch.testing.assert_close(next_token_loss(logits, targets), part)


def test_half_precision_is_summed_in_float32(rng) -> None:
    """A loss of about 6 in bfloat16 would come in steps of 1/32."""
    logits = torch.randn(8, 64, 400, generator=rng).bfloat16()
    targets = torch.randint(400, (8, 64), generator=rng)
    loss = float(next_token_loss(logits, targets))
    exact = float(by_hand(logits, targets).mean())
    assert abs(loss - exact) < 0.02
    each = token_log_probs(logits, targets)
    assert each.dtype == torch.float32
    torch.testing.assert_close(
        each.double(), -by_hand(logits, targets), atol=1e-4, rtol=0
    )


def test_the_loss_names_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3, 5\) do not fit targets"):
        next_token_loss(torch.zeros(2, 3, 5), torch.zeros(2, 4).long())


def test_units() -> None:
    assert perplexity(math.log(50)) == pytest.approx(50)
    assert perplexity(torch.tensor(0.0)) == 1
    assert perplexity(1e4) == math.inf
    # 100 tokens of 2 bits each over 50 bytes
    assert bits_per_byte(100 * 2 * math.log(2), 50) == pytest.approx(4)
    with pytest.raises(ValueError, match="1 byte or more"):
        bits_per_byte(1.0, 0)


# --- counting pairs ----------------------------------------------------------


def test_bigram_of_a_worked_example() -> None:
    """a b a b a c: after a come b, b, c; after b comes a, a; after c none."""
    bigram = Bigram(3, alpha=0.5).fit([0, 1, 0, 1, 0, 2])
    assert bigram.counts.tolist() == [[0, 2, 1], [2, 0, 0], [0, 0, 0]]
    wanted = [
        [0.5 / 4.5, 2.5 / 4.5, 1.5 / 4.5],
        [2.5 / 3.5, 0.5 / 3.5, 0.5 / 3.5],
        [1 / 3, 1 / 3, 1 / 3],
    ]
    torch.testing.assert_close(
        bigram.log_probs.exp(), torch.tensor(wanted, dtype=torch.float64)
    )


@given(ids=st.lists(st.integers(0, 4), max_size=40), cut=st.integers(0, 40))
def test_rows_are_distributions_and_fit_adds_up(ids, cut: int) -> None:
    whole = Bigram(5).fit(ids)
    sums = whole.log_probs.exp().sum(-1)
    torch.testing.assert_close(sums, torch.ones(5, dtype=torch.float64))
    assert whole.counts.sum() == max(len(ids) - 1, 0)
    parts = Bigram(5).fit(ids[: cut + 1]).fit(ids[cut:])
    assert torch.equal(parts.counts, whole.counts)


def test_bigram_is_the_best_table(rng) -> None:
    """Counting minimizes the loss: no nearby table does better."""
    ids = torch.randint(6, (400,), generator=rng)
    x, y = windows(ids, 1, stride=1)
    table = Bigram(6, alpha=1e-9).fit(ids).log_probs
    best = next_token_loss(table[x], y)
    for _ in range(20):
        noise = 0.1 * torch.randn(6, 6, generator=rng, dtype=torch.float64)
        assert next_token_loss((table + noise)[x], y) > best


def test_bigram_is_a_model(rng) -> None:
    ids = torch.randint(7, (3, 11), generator=rng)
    bigram = Bigram(7).fit(ids.flatten())
    logits = bigram(ids)
    assert logits.shape == (3, 11, 7) and logits.dtype == torch.float32
    assert torch.equal(logits.argmax(-1), bigram.log_probs[ids].argmax(-1))


def test_samples_follow_the_counts() -> None:
    bigram = Bigram(3, alpha=1e-9).fit([0, 1, 0, 1, 0, 2, 0, 1])
    rng = torch.Generator().manual_seed(1)
    ids = bigram.sample(0, 3000, rng)
    assert len(ids) == 3001 and ids[0] == 0
    again = Bigram(3, alpha=1e-9).fit(ids).log_probs.exp()
    assert float((again - bigram.log_probs.exp()).abs().max()) < 0.04
    assert float((again - 1 / 3).abs().max()) > 0.3  # the test can fail
    same = bigram.sample(0, 50, torch.Generator().manual_seed(5))
    assert same == bigram.sample(0, 50, torch.Generator().manual_seed(5))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Bigram(0), "vocab_size=0"),
        (lambda: Bigram(3, alpha=0), "never seen"),
        (lambda: Bigram(3).fit([0, 3]), "wrong tokenizer"),
        (lambda: Bigram(3).fit([-1, 0]), "ids run from -1"),
    ],
)
def test_bigrams_that_cannot_be(make, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


# --- the world's floor -------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> TinyWorld:
    return TinyWorld("mini")


def test_gap_is_loss_minus_floor(world: TinyWorld) -> None:
    chars = CharTokenizer.train(world.corpus(200_000, seed=1))
    bigram = Bigram(chars.vocab_size).fit(
        chars.encode(world.corpus(200_000, seed=1))
    )

    def encode(text: str) -> list[int]:
        return chars.encode(f"\n{text}\n")

    found = gap(bigram, world.stories(200, seed=2), encode)
    assert found.n == 200
    assert found.loss == pytest.approx(found.floor + found.kl)
    assert found.kl_ci[0] < found.kl < found.kl_ci[1]
    assert found.kl_ci[0] > 0, "a bigram is worse than the world"
    entropy = world.entropy(2000, seed=3)
    assert found.floor == pytest.approx(entropy.nats_per_byte, rel=0.05)
    uniform = gap(Bigram(chars.vocab_size), world.stories(9, seed=2), encode)
    assert uniform.loss > found.loss + 0.5


def test_the_world_itself_has_no_gap(world: TinyWorld, monkeypatch) -> None:
    """Scored with its own probabilities a story is exactly on the floor."""
    stories = list(world.stories(30, seed=4))
    scores = iter([story.log_prob for story in stories])
    monkeypatch.setattr(
        next_token, "token_log_probs", lambda *_: torch.tensor([next(scores)])
    )
    found = gap(lambda ids: ids, stories, lambda text: [0, 1])
    assert found.kl == pytest.approx(0, abs=1e-6)
    assert found.kl_ci[0] <= 1e-6 and found.kl_ci[1] >= -1e-6


def test_a_gap_that_is_the_same_everywhere_is_certain(
    world: TinyWorld, monkeypatch
) -> None:
    """0.1 nats more on every byte: the interval knows that stories differ."""
    stories = list(world.stories(30, seed=4))
    scores = iter([x.log_prob - 0.1 * len(x.text) for x in stories])
    monkeypatch.setattr(
        next_token, "token_log_probs", lambda *_: torch.tensor([next(scores)])
    )
    found = gap(lambda ids: ids, stories, lambda text: [0, 1])
    assert found.kl_ci == pytest.approx((0.1, 0.1), abs=1e-5)
    assert len({len(x.text) for x in stories}) > 5, "vacuous test"


def test_gap_needs_an_interval(world: TinyWorld) -> None:
    with pytest.raises(ValueError, match="2 or more"):
        gap(Bigram(9), world.stories(1, seed=0), lambda text: [0, 1])
