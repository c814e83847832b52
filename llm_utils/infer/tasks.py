"""Tests of reading whose right answers are known: items from TinyWorld.

Chapter 12 uses them. A base model has never seen a question, only stories, so
the items are stories that break off: which sentence goes on, and which one
contradicts what was told?
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from llm_utils.infer.choices import Item
from llm_utils.text.tinyworld import Guess, Question, Story, TinyWorld
from llm_utils.text.tinyworld.judge import BREAK
from llm_utils.text.tinyworld.lexicon import MOODS
from llm_utils.text.tinyworld.questions import Balance, guessers

KNOWN = 3  # sentences that are always told before a story breaks off
BY_WORD = ("who", "where")

Asked = tuple[Story, Question]


def words_of(world: TinyWorld, kind: str) -> tuple[str, ...]:
    """The words that may stand in one another's place."""
    level = world.level
    return {"who": level.people, "where": level.places, "what": level.things,
            "color": level.colors, "mood": MOODS}[kind]  # fmt: skip


def told(text: str) -> set[str]:
    """The words of a text."""
    return set(re.findall(r"\w+", text))


def is_false(world: TinyWorld, context: str, sentence: str) -> bool:
    """A sentence of the world that contradicts what was told before it."""
    verdict = world.judge(f"{context} {sentence}")
    last = verdict.sentences[-1]
    whole = last.text == sentence and not verdict.unfinished
    return whole and last.grammatical and not last.true


def one_word(
    world: TinyWorld,
    stories: Sequence[Story],
    rng: random.Random,
    kinds: Sequence[str] = BY_WORD,
) -> list[Item]:
    """Pairs that differ in one word: the sentence as told, and a false one.

    Of each kind ("who", "where", "mood") at most one item a story; the story
    has told of both persons or both places. Thinned out until no
    guesser of `guess` is right more often than half the time. Chapter 12; the
    form is that of minimal pairs (Warstadt et al., 2020).
    """
    found: list[tuple[Item, Asked]] = []
    for group, story in enumerate(stories):
        sentences = BREAK.split(story.text)
        for kind in kinds:
            places = [
                (i, match)
                for i in range(KNOWN, len(sentences))
                for match in re.finditer(
                    rf"\b({'|'.join(words_of(world, kind))})\b", sentences[i]
                )
            ]
            rng.shuffle(places)
            for i, match in places:
                context = " ".join(sentences[:i])
                item = _pair(world, context, sentences[i], match, kind, rng)
                if item is not None:
                    item = replace(item, group=group)
                    found.append((item, as_question(story, item)))
                    break
    balance = Balance([asked for _, asked in found]) if found else None
    return [x for x, asked in found if balance and balance.keeps(*asked)]


def _pair(
    world: TinyWorld,
    context: str,
    sentence: str,
    match: re.Match[str],
    kind: str,
    rng: random.Random,
) -> Item | None:
    """The item of one word, if some other word makes a false sentence."""
    others = [x for x in words_of(world, kind) if x != match[0]]
    if kind != "mood":  # moods are not told of before they are felt
        if match[0] not in told(context):
            return None
        others = [x for x in others if x in told(context)]
    rng.shuffle(others)
    for other in others:
        false = sentence[: match.start()] + other + sentence[match.end() :]
        if is_false(world, context, false):
            choices = [sentence, false]
            rng.shuffle(choices)
            right = choices.index(sentence)
            return Item(context, tuple(choices), right, kind)
    return None


def endings(
    world: TinyWorld,
    stories: Sequence[Story],
    rng: random.Random,
    n_choices: int = 4,
) -> list[Item]:
    """What comes next? The sentence as told, among false ones of any length.

    The false ones are sentences of other stories about this one's people,
    places and thing. One item a story, at a random place. Beware: the true one
    is the shortest more often than chance. Chapter 12; the form is that of
    HellaSwag (Zellers et al., 2019).
    """
    if n_choices < 2:
        raise ValueError(f"n_choices={n_choices}: needs 2 or more")
    pool = [s for x in stories for s in BREAK.split(x.text)[KNOWN:]]
    found = []
    for group, story in enumerate(stories):
        sentences = BREAK.split(story.text)
        if len(sentences) <= KNOWN:
            continue
        i = rng.randrange(KNOWN, len(sentences))
        context, right = " ".join(sentences[:i]), sentences[i]
        choices = [right]
        for false in _foreign(world, context, pool, rng):
            if false not in choices and is_false(world, context, false):
                choices.append(false)
            if len(choices) == n_choices:
                rng.shuffle(choices)
                answer = choices.index(right)
                found.append(
                    Item(context, tuple(choices), answer, "ending", group)
                )
                break
    return found


def _foreign(
    world: TinyWorld, context: str, pool: Sequence[str], rng: random.Random
) -> Iterator[str]:
    """Sentences of other stories, told of this one's cast; 60 tries."""
    here = told(context)
    swap = {
        word: [x for x in words_of(world, kind) if x in here] or [word]
        for kind in ("who", "where", "what", "color")
        for word in words_of(world, kind)
    }
    names = re.compile(rf"\b({'|'.join(swap)})\b")
    for _ in range(60):
        yield names.sub(lambda m: rng.choice(swap[m[0]]), rng.choice(pool))


def as_question(story: Story, item: Item) -> Asked:
    """An item of one word, as the guessers of TinyWorld take it."""
    split = [re.findall(r"\w+", c) for c in item.choices]
    at = next(i for i, pair in enumerate(zip(*split, strict=True))
              if pair[0] != pair[1])  # fmt: skip
    words = [f"{x[at]}." for x in split]
    q = Question(
        item.choices[item.answer], words[item.answer], item.kind, tuple(words)
    )
    return replace(story, text=item.context), q


def guess(stories: Sequence[Story], items: Iterable[Item]) -> dict[str, Guess]:
    """How far guessing gets on items of `one_word`, by kind.

    By what the story named last, first or most often, by one word or place.
    """
    return guessers([as_question(stories[x.group], x) for x in items])


def with_start(items: Iterable[Item], start: str) -> list[Item]:
    """The same items, each context after the token that begins a text."""
    return [replace(x, context=start + x.context) for x in items]
