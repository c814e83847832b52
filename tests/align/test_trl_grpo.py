"""GRPO against TRL's: its loss on recorded answers, advantages, old log p."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from aligned import (
    ASKED,
    ask,
    folder_of,
    same_gradients,
    seeded,
    spoken,
    stirred,
    tiny,
)
from bugs import with_bug
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer
from trl_parts import load, settings, words

from llm_utils.align import rl
from llm_utils.align.log_probs import response_log_probs
from llm_utils.align.rollout import Rollout, rollout
from llm_utils.align.sft import sft_collate

pytestmark = pytest.mark.filterwarnings("ignore")
ATOL = 1e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the folder `model` in it."""
    path = tmp_path_factory.mktemp("grpo")
    model, template = spoken()
    folder_of(model, template, path / "model")
    return path


N, G, SOFT = 8, 4, 1.3
AVERAGES = {
    "grpo": rl.by_response, "bnpo": rl.by_token, "dr_grpo": rl.by_length(N)
}  # fmt: skip


def marks(completion_ids, **_) -> list[float]:
    return [float(sum(ids) % 7) for ids in completion_ids]


def grpo_trainer(folder: Path, model, loss_type: str, **more) -> GRPOTrainer:
    args = settings(
        folder, GRPOConfig, beta=0.2, loss_type=loss_type, epsilon=0.1,
        epsilon_high=0.3, num_generations=G, max_completion_length=N,
        num_iterations=2, temperature=SOFT, use_bias_correction_kl=False,
        **more,
    )  # fmt: skip
    data = Dataset.from_list([{"prompt": ask(x[0])} for x in ASKED])
    return GRPOTrainer(
        model, marks, args, train_dataset=data,
        processing_class=words(folder / "model"),
    )  # fmt: skip


def recorded(template) -> Rollout:
    """Answers of an older model, of which some end early."""
    prompts = [template.prompt(ask(x[0])) for x in ASKED]
    stop = [template.end, *range(40)]
    drawn = rollout(
        tiny(), prompts, G, N, seeded(1), temperature=SOFT, stop_ids=stop
    )
    assert 1 < sum(drawn.ended) < 16, "vacuous test"
    return drawn


def as_inputs(drawn: Rollout, prompts: list[list[int]], **more):
    """A rollout as TRL's trainer has it: prompts padded at their beginning."""
    P = max(map(len, prompts))
    rows = [(prompts[r // G], ids) for r, ids in enumerate(drawn.responses)]
    left = [[0] * (P - len(p)) + p for p, _ in rows]
    seen = [[0] * (P - len(p)) + [1] * len(p) for p, _ in rows]
    right = [ids + [0] * (N - len(ids)) for _, ids in rows]
    mask = [[1] * len(ids) + [0] * (N - len(ids)) for _, ids in rows]
    old = torch.zeros(len(rows), N)
    for row, logs, m in zip(old, drawn.log_probs, drawn.mask, strict=True):
        row[: int(m.sum())] = logs[m]
    names = ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask")
    lists = (left, seen, right, mask)
    made = {k: torch.tensor(v) for k, v in zip(names, lists, strict=True)}
    return {**made, "old_per_token_logps": old, **more}


@pytest.mark.parametrize("loss_type", AVERAGES)
def test_grpo_loss_on_recorded_answers(
    agrees, loss_type: str, folder: Path
) -> None:
    _, template = spoken()
    drawn = recorded(template)
    model = stirred(copy.deepcopy(tiny()), 0.02, seed=8)
    rewards = torch.tensor(marks(drawn.responses)).view(4, G)
    A = rl.group_advantages(rewards).flatten()
    x, y = drawn.x, drawn.y
    with torch.no_grad():
        ref = response_log_probs(tiny(seed=5), x, y, temperature=SOFT)
    logs = response_log_probs(model, x, y, temperature=SOFT)
    found = rl.grpo_loss(
        logs, drawn.log_probs, drawn.mask, A, ref, clip=0.1, clip_high=0.3,
        beta=0.2, average=AVERAGES[loss_type],
    )  # fmt: skip
    found.loss.backward()

    folder_of(model, template, folder / "now")
    trainer = grpo_trainer(folder, load(folder / "now"), loss_type)
    prompts = [template.prompt(ask(q)) for q, _, _ in ASKED]
    plain = as_inputs(drawn, prompts)
    shape = plain["old_per_token_logps"].shape
    theirs_ref = torch.zeros(shape)
    for row, own, m in zip(theirs_ref, ref, drawn.mask, strict=True):
        row[: int(m.sum())] = own[m]
    inputs = {**plain, "advantages": A, "ref_per_token_logps": theirs_ref}
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    told = trainer._metrics["train"]
    what = f"GRPO, averaged as {loss_type}"
    agrees("trl", f"the loss of {what}", found.loss, loss, atol=ATOL, rtol=0)
    same_gradients(model, trainer.model, ATOL, what, agrees)
    agrees(
        "trl", "the KL divergence that GRPO reports",
        float(found.kl), told["kl"][0], atol=1e-5, rtol=0,
    )  # fmt: skip
    share = told["clip_ratio/region_mean"][0]
    agrees(
        "trl", "the share of tokens that GRPO clips",
        float(found.clipped), share, atol=1e-12, rtol=1e-6,
    )  # fmt: skip
    assert 0 < share < 1


@pytest.mark.parametrize("scale", ["group", "none"])
def test_group_advantages_are_theirs(agrees, scale: str, folder: Path) -> None:
    """Their own sampling this time: what they record, we find again."""
    trainer = grpo_trainer(
        folder, load(folder / "model"), "grpo", scale_rewards=scale
    )
    rows = [trainer.train_dataset[i // G] for i in range(4 * G)]
    torch.manual_seed(0)
    trainer.model.train()
    out = trainer._generate_and_score_completions(rows)
    ids, mask = out["completion_ids"], out["completion_mask"].bool()
    rewards = marks([row[m].tolist() for row, m in zip(ids, mask, strict=True)])
    A = rl.group_advantages(
        torch.tensor(rewards).view(4, G), scale=scale == "group"
    )
    what = "the advantages in a group"
    agrees("trl", what, A.flatten(), out["advantages"], atol=1e-5, rtol=0)
    prompts = [out["prompt_ids"][i][out["prompt_mask"][i].bool()].tolist()
               for i in range(4 * G)]  # fmt: skip
    examples = [
        (p + c[m].tolist(), [False] * len(p) + [True] * int(m.sum()))
        for p, c, m in zip(prompts, ids, mask, strict=True)
    ]
    x, y = sft_collate(examples)
    logs = response_log_probs(tiny(), x, y, temperature=SOFT)
    found = out["old_per_token_logps"][mask]
    what = "log p of the answers that it drew"
    agrees("trl", what, logs[y != -100], found, atol=1e-5, rtol=0)


GRPO_BUGS = {
    "the old is the new": (
        "ratio = (log_probs - old).exp()\n    inside",
        "ratio = (log_probs - log_probs.detach()).exp()\n    inside",
    ),
    "never the smaller one": ("torch.minimum(ratio *", "torch.maximum(ratio *"),
    "the other estimator": ("gap.exp() - gap - 1", "-gap"),
    "the biased deviation": (
        "rewards.std(-1, keepdim=True)",
        "rewards.std(-1, False, keepdim=True)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", GRPO_BUGS)
def test_a_wrong_grpo_is_seen(bug: str, tmp_path: Path) -> None:
    """Bugs move the loss by more than the difference to TRL."""
    broken = with_bug(tmp_path, rl, *GRPO_BUGS[bug])
    _, template = spoken()
    drawn = recorded(template)
    rewards = torch.tensor(marks(drawn.responses)).view(4, G)
    model = stirred(copy.deepcopy(tiny()), 0.02, seed=8)
    with torch.no_grad():
        ref = response_log_probs(tiny(seed=5), drawn.x, drawn.y)
        logs = response_log_probs(model, drawn.x, drawn.y, temperature=SOFT)
    values = []
    for kind in (rl, broken):
        A = kind.group_advantages(rewards).flatten()
        found = kind.grpo_loss(
            logs, drawn.log_probs, drawn.mask, A, ref, clip=0.1, beta=0.2
        )
        values.append(float(found.loss))
    assert abs(values[0] - values[1]) > 1e-3
