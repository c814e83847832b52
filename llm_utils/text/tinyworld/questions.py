"""Questions about how a story ends, and how far mere guessing gets.

A question with one right answer is only a test of reading if guessing fails.
So questions are thinned out until the usual tricks (the candidate mentioned
last, first or most often, "Nobody") are right no more often than chance.
Chapter 2 meets them; weeks 4 and 5 score models with them.
"""

import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_utils.text.tinyworld.lexicon import AT, MOODS, PETS

if TYPE_CHECKING:
    from llm_utils.text.tinyworld.grammar import Grammar
    from llm_utils.text.tinyworld.world import Story

NOBODY, NOTHING = "Nobody.", "Nothing."


@dataclass(frozen=True)
class Question:
    """A question, its one right answer, its kind, and what one may answer."""

    text: str
    answer: str
    kind: str
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class Guess:
    """How often guessing is right on one kind of question.

    `chance` picks a candidate blindly, `constant` is the best single answer,
    `position` the best place in the list; `last`, `first` and `frequent` name
    the candidate that the story mentions last, first or most often.
    """

    n: int
    chance: float
    constant: float
    position: float
    last: float
    first: float
    frequent: float

    @property
    def best(self) -> float:
        """The best guesser's score: what a reader has to beat."""
        return max(
            self.constant, self.position, self.last, self.first, self.frequent
        )


# -- every question one could ask ---------------------------------------------


def _say(word: str) -> str:
    return word[0].upper() + word[1:] + "."


def all_questions(grammar: "Grammar", story: "Story") -> list[Question]:
    """Every question with one right answer and three candidates or more."""
    facts, found = story.facts, []
    things = tuple(facts.color)
    beings = tuple(x for x in facts.where if x not in facts.color)
    people = tuple(x for x in beings if x not in PETS)
    words = set(re.findall(r"\w+", story.text))
    places = [p for p in grammar.level.places if p in words]
    where = [_say(AT[p]) for p in places]
    has = {p: [t for t in things if facts.holder[t] == p] for p in people}

    def ask(kind: str, text: str, answer: str, options: Iterable[str]) -> None:
        candidates = tuple(sorted(options))
        if len(candidates) >= 3:
            found.append(Question(text, answer, kind, candidates))

    for who in beings:
        place = _say(AT[facts.where[who]])
        ask("where is who", f"Where is {who}?", place, where)
    for thing in things:
        place = _say(AT[facts.where[thing]])
        holder = facts.holder[thing]
        kind = "where is what" if holder is None else "where is held"
        ask(kind, f"Where is the {thing}?", place, where)
        ask(
            "who has", f"Who has the {thing}?",
            _say(holder) if holder else NOBODY, [*map(_say, people), NOBODY],
        )  # fmt: skip
        if len(things) > 1:
            color, colors = facts.color[thing], map(_say, grammar.level.colors)
            ask("color", f"What color is the {thing}?", _say(color), colors)
    for who in people:
        if len(has[who]) <= 1:
            answer = _say("the " + has[who][0]) if has[who] else NOTHING
            options = [*(_say("the " + t) for t in things), NOTHING]
            ask("what has", f"What does {who} have?", answer, options)
        if who in facts.mood:
            mood = _say(facts.mood[who])
            ask("feel", f"How does {who} feel?", mood, map(_say, MOODS))
    for place in places:
        here = [x for x in beings if facts.where[x] == place]
        if len(here) <= 1:
            answer = _say(here[0]) if here else NOBODY
            options = [*map(_say, beings), NOBODY]
            ask("who is where", f"Who is {AT[place]}?", answer, options)
    return found


# -- guessing -----------------------------------------------------------------


def _mentions(text: str, q: Question) -> dict[str, list[int]]:
    """Candidate -> where the story mentions it (its last word)."""
    key = {c[:-1].split()[-1].lower(): c for c in q.candidates}
    found: dict[str, list[int]] = {}
    for match in re.finditer("|".join(key), text.lower()):
        found.setdefault(key[match.group()], []).append(match.start())
    return found


def _tricks(text: str, q: Question) -> tuple[bool, bool, bool]:
    """Whether last, first and most frequent candidate are the answer."""
    found = _mentions(text, q)
    if not found:
        return False, False, False
    last = max(found, key=lambda c: found[c][-1])
    first = min(found, key=lambda c: found[c][0])
    often = max(found, key=lambda c: len(found[c]))
    return last == q.answer, first == q.answer, often == q.answer


def guessers(asked: Sequence[tuple["Story", Question]]) -> dict[str, Guess]:
    """Score the guessers on each kind of question.

    Raises ValueError if there are no questions.
    """
    if not asked:
        raise ValueError("no questions to guess at: ask more stories")
    kinds: dict[str, list[tuple[Story, Question]]] = {}
    for story, q in asked:
        kinds.setdefault(q.kind, []).append((story, q))
    return {kind: _score(kinds[kind]) for kind in sorted(kinds)}


def _score(asked: list[tuple["Story", Question]]) -> Guess:
    n = len(asked)
    answers: dict[str, int] = {}
    spots: dict[int, int] = {}
    right = [0, 0, 0]
    for story, q in asked:
        answers[q.answer] = answers.get(q.answer, 0) + 1
        spot = q.candidates.index(q.answer)
        spots[spot] = spots.get(spot, 0) + 1
        for i, hit in enumerate(_tricks(story.text, q)):
            right[i] += hit
    chance = math.fsum(1 / len(q.candidates) for _, q in asked) / n
    return Guess(
        n, chance, max(answers.values()) / n, max(spots.values()) / n,
        right[0] / n, right[1] / n, right[2] / n,
    )  # fmt: skip


# -- thinning out -------------------------------------------------------------

Features = tuple[bool, bool, bool, str]  # the three tricks, the answer
Cell = tuple[Features, int]  # and the number of candidates


class Balance:
    """Which questions to keep, so that no trick beats chance.

    Fitted by iterative proportional fitting: each question's weight is a
    product of one factor per trick and one per answer, scaled until, in the
    weighted sample, none is right more often than chance (Deming and
    Stephan, 1940).
    """

    def __init__(
        self, asked: Sequence[tuple["Story", Question]], rounds: int = 40
    ) -> None:
        kinds: dict[str, dict[Cell, int]] = {}
        for story, q in asked:
            features = (*_tricks(story.text, q), q.answer)
            cell = features, len(q.candidates)
            cells = kinds.setdefault(q.kind, {})
            cells[cell] = cells.get(cell, 0) + 1
        self._keep = {k: _fit(cells, rounds) for k, cells in kinds.items()}

    def keeps(self, story: "Story", q: Question) -> bool:
        """Keep this question? Always the same for the same story."""
        features = (*_tricks(story.text, q), q.answer)
        rate = self._keep.get(q.kind, {}).get(features, 0.0)
        seed = f"{story.text}\n{q.text}".encode()
        return zlib.crc32(seed) / 2**32 < rate


def _fit(cells: dict[Cell, int], rounds: int) -> dict[Features, float]:
    """Features -> the share of such questions to keep."""
    weight = {features: 1.0 for features, _ in cells}
    answers = sorted({features[3] for features in weight})
    marks = [*((i, True) for i in range(3)), *((3, a) for a in answers)]
    for _ in range(rounds):
        for i, mark in marks:
            total = hits = aim = 0.0
            for (features, k), count in cells.items():
                mass = weight[features] * count
                total += mass
                aim += mass / k
                if features[i] == mark:
                    hits += mass
            if not aim < hits < total:
                continue  # no better than chance, or no way to be worse
            down = aim * (total - hits) / (hits * (total - aim))
            for features in weight:
                if features[i] == mark:
                    weight[features] *= down
    top = max(weight.values())
    return {features: w / top for features, w in weight.items()}
