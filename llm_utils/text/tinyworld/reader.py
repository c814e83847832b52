"""From a sentence back to what it says.

The words of the lexicon are replaced by their types ("Ben picked the kite up
in the shed." becomes "P picked T up @."), and this skeleton is looked up. No
two wordings share one, so a sentence has at most one reading. Met in
chapter 2.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llm_utils.text.tinyworld.lexicon import (
    AT,
    HIS,
    MOODS,
    PRONOUN,
    THINGS,
    Level,
)
from llm_utils.text.tinyworld.phrases import Wording
from llm_utils.text.tinyworld.state import State, Values

# slot -> the type of the words that fill it
_TYPE = {
    "a": "P", "b": "P", "t": "T", "T": "T", "new": "N", "p": "@", "q": "@",
    "u": "@", "P": "#", "Q": "#", "w": "W", "d": "D", "m": "M",
    "use": "V", "used": "V", "his": "H",
}  # fmt: skip
_NOTHING = '"it" could be nothing here'
_NOBODY = {w: f'"{w}" could be nobody here' for w in ("He", "She")}


@dataclass(frozen=True)
class Reading:
    """What a sentence says: a wording, its slots, its words for a and t."""

    wording: Wording
    told: Values
    refs: tuple[str, ...]
    riddle: str = ""  # what is wrong with a pronoun that means nobody


def _lexicon(level: Level) -> dict[str, tuple[str, Any]]:
    """Every word or phrase that can fill a slot -> (type, value)."""
    words: dict[str, tuple[str, Any]] = {}
    for name in (*level.people, *level.pets, "He", "She"):
        words[name] = words[name[0].upper() + name[1:]] = "P", name
    for place in level.places:
        words[AT[place]] = "@", place
        words["the " + place] = "#", place
    for thing in level.things:
        for the in ("the", "The"):
            words[f"{the} {thing}"] = "T", (thing, "")
            for color in level.colors:
                words[f"{the} {color} {thing}"] = "T", (thing, color)
        for color in level.colors:
            words[f"a {color} {thing}"] = "N", (thing, color)
            words[f"A {color} {thing}"] = "N", (thing, color)
        for verb in THINGS[thing]:
            words[verb] = "V", verb
    words["it"] = "T", ("it", "")
    words.update({w: ("W", w) for w in level.weathers})
    words.update({d: ("D", d) for d in level.times})
    words.update({m: ("M", m) for m in MOODS})
    words.update({h: ("H", h) for h in (*HIS.values(), "its")})
    return words


class Reader:
    """Reads the sentences of one level.

    Raises ValueError if two wordings could give the same sentence.
    """

    def __init__(self, level: Level, wordings: Iterable[Wording]) -> None:
        self._lexicon = _lexicon(level)
        words = sorted(self._lexicon, key=lambda w: (-len(w), w))
        self._words = re.compile(
            r"\b(" + "|".join(map(re.escape, words)) + r")\b"
        )
        self._example: dict[str, str] = {}  # type -> some word of that type
        for word, (kind, _) in self._lexicon.items():
            self._example.setdefault(kind, word)
        self._skeletons: dict[str, tuple[Wording, tuple[str, ...]]] = {}
        for wording in wordings:
            self._learn(wording)

    def _skeleton(self, sentence: str) -> tuple[str, list[str]]:
        pieces = self._words.split(sentence)
        words = pieces[1::2]
        pieces[1::2] = [self._lexicon[w][0] for w in words]
        return "".join(pieces), words

    def _learn(self, wording: Wording) -> None:
        """Enter a wording's skeleton; refuse one that is already taken.

        Its marks say what stands in each place: "{a" for a slot, or the very
        word, where the template itself has one.
        """
        text = wording.literals[0]
        marks = self._skeleton(text)[1]
        for slot, rest in zip(
            wording.slots, wording.literals[1:], strict=True
        ):
            text += self._example[_TYPE[slot]] + rest
            marks.append("{" + slot)
            marks += self._skeleton(text)[1][len(marks) :]
        skeleton, _ = self._skeleton(text[0].upper() + text[1:])
        if skeleton in self._skeletons:
            taken = self._skeletons[skeleton][0].text
            raise ValueError(f"{wording.text!r} reads like {taken!r}")
        self._skeletons[skeleton] = wording, tuple(marks)

    def read(self, s: State, sentence: str) -> Reading | None:
        """The one reading of a sentence, or None if it is not grammatical."""
        skeleton, words = self._skeleton(sentence)
        found = self._skeletons.get(skeleton)
        if found is None:
            return None
        wording, marks = found
        told: Values = dict(wording.fixed)
        refs: list[str] = []
        riddle = ""
        for word, mark in zip(words, marks, strict=True):
            if mark[0] != "{":
                if word != mark:
                    return None
                continue
            slot, value = mark[1:], self._lexicon[word][1]
            if slot == "T" and word == "it":
                return None
            if slot in ("t", "T"):
                refs.append(word[0].lower() + word[1:])
                slot, (value, told["said"]) = "t", value
                if value == "it":
                    value = s.it
                    riddle = riddle or ("" if value else _NOTHING)
            elif slot == "a" and wording.refs[:1] == ("a",) and not refs:
                refs.append(value)
                if value in ("He", "She"):
                    fits = PRONOUN.get(s.subject) == value.lower()
                    value = s.subject if fits else ""
                    riddle = riddle or ("" if fits else _NOBODY[word])
            elif slot == "new":
                told["t"], told["color"] = value
                continue
            elif slot not in ("use", "used"):
                slot = slot.lower()
            if told.setdefault(slot, value) != value:
                return None
        return Reading(wording, told, tuple(refs), riddle)
