"""TinyWorld: stories with an exact probability, told from a seed.

Chapter 2 draws its entropy under a loss curve; the judge and the questions
serve every later week.
"""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from llm_utils.text.tinyworld.arguments import Event
from llm_utils.text.tinyworld.grammar import Grammar, Wordings
from llm_utils.text.tinyworld.judge import Verdict, judge
from llm_utils.text.tinyworld.lexicon import LEVELS, Level
from llm_utils.text.tinyworld.questions import (
    Balance,
    Guess,
    Question,
    all_questions,
    guessers,
)
from llm_utils.text.tinyworld.state import State
from llm_utils.text.tinyworld.wordings import WORDINGS

_BREAK = re.compile(r'(?:(?<=[.!?])|(?<=[.!?]")) (?=[A-Z"])')


Walk = tuple[State, Event, str, float]


@dataclass(frozen=True)
class Facts:
    """How things stand at the end of a story, as plain data.

    `where` has a place for each person and each thing, `holder` a person or
    None for each thing, `color` a color for each thing, `mood` the last mood
    told for each person who has one.
    """

    weather: str
    time: str
    where: dict[str, str]
    holder: dict[str, str | None]
    color: dict[str, str]
    mood: dict[str, str]


@dataclass(frozen=True)
class Story:
    """A story, how it ends, and its log-probability in nats."""

    text: str
    facts: Facts
    log_prob: float


@dataclass(frozen=True)
class Entropy:
    """Mean -log p over `n` stories; (low, high) are 95 % intervals."""

    nats_per_story: float
    nats_per_story_ci: tuple[float, float]
    nats_per_byte: float
    nats_per_byte_ci: tuple[float, float]
    n: int


class TinyWorld:
    """A small world of one level: "mini", "small" or "full".

    A `Level` and a table of wordings of your own may be given instead.
    Raises ValueError for a name that is no level, and for wordings of which
    two could give the same sentence.
    """

    def __init__(
        self, level: str | Level = "mini", wordings: Wordings | None = None
    ) -> None:
        if isinstance(level, str):
            if level not in LEVELS:
                names = ", ".join(map(repr, LEVELS))
                raise ValueError(f"no level {level!r}: choose one of {names}")
            level = LEVELS[level]
        self.level = level
        self.grammar = Grammar(level, wordings or WORDINGS)

    # -- telling ----------------------------------------------------------

    def story(self, rng: random.Random) -> Story:
        """Tell one story; only `rng.random()` is used."""
        s, grammar = State(), self.grammar
        sentences: list[str] = []
        odds = 0.0
        while choices := self._draw(s, rng):
            event, p = choices
            odds += p
            sentences.append(grammar.tell(s, event))
        return Story(" ".join(sentences), facts(s, grammar), odds)

    def _draw(
        self, s: State, rng: random.Random
    ) -> tuple[Event, float] | None:
        """The choices of one sentence and their log-probability."""
        dist, p = self.grammar.dist, 1.0
        choices: Event = ()
        while table := dist(s, choices):
            if len(table) == 1:
                (pick,) = table
            else:
                total = sum(table.values())
                left = rng.random() * total
                for pick, weight in table.items():  # noqa: B007
                    left -= weight
                    if left < 0:
                        break
                p *= weight / total
            choices = (*choices, pick)
        return (choices, math.log(p)) if choices else None

    def stories(self, n: int, seed: int) -> Iterator[Story]:
        """`n` stories, the same for the same seed on every machine."""
        rng = random.Random(seed)
        for _ in range(n):
            yield self.story(rng)

    def corpus(self, n_bytes: int, seed: int, separator: str = "\n\n") -> str:
        """At least `n_bytes` of whole stories, each followed by `separator`.

        The default separates stories by a blank line; pass
        "<|endoftext|>\\n" to end each with the special token.
        """
        rng, parts, size = random.Random(seed), [], 0
        while size < n_bytes:
            text = self.story(rng).text + separator
            parts.append(text)
            size += len(text)
        return "".join(parts)

    # -- measuring --------------------------------------------------------

    def log_prob(self, text: str) -> float | None:
        """The log-probability of a whole story in nats; None: impossible."""
        s = State()
        odds = self._hear(s, text)
        return None if self.grammar.dist(s, ()) else odds

    def _hear(self, s: State, text: str) -> float | None:
        """Move `s` on by the sentences of a text; their log-probability."""
        grammar, odds = self.grammar, 0.0
        for sentence in _BREAK.split(text) if text else ():
            reading = grammar.reader.read(s, sentence)
            if reading is None or reading.riddle:
                return None
            choices = grammar.choices(s, reading)
            p = grammar.prob(s, choices)
            if not p or grammar.tell(s, choices) != sentence:
                return None
            odds += math.log(p)
        return odds

    def judge(self, text: str) -> Verdict:
        """Is it grammatical, true, possible? Sentence by sentence."""
        return judge(self.grammar, text)

    @cached_property
    def _balance(self) -> Balance:
        """Fitted once a world, on stories of its own: a second or two."""
        return Balance(
            [
                (story, q)
                for story in self.stories(1000, seed=1_000_003)
                for q in all_questions(self.grammar, story)
            ]
        )

    def questions(self, story: Story) -> list[Question]:
        """Questions about the end of a story, each with one right answer.

        Many a story has none or few: those are left out that a guesser would
        get right too often (see `guessers`).
        """
        return [
            q
            for q in all_questions(self.grammar, story)
            if self._balance.keeps(story, q)
        ]

    def guessers(self, n: int = 2000, seed: int = 0) -> dict[str, Guess]:
        """How far guessing gets on the questions of `n` stories, by kind."""
        return guessers(
            [(x, q) for x in self.stories(n, seed) for q in self.questions(x)]
        )

    def entropy(self, n: int = 2000, seed: int = 0) -> Entropy:
        """The entropy of a story, by Monte Carlo over `n` stories.

        Per byte it is the ratio of the means (nats over bytes of text), with
        the interval of that ratio (delta method).
        """
        if n < 2:
            raise ValueError(f"n={n}: an interval needs 2 stories or more")
        pairs = [(-x.log_prob, len(x.text)) for x in self.stories(n, seed)]
        nats = math.fsum(x for x, _ in pairs) / n
        size = sum(y for _, y in pairs) / n
        ratio = nats / size
        half = 1.96 * _sd([x for x, _ in pairs]) / math.sqrt(n)
        off = 1.96 * _sd([x - ratio * y for x, y in pairs]) / math.sqrt(n)
        off /= size
        return Entropy(
            nats, (nats - half, nats + half),
            ratio, (ratio - off, ratio + off), n,
        )  # fmt: skip

    def outcomes(self, begin: str = "") -> Iterator[tuple[str, float]]:
        """Every story that begins with `begin`, and its log-probability.

        The log-probability is that of the whole story, given its beginning;
        over all outcomes the probabilities sum to 1. Only for a level small
        enough to be walked through. Raises ValueError if no story begins so.
        """
        grammar, start = self.grammar, State()
        if self._hear(start, begin) is None:
            raise ValueError(f"no story of this world begins with {begin!r}")
        first: Walk = (start, (), begin, 0.0)
        stack = [first]
        while stack:
            s, choices, text, odds = stack.pop()
            table = grammar.dist(s, choices)
            total = sum(table.values())
            for pick, weight in table.items():
                odd = odds + math.log(weight / total)
                stack.append((s, (*choices, pick), text, odd))
            if not table and not choices:
                yield text, odds
            elif not table:
                s = s.copy()
                sentence = grammar.tell(s, choices)
                stack.append((s, (), f"{text} {sentence}".lstrip(), odds))


def _sd(xs: list[float]) -> float:
    mean = math.fsum(xs) / len(xs)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in xs) / (len(xs) - 1))


def facts(s: State, grammar: Grammar) -> Facts:
    """The state as plain data."""
    return Facts(
        s.weather, s.time,
        {x: s.place_of(x) if x in s.things else s.where[x]
         for x in (*s.cast, *s.pets, *s.things)},
        {t: s.holder.get(t) for t in s.things},
        dict(s.color), dict(s.mood),
    )  # fmt: skip
