"""Reports on how a story ends, and what they are worth.

The task of chapter 15: an answer of any length that the world can judge. A
true sentence that says something new is worth a point, every other one costs
one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from llm_utils.text.tinyworld.lexicon import AT, LEVELS, PETS

if TYPE_CHECKING:
    from llm_utils.text.tinyworld.world import Facts, Story

ASK = "How do things stand?"
PADDING = (
    "Let me think.", "So it seems.", "It was a long day.",
    "That is all I know.",
)  # fmt: skip
"""What people say who have nothing to say."""
_SENTENCE = re.compile(r"(?<=\.)\s+")


class Report(NamedTuple):
    """A judgement: sentences, how many are true and new, the points."""

    sentences: int
    true: int
    points: int


def truths(facts: Facts) -> list[str]:
    """Every sentence that a report on these facts may hold."""
    people = [x for x in facts.where if x not in facts.color]
    told = [f"{_name(p)} is {AT[facts.where[p]]}." for p in people]
    for thing in facts.color:
        told.append(f"The {thing} is {AT[facts.where[thing]]}.")
        if facts.holder[thing]:
            told.append(f"{facts.holder[thing]} has the {thing}.")
    return told + [f"{_name(p)} is {m}." for p, m in facts.mood.items()]


def judge_report(facts: Facts, text: str, ended: bool = True) -> Report:
    """What a report is worth; to say nothing, or be cut off, costs one, too."""
    said = [x for x in _SENTENCE.split(text.strip()) if x]
    true = len({*said} & {*truths(facts)})
    bad = len(said) - true + (not said) + (not ended)
    return Report(len(said), true, true - bad)


def guessed_report(story: Story) -> str:
    """What one can say without reading: everybody is where the last place was.

    And so is everything; there is no better guess by words alone.
    """
    text, places = story.text, LEVELS["full"].places
    last = AT[max(places, key=text.rfind)]
    beings = [x for x in story.facts.where if x not in story.facts.color]
    told = [f"{_name(x)} is {last}." for x in beings]
    told += [f"The {thing} is {last}." for thing in story.facts.color]
    return " ".join(told)


def _name(being: str) -> str:
    return being[0].upper() + being[1:] if being in PETS else being
