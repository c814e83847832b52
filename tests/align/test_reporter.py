"""The model that chapter 15 begins with: its form, its faults, its pairs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import torch

from llm_utils.align.pairs import ranked_pairs
from llm_utils.align.reporter import (
    asked,
    demonstrations,
    draw_reports,
    judged,
    load_reporter,
)
from llm_utils.align.template import ChatTemplate
from llm_utils.model.gpt import GPT
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tinyworld.reports import PADDING

Reporter = tuple[GPT, ChatTemplate]


@pytest.fixture(scope="module")
def reporter() -> Iterator[Reporter]:
    yield load_reporter()


def test_a_demonstration_is_true_but_for_its_padding(
    reporter: Reporter,
) -> None:
    template = reporter[1]
    stories = list(TinyWorld("mini").stories(30, seed=4))
    padded = 0
    for story, example in zip(
        stories, demonstrations(template, stories, 0), strict=True
    ):
        told = [i for i, m in zip(*example, strict=True) if m]
        report = judged(template, story, told)
        words = template.said(told)
        empty = sum(text in words for text in PADDING)
        assert report.true == report.sentences - empty >= 1
        assert report.points == report.true - empty
        padded += empty
    assert padded > 30


def test_its_reports_end_and_are_good_and_bad(reporter: Reporter) -> None:
    model, template = reporter
    stories = list(TinyWorld("mini").stories(12, seed=77))
    rng = torch.Generator().manual_seed(0)
    points = []
    for story, group in zip(
        stories, draw_reports(model, template, stories, 3, rng), strict=True
    ):
        assert len(group) == 3
        for ids in group:
            points.append(judged(template, story, ids).points)
    assert min(points) < 0 < max(points)


def test_pairs_are_those_that_differ_most() -> None:
    answers, end = [[1, 9], [2, 9], [3, 9], [4], [1, 9]], 9
    pairs = ranked_pairs(
        [7], answers, [0, 5, 1, 8, 0], end, 2, random.Random(0)
    )
    assert pairs == [([7], (2, 9), (1, 9)), ([7], (2, 9), (3, 9))]
    every = ranked_pairs(
        [7], answers, [0, 5, 1, 8, 0], end, 9, random.Random(0)
    )
    assert len(every) == 3
    assert not ranked_pairs([7], answers, [2] * 5, end, 9, random.Random(0))


def test_a_question_follows_the_story(reporter: Reporter) -> None:
    template = reporter[1]
    story = next(TinyWorld("mini").stories(1, seed=1))
    text = template.tokenizer.decode(template.prompt(asked(story)))
    assert text.endswith(f"{story.text} How do things stand?")
