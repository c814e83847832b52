"""The judge: is each sentence grammatical, true, possible, and why not.

It believes what it is told, so that one false sentence is held against the
text once. Met in chapter 2; it scores every model of the book.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from llm_utils.text.tinyworld.grammar import Grammar
from llm_utils.text.tinyworld.objections import objection
from llm_utils.text.tinyworld.phrases import render
from llm_utils.text.tinyworld.rules import ARGS
from llm_utils.text.tinyworld.state import OVER, State, apply

BREAK = re.compile(r'(?:(?<=[.!?])|(?<=[.!?]"))\s+(?=[A-Z"])')
_ENDED = re.compile(r'[.!?]"?\Z')


@dataclass(frozen=True)
class Sentence:
    """What the judge thinks of one sentence.

    `grammatical`: the world has such a sentence. `true`: it agrees with what
    the story has told so far. `possible`: the world could say it here, with
    probability above zero. Each implies the one before. `reason` says in
    plain English what is wrong, and is empty if nothing is.
    """

    text: str
    grammatical: bool
    true: bool
    possible: bool
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """A judgement of a whole text.

    `unfinished` is a last half sentence, which is held against nobody;
    `complete` says that the story came to its end.
    """

    sentences: tuple[Sentence, ...]
    unfinished: str
    complete: bool

    def _share(self, holds: Callable[[Sentence], bool]) -> float:
        n = len(self.sentences)
        return sum(map(holds, self.sentences)) / n if n else 0.0

    @property
    def grammatical(self) -> float:
        """The share of sentences that are grammatical."""
        return self._share(lambda x: x.grammatical)

    @property
    def true(self) -> float:
        """The share of sentences that are true."""
        return self._share(lambda x: x.true)

    @property
    def possible(self) -> float:
        """The share of sentences that are possible."""
        return self._share(lambda x: x.possible)

    @property
    def clean(self) -> bool:
        """Something was told, and all of it is possible."""
        return bool(self.sentences) and self.possible == 1.0

    @property
    def faults(self) -> tuple[Sentence, ...]:
        """The sentences with a reason against them."""
        return tuple(x for x in self.sentences if x.reason)


def judge(grammar: Grammar, text: str) -> Verdict:
    """Judge a text sentence by sentence; any text will do."""
    text = text.strip()
    sentences = BREAK.split(text) if text else []
    unfinished = ""
    if sentences and not _ENDED.search(sentences[-1]):
        unfinished = sentences.pop()
    s = State()
    told = tuple(_hear(grammar, s, sentence) for sentence in sentences)
    return Verdict(told, unfinished, s.stage == OVER and not unfinished)


def _hear(grammar: Grammar, s: State, sentence: str) -> Sentence:
    """Judge one sentence, then let the state believe it."""
    reading = grammar.reader.read(s, sentence)
    if reading is None:
        return Sentence(
            sentence, False, False, False, "not a sentence of this world"
        )
    if reading.riddle:
        return Sentence(sentence, True, False, False, reading.riddle)
    kind = reading.wording.kind
    choices = grammar.choices(s, reading)
    v = dict(zip(ARGS[kind], choices[1:], strict=False))
    v = grammar.derive(s, kind, {**v, **reading.told})
    if render(reading.wording, v, reading.refs) != sentence:
        reason = "the words do not go together"
        return Sentence(sentence, False, False, False, reason)
    wrong = objection(grammar.rules, s, kind, v)
    possible = not wrong and grammar.prob(s, choices) > 0.0
    reason = wrong or ""
    if not possible and not wrong:
        reason = _out_of_place(grammar, s, kind)
    apply(s, kind, v, reading.wording.names_thing)
    return Sentence(sentence, True, not wrong, possible, reason)


def _out_of_place(grammar: Grammar, s: State, kind: str) -> str:
    """Why the world would not say a true thing here."""
    kinds = grammar.dist(s, ())
    if not kinds:
        return "the story is over"
    if kind in kinds:
        return "true, but the story does not lead here"
    return f"true, but a story would go on with: {', '.join(kinds)}"
