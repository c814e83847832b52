"""Rollouts are what the model says of them; the loop lifts the reward."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from aligned import close, seeded, tiny
from bugs import with_bug

from llm_utils.align import rollout as module
from llm_utils.align.log_probs import response_log_probs
from llm_utils.align.policy import (
    Sampling,
    Task,
    gather,
    grpo,
    reinforce,
    train_policy,
)
from llm_utils.align.rl import leave_one_out
from llm_utils.align.rollout import rollout
from llm_utils.infer.sample import generate_batch
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.schedules import constant
from llm_utils.train.trainer import TrainConfig

PROMPTS = [[7, 8, 9], [4], [5, 6, 7, 8, 9, 10], [1, 2, 3]]
STOP = [*range(60)]  # so that a fifth of all draws ends an answer
G, N = 5, 7


def assert_recorded_as_drawn(kind, model, soft: float = 1.5) -> None:
    """log p, targets and lengths are those of one full pass."""
    found = kind.rollout(model, PROMPTS, G, N, seeded(2), soft, STOP)
    logs = response_log_probs(model, found.x, found.y, temperature=soft)
    close(found.log_probs, logs.detach(), atol=1e-4, rtol=0)
    for r, ids in enumerate(found.responses):
        prompt, on = PROMPTS[r // G], found.mask[r]
        assert found.y[r][on].tolist() == ids
        row = [*prompt, *ids]
        assert found.x[r, : len(row) - 1].tolist() == row[:-1]
        assert int(on.nonzero()[0]) == len(prompt) - 1
        assert found.ended[r] == (ids[-1] in STOP)
        assert not set(ids[:-1]) & set(STOP)
        assert len(ids) == N or found.ended[r]
    assert 0 < sum(found.ended) < len(found.ended), "vacuous test"


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2", "tiny-qwen"])
def test_log_probs_are_recorded_as_drawn(name: str) -> None:
    assert_recorded_as_drawn(module, tiny(name))


def test_rolling_caches_too() -> None:
    assert_recorded_as_drawn(module, tiny(window=3))


BUGS = {
    "those of another row": ("logs[row])", "logs[row - 1])"),
    "before the temperature": ("[soften(temperature), look]",
                               "[look, soften(temperature)]"),
    "one place too late": ("first = len(prompt) - 1", "first = len(prompt)"),
    "answers of another prompt": ("repeat_interleave(G, 0)", "repeat(G, 1)"),
    "keys of another prompt": (
        "one.kv.repeat_interleave(G, 1)", "one.kv.repeat(1, G, 1, 1, 1)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_seen(bug: str, tmp_path: Path) -> None:
    broken = with_bug(tmp_path, module, *BUGS[bug])
    with pytest.raises((AssertionError, RuntimeError)):
        assert_recorded_as_drawn(broken, tiny())


def test_the_coldest_answers_are_chapter_10s() -> None:
    model = tiny()
    found = rollout(model, PROMPTS, 2, N, seeded(), 1e-4, STOP)
    greedy = generate_batch(model, PROMPTS, N, stop_ids=STOP)
    assert found.responses == [ids for ids in greedy for _ in range(2)]


def test_the_draws_have_the_model_s_probabilities() -> None:
    """The first token of 4000 answers against softmax(logits / t)."""
    model = tiny(vocab_size=9)
    found = rollout(model, [[1, 2, 3]], 4000, 1, seeded(), 2.0)
    firsts = torch.tensor([ids[0] for ids in found.responses])
    share = torch.bincount(firsts, minlength=9) / 4000
    p = (model(torch.tensor([[1, 2, 3]]))[0, -1] / 2).softmax(-1).detach()
    assert float((share - p).abs().max()) < 4 * 0.5 / math.sqrt(4000)


def test_rollouts_leave_the_model_as_it_was() -> None:
    model = tiny().train()
    rollout(model, PROMPTS, 2, 2, seeded())
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_nonsense_is_refused() -> None:
    model = tiny()
    for prompts, why in (
        ([], "no prompts"), ([[1], []], "prompt 1 is empty"),
        ([[1], [1] * 127], "prompt 1 of 127 ids and 7 new"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            rollout(model, prompts, 2, N, seeded())
    for wrong in ({"G": 0}, {"n": 0}, {"temperature": 0.0}):
        with pytest.raises(ValueError, match="must be positive"):
            rollout(model, [[1]], **{"G": 1, "n": 1, **wrong}, rng=seeded())
    for wrong in ({"G": 1}, {"P": 0}, {"passes": 0}, {"n": 0}):
        with pytest.raises(ValueError, match="1 or more"):
            Sampling(**wrong)


# --- the loop ----------------------------------------------------------------

TASKS = [Task([k, 1], k) for k in (3, 4, 5, 6)]


def copies(task: Task, ids: list[int]) -> float:
    """How often an answer says the key of its task."""
    return ids.count(task.key) / len(ids)


OBJECTIVES = {
    "reinforce": (reinforce, leave_one_out, 1),
    "ppo": (grpo(clip=0.2), leave_one_out, 2),
    "grpo": (grpo(beta=0.01), None, 2),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_reward_goes_up(name: str) -> None:
    objective, advantages, passes = OBJECTIVES[name]
    model = tiny(vocab_size=8)
    reference = tiny(vocab_size=8)
    s = Sampling(P=4, G=16, n=3, passes=passes)
    more = {} if advantages is None else {"advantages": advantages}
    loop = train_policy(
        model, TASKS, copies, AdamW(decay_groups(model, 0.0)), constant(1e-2),
        TrainConfig(60), seeded(), s, objective, reference=reference, **more,
    )  # fmt: skip
    stats = list(loop)
    first, last = stats[0], stats[-1]
    assert first["reward"] < 0.3 and last["reward"] > 0.75
    assert last["kl"] > 0.1 > abs(first["kl"])
    assert last["entropy"] < first["entropy"]
    assert first["length"] == 3 and first["ended"] == 0
    assert 0 <= last["silent"] <= 1
    clips = [s["clipped"] for s in stats]
    assert max(clips[::2]) == 0 or passes == 1  # just drawn: ratio 1
    assert (max(clips) > 0) == (passes == 2)


def test_experience_is_judged_row_by_row() -> None:
    model = tiny(vocab_size=8)
    s = Sampling(P=4, G=3, n=4, end=0)
    e = gather(model, TASKS, copies, s, seeded(), reference=tiny(vocab_size=8))
    flat = e.rewards.flatten().tolist()
    for r, ids in enumerate(e.rollout.responses):
        assert flat[r] == pytest.approx(copies(TASKS[r // 3], ids))
    gains = (e.rewards - e.rewards.mean(-1, keepdim=True)).flatten()
    assert torch.equal(gains > 0, e.advantages > 0)
    close(e.ref, e.rollout.log_probs, atol=1e-5, rtol=0)
    assert 0 < e.entropy < math.log(8)
