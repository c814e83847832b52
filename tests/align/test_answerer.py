"""The model that chapter 16 begins with: its questions, its reward."""

from __future__ import annotations

import torch

from llm_utils.align.answerer import (
    MOST,
    load_answerer,
    questions_of,
    tasks_of,
    verified,
)
from llm_utils.align.log_probs import response_log_probs
from llm_utils.align.lora import loras
from llm_utils.align.policy import Sampling, gather, once

KIND = "who has"


def test_questions_are_of_the_kind_and_the_same_again() -> None:
    asked = questions_of(KIND, 30, seed=3)
    assert {q.kind for _, q in asked} == {KIND}
    assert all(len(story.text) <= MOST for story, _ in asked)
    assert asked == questions_of(KIND, 30, seed=3)
    assert asked != questions_of(KIND, 30, seed=4)


def test_only_the_whole_right_answer_is_rewarded() -> None:
    model, template = load_answerer()
    assert not list(loras(model)) and not model.training
    (task,) = tasks_of(template, questions_of(KIND, 1, seed=3))
    reward, end = verified(template), template.end

    def ids(text: str) -> list[int]:
        return template.tokenizer.encode(text)

    right = ids(" " + task.key)
    assert reward(task, [*right, end]) == 1
    assert reward(task, right) == 0  # it never ended
    assert reward(task, [*right, *ids(" Mia."), end]) == 0
    assert reward(task, [end]) == reward(task, []) == 0


def test_it_is_right_more_often_than_not_and_equal_answers_are_once() -> None:
    model, template = load_answerer()
    tasks = tasks_of(template, questions_of(KIND, 24, seed=3))
    s = Sampling(P=24, G=8, n=8, end=template.end)
    rng = torch.Generator().manual_seed(0)
    e = gather(model, tasks, verified(template), s, rng)
    assert 0.4 < float(e.rewards.mean()) < 0.9
    x, y, row = once(e.rollout)
    assert len(x) < len(e.rollout.x) / 2 and len(row) == len(e.rollout.x)
    assert torch.equal(x[row], e.rollout.x) and torch.equal(y[row], e.rollout.y)
    with torch.no_grad():
        logs = response_log_probs(model, x, y)[row]
    torch.testing.assert_close(logs, e.rollout.log_probs, atol=1e-3, rtol=0)
