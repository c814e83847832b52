"""The loop against one written by hand with torch's own parts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import pytest
import torch
import torch.nn.functional as F
from agreement import silently
from bugs import with_bug
from torch import Tensor, nn

from llm_utils.model.gpt import GPT
from llm_utils.model.moe import total_balance_loss
from llm_utils.model.zoo import build
from llm_utils.train import trainer
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.schedules import constant, warmup_cosine
from llm_utils.train.trainer import Diverged, TrainConfig, evaluate, train

close = torch.testing.assert_close
Batch = tuple[Tensor, Tensor]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(name: str = "tiny-llama", **sizes) -> GPT:
    sizes = {"vocab_size": 17, "n_layers": 1, "d_model": 16, **sizes}
    return build(name, seeded(), n_kv_heads=4, d_ff=24, **sizes).double()


def ragged(n: int, B: int = 2, T: int = 8, seed: int = 1) -> list[Batch]:
    """Batches whose rows have 1 to T targets; the rest is padding."""
    rng = seeded(seed)
    found = []
    for _ in range(n):
        rows = torch.randint(17, (B, T + 1), generator=rng)
        ends = torch.randint(1, T + 1, (B, 1), generator=rng)
        x, y = rows[:, :-1], rows[:, 1:].clone()
        found.append((x, y.masked_fill(torch.arange(T) >= ends, -100)))
    return found


def joined(batches: list[Batch]) -> Batch:
    xs, ys = zip(*batches, strict=True)
    return torch.cat(xs), torch.cat(ys)


def by_hand(batches: list[Batch], schedule, clip: float = 1.0) -> nn.Module:
    """One step per batch, with nothing of the package but the model."""
    model = small()
    vectors = [p for p in model.parameters() if p.dim() < 2]
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    opt = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.1)
    for step, (x, y) in enumerate(batches):
        for group in opt.param_groups:
            group["lr"] = schedule(step)
        F.cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        opt.step()
        opt.zero_grad()
    return model


def trained(
    batches, steps: int = 6, loop=train, clip: float = 0.3, **options
) -> nn.Module:
    model = small()
    opt = AdamW(decay_groups(model))
    cfg = TrainConfig(steps, clip=clip, **options)
    for _ in loop(model, iter(batches), opt, SCHEDULE, cfg):
        pass
    return model


SCHEDULE = warmup_cosine(0.01, 6, warmup=2)


def same(a: nn.Module, b: nn.Module, agrees=silently) -> None:
    agrees(
        "torch", "weights after six steps of the training loop",
        a.state_dict(), b.state_dict(), atol=1e-10, rtol=0,
    )  # fmt: skip


@pytest.mark.parametrize("n", [1, 3])
def test_the_loop_is_the_one_by_hand_also_in_parts(agrees, n: int) -> None:
    """Batches of unequally many targets, accumulated: the big batch's step."""
    batches = ragged(6 * n)
    big = [joined(batches[i : i + n]) for i in range(0, 6 * n, n)]
    expected = by_hand(big, SCHEDULE, clip=0.3)
    same(trained(batches, accumulate=n), expected, agrees)
    with pytest.raises(AssertionError):
        same(trained(batches, accumulate=n, clip=1.0), expected)


BUGS = {  # in the loop: what it says, what it should not say
    "mean of means": (".sum() / n\n", ".sum() / counts[i] / len(parts)\n"),
    "not divided": (".sum() / n\n", ".sum() / counts[i]\n"),
    "padding counted": ("(y != -100).sum()", "torch.tensor(y.numel())"),
    "clip after the step": (
        "        norm = float(clip_grad_norm(model.parameters(), cfg.clip))\n",
        "        opt.step()\n"
        "        norm = float(clip_grad_norm(model.parameters(), cfg.clip))\n"
        "        continue\n",
    ),
    "gradients not zeroed": ("opt.zero_grad()", "pass"),
    "the rate of the next step": ("schedule(step)", "schedule(step + 1)"),
    "no rate set": ("set_lr(opt, lr)", "set_lr(opt, 0.01)"),
    "only the first part": ("(loss * n_workers())", "(loss * (i == 0))"),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_in_the_loop_is_seen(bug: str, tmp_path) -> None:
    old, new = BUGS[bug]
    broken = with_bug(tmp_path, trainer, old, new)
    batches = ragged(18)
    big = [joined(batches[i : i + 3]) for i in range(0, 18, 3)]
    expected = by_hand(big, SCHEDULE, clip=0.3)
    with pytest.raises(AssertionError):
        same(trained(batches, loop=broken.train, accumulate=3), expected)


def test_a_batch_is_overfitted() -> None:
    """The first thing to try with any loop."""
    batch = ragged(1, B=4, T=8)[0]
    model = small().float()
    opt = AdamW(decay_groups(model, 0.0))
    cfg = TrainConfig(120)
    stats = list(train(model, cycle([batch]), opt, constant(0.01), cfg))
    assert stats[0].loss == pytest.approx(math.log(17), rel=0.05)
    assert stats[-1].loss < 0.05


def test_what_is_yielded() -> None:
    model, batches = small(), ragged(6)
    opt = AdamW(decay_groups(model))
    x, y = joined(batches[:2])
    first = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    first.backward()
    norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    cfg = TrainConfig(5, accumulate=2, clip=1e-3)
    loop = train(model, iter(batches), opt, SCHEDULE, cfg, start=2)
    stats = list(loop)
    assert [s.step for s in stats] == [3, 4, 5]
    assert [s.lr for s in stats] == [SCHEDULE(2), SCHEDULE(3), SCHEDULE(4)]
    assert stats[0].loss == pytest.approx(first.item(), abs=1e-10)
    assert stats[0].grad_norm == pytest.approx(norm.item(), abs=1e-10)
    assert stats[0].tokens == int((y != -100).sum())
    assert stats[0].perplexity == pytest.approx(math.exp(first.item()))
    rate = stats[0].tokens / stats[0].seconds
    assert stats[0].tokens_per_second == rate > 0


def test_the_loop_waits_for_its_caller() -> None:
    """Nothing is trained that nobody has asked for."""
    model = small()
    before = model.tokens.weight.detach().clone()
    opt = AdamW(decay_groups(model))
    loop = train(model, iter(ragged(3)), opt, SCHEDULE, TrainConfig(3))
    assert torch.equal(model.tokens.weight, before)
    next(loop)
    after = model.tokens.weight.detach().clone()
    assert not torch.equal(after, before)
    loop.close()
    assert torch.equal(model.tokens.weight, after)


def test_bfloat16_products_and_float32_weights() -> None:
    batches = ragged(4, B=8)
    seen = []
    losses = {}
    for dtype in ("float32", "bfloat16"):
        model = small().float()
        model.register_forward_hook(lambda m, x, y: seen.append(y.dtype))
        opt = AdamW(decay_groups(model))
        cfg = TrainConfig(4, dtype=dtype)
        stats = list(train(model, iter(batches), opt, SCHEDULE, cfg))
        losses[dtype] = [s.loss for s in stats]
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        assert {p.grad.dtype for p in model.parameters()} == {torch.float32}
    assert seen == 4 * [torch.float32] + 4 * [torch.bfloat16]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.03)
    assert losses["bfloat16"] != losses["float32"]


def test_the_compiled_model_is_what_runs(monkeypatch) -> None:
    ran = []

    def compiled(model):
        return lambda x: ran.append(x.shape) or model(x)

    monkeypatch.setattr(torch, "compile", compiled)
    batches = ragged(6)
    same(trained(batches, compile=True), trained(batches))
    assert len(ran) == 6


def test_dropout_is_on_in_training_and_off_in_evaluation() -> None:
    model = small(dropout=0.5)
    model.eval()
    opt = AdamW(decay_groups(model))
    loop = train(model, cycle(ragged(1)), opt, constant(0.0), TrainConfig(9))
    losses = [next(loop).loss for _ in range(3)]
    assert len(set(losses)) == 3
    exact = evaluate(model, ragged(1))
    assert exact == evaluate(model, ragged(1))
    assert model.training and next(loop).loss != exact


def test_evaluation_weighs_targets_and_not_batches(agrees) -> None:
    model, batches = small(), ragged(5)
    x, y = joined(batches)
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item()
    agrees(
        "torch", "the loss of held-out text",
        evaluate(model, batches), loss, atol=1e-12, rtol=0,
    )  # fmt: skip
    means = [evaluate(model, [b]) for b in batches]
    assert abs(sum(means) / 5 - loss) > 1e-3  # so the test could fail
    assert all(p.grad is None for p in model.parameters())
    with pytest.raises(ValueError, match="no targets"):
        evaluate(model, [])


def test_the_balance_loss_can_be_added() -> None:
    sizes = {"n_experts": 4, "top_k": 2}
    loads = {}
    for weight in (0.0, 5.0):
        model = small("tiny-moe", **sizes)
        opt = AdamW(decay_groups(model, 0.0))
        stats = list(
            train(
                model, cycle(ragged(4)), opt, constant(0.01), TrainConfig(40),
                extra=lambda m=model, w=weight: w * total_balance_loss(m),
            )
        )  # fmt: skip
        model(ragged(1)[0][0])
        loads[weight] = total_balance_loss(model).item()
        assert stats[0].loss == pytest.approx(math.log(17), rel=0.05)
    assert loads[5.0] < loads[0.0] - 0.01
    assert loads[5.0] == pytest.approx(1, abs=0.02)


def poisoned(bad: int, n: int = 6) -> Iterator[Batch]:
    """Batch number `bad` holds a token whose vector is no number."""
    for i, (x, y) in enumerate(ragged(n)):
        yield (x * 0 + 16 if i == bad else x % 16), y


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_before_the_step(value) -> None:
    model = small(tie_embeddings=False)
    with torch.no_grad():
        model.tokens.weight[16] = value
    opt = AdamW(decay_groups(model, 0.0))
    cfg = TrainConfig(3, accumulate=2)
    loop = train(model, poisoned(bad=4), opt, SCHEDULE, cfg)
    next(loop), next(loop)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(Diverged, match="step 3: the loss is nan") as caught:
        next(loop)
    assert "[16, 16, 16" in str(caught.value)
    assert "learning rate was" in str(caught.value)
    assert caught.value.step == 3
    assert caught.value.batch[0].eq(16).all()
    close(model.state_dict(), before, atol=0, rtol=0, equal_nan=True)


def test_a_gradient_that_is_no_number_stops_too() -> None:
    model = small()
    model.norm.weight.register_hook(lambda grad: grad * math.inf)
    opt = AdamW(decay_groups(model))
    loop = train(model, iter(ragged(3)), opt, SCHEDULE, TrainConfig(3))
    with pytest.raises(Diverged, match=r"its gradient's norm (inf|nan)"):
        next(loop)


def test_a_step_without_any_target_says_so() -> None:
    x, y = ragged(1)[0]
    model = small()
    opt = AdamW(decay_groups(model))
    loop = train(
        model, cycle([(x, y * 0 - 100)]), opt, SCHEDULE, TrainConfig(3)
    )
    with pytest.raises(Diverged, match="row without any target"):
        next(loop)


def test_a_part_without_any_target_adds_nothing() -> None:
    x, y = ragged(1)[0]
    empty = (x, torch.full_like(y, -100))
    twice = trained([b for b in ragged(6) for b in (b, empty)], accumulate=2)
    same(twice, trained(ragged(6)))


def test_batches_that_end_are_reported() -> None:
    with pytest.raises(ValueError, match="ended in step 3"):
        trained(ragged(2))


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"accumulate": 0}, {"clip": 0.0}, {"dtype": "float16"}],
)
def test_impossible_configurations_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(TrainConfig(1), **wrong)
