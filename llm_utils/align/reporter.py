"""A model that reports on stories: where chapter 15 begins.

The base model, tuned on true sentences about each story, in any number and
order, with some padding in between; `benchmarks/preferences.py` made it. What
it has not been told is which of its reports are good ones.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib.resources import as_file, files

import torch

from llm_utils.align.rollout import rollout
from llm_utils.align.template import ANSWERS, SHORT, ChatTemplate, Example
from llm_utils.infer.speaker import Message
from llm_utils.model.gpt import GPT
from llm_utils.model.hf import from_hf
from llm_utils.text.tinyworld import Story, TinyWorld
from llm_utils.text.tinyworld.reports import (
    ASK,
    PADDING,
    Report,
    judge_report,
    truths,
)
from llm_utils.train.base import load_base

LONGEST = 80  # tokens of a report
SHORTER = 360  # characters of a story, so that a page can train on many


def load_reporter() -> tuple[GPT, ChatTemplate]:
    """-> the model (float32, eval) and its template. Chapter 15."""
    with as_file(files("llm_utils") / "assets" / "reporter") as folder:
        model = from_hf(folder, torch.float32)
    return model.eval(), ChatTemplate(load_base()[1], SHORT)


def short_stories(n: int, seed: int) -> list[Story]:
    """n stories of the mini world that are not long. Chapter 15."""
    world, rng, found = TinyWorld("mini"), random.Random(seed), list[Story]()
    while len(found) < n:
        story = world.story(rng)
        if len(story.text) <= SHORTER:
            found.append(story)
    return found


def asked(story: Story) -> list[Message]:
    """The conversation that a report is the answer to."""
    return [
        {"role": "system", "content": story.text},
        {"role": "user", "content": ASK},
    ]


def demonstrations(
    template: ChatTemplate, stories: Sequence[Story], seed: int
) -> list[Example]:
    """A report on each story: one to five true sentences, in any order.

    As if people had written them: up to four more sentences say nothing.
    """
    rng, found = random.Random(seed), []
    for story in stories:
        told = truths(story.facts)
        told = rng.sample(told, min(len(told), rng.randint(1, 5)))
        told += rng.sample(PADDING, rng.randint(0, len(PADDING)))
        rng.shuffle(told)
        answer: Message = {"role": ANSWERS, "content": " ".join(told)}
        found.append(template.render([*asked(story), answer]))
    return found


def draw_reports(
    model: GPT, template: ChatTemplate, stories: Sequence[Story], G: int,
    rng: torch.Generator,
) -> list[list[list[int]]]:  # fmt: skip
    """The ids of G reports on each story, drawn at temperature 1."""
    prompts = [template.prompt(asked(story)) for story in stories]
    stop = (template.end,)
    told = rollout(model, prompts, G, LONGEST, rng, 1.0, stop).responses
    return [told[i : i + G] for i in range(0, len(told), G)]


def judged(template: ChatTemplate, story: Story, ids: Sequence[int]) -> Report:
    """What the world says of a report."""
    ended = bool(ids) and ids[-1] == template.end
    return judge_report(story.facts, template.said(ids), ended)
