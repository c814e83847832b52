"""A model that answers questions: where chapter 16 begins.

The base model with a LoRA of chapter 14's recipe, stopped early and merged;
`benchmarks/reinforcement.py` made it. The questions are TinyWorld's, on
stories that are not too long.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib.resources import as_file, files

from llm_utils.align.lora import merge_lora
from llm_utils.align.peft_files import load_lora
from llm_utils.align.policy import Reward, Task
from llm_utils.align.template import SHORT, ChatTemplate
from llm_utils.infer.answers import exact_match
from llm_utils.infer.speaker import Message
from llm_utils.model.gpt import GPT
from llm_utils.text.tinyworld import Question, Story, TinyWorld
from llm_utils.train.base import load_base

MOST = 520  # characters of a story; in short ones guessing gets further
Asked = tuple[Story, Question]


def load_answerer(adapter: str = "beginner") -> tuple[GPT, ChatTemplate]:
    """-> the model (float32, eval, without LoRA) and its template.

    adapter: "beginner", or "finetuned", which is chapter 14's at its end.
    Chapter 16.
    """
    model, bpe = load_base()
    with as_file(files("llm_utils") / "assets" / adapter) as folder:
        load_lora(model, folder)
    merge_lora(model)
    return model.eval(), ChatTemplate(bpe, SHORT)


def questions_of(kind: str, n: int, seed: int) -> list[Asked]:
    """n questions of one kind, each on a story of its own.

    Thinned out as all of the world's questions are, so that no trick beats
    chance. Chapter 16.
    """
    world, rng, found = TinyWorld("mini"), random.Random(seed), list[Asked]()
    while len(found) < n:
        story = world.story(rng)
        if len(story.text) > MOST:
            continue
        fitting = [q for q in world.questions(story) if q.kind == kind]
        if fitting:
            found.append((story, rng.choice(fitting)))
    return found


def conversation(story: Story, question: str) -> list[Message]:
    """What the model reads before it answers. Chapter 14."""
    return [
        {"role": "system", "content": story.text},
        {"role": "user", "content": question},
    ]


def tasks_of(template: ChatTemplate, asked: Sequence[Asked]) -> list[Task]:
    """Questions as tasks: a prompt, and the right answer to compare with."""
    return [
        Task(template.prompt(conversation(story, q.text)), q.answer)
        for story, q in asked
    ]


def verified(template: ChatTemplate) -> Reward:
    """The reward that can be checked: 1 for the right answer, else 0.

    An answer that has not come to its end is not right. Chapter 16.
    """

    def reward(task: Task, ids: list[int]) -> float:
        ended = bool(ids) and ids[-1] == template.end
        return ended * exact_match(template.said(ids), task.key)

    return reward
