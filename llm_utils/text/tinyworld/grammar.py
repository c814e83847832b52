"""Sentences out of choices, and choices out of sentences.

A wording is compiled once. To read a sentence, its words from the lexicon are
replaced by their types ("Ben picked the kite up in the shed." becomes
"P picked T up @."), and this skeleton is looked up: no two wordings share
one, so a sentence has at most one reading. Met in chapter 2.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llm_utils.text.tinyworld.lexicon import (
    HIS,
    MOODS,
    PLACES,
    PRONOUN,
    THINGS,
    Level,
)
from llm_utils.text.tinyworld.rules import ARGS, Event, Rules, Table
from llm_utils.text.tinyworld.state import State, Values
from llm_utils.text.tinyworld.wordings import WORDINGS

_SLOT = re.compile(r"\{(\w+)\}")
# slot -> the type of the words that fill it
_TYPE = {
    "a": "P", "b": "P", "t": "T", "T": "T", "new": "N", "p": "@", "q": "@",
    "u": "@", "P": "#", "Q": "#", "w": "W", "d": "D", "m": "M",
    "use": "V", "used": "V", "his": "H",
}  # fmt: skip
AT = {p: f"{prep} the {p}" for p, prep in PLACES.items()}


@dataclass(frozen=True)
class Wording:
    """One template: literal text around slots, and what it says unspoken."""

    kind: str
    text: str
    literals: tuple[str, ...]
    slots: tuple[str, ...]
    refs: tuple[str, ...]  # slots whose words are a choice of their own
    fixed: tuple[tuple[str, str], ...]  # ("m", "sad") for a tear


@dataclass(frozen=True)
class Reading:
    """What a sentence says: a wording, its slots, its words for a and t."""

    wording: Wording
    told: Values
    refs: tuple[str, ...]
    riddle: str = ""  # a pronoun that means nobody


def _compile(key: str, text: str) -> Wording:
    kind, _, extra = key.partition(".")
    pieces = _SLOT.split(text)
    slots = tuple(pieces[1::2])
    refs = tuple(s for s in slots if s in ("t", "T"))
    if text.startswith("{a}"):
        refs = ("a", *refs)
    name = {"feel": "m", "scene": "w"}.get(kind)
    fixed = ((name, extra),) if name and extra else ()
    return Wording(kind, text, tuple(pieces[::2]), slots, refs, fixed)


def _lexicon(level: Level) -> dict[str, tuple[str, Any]]:
    """Every word or phrase that can fill a slot -> (type, value)."""
    words: dict[str, tuple[str, Any]] = {"it": ("T", ("it", ""))}
    for name in (*level.people, "He", "She"):
        words[name] = ("P", name)
    for place in level.places:
        words[AT[place]] = ("@", place)
        words["the " + place] = ("#", place)
    for thing in level.things:
        for the in ("the", "The"):
            words[f"{the} {thing}"] = ("T", (thing, ""))
            for color in level.colors:
                words[f"{the} {color} {thing}"] = ("T", (thing, color))
        for a in ("a", "A"):
            for color in level.colors:
                words[f"{a} {color} {thing}"] = ("N", (thing, color))
        for verb in THINGS[thing]:
            words[verb] = ("V", verb)
    words.update({w: ("W", w) for w in level.weathers})
    words.update({d: ("D", d) for d in level.times})
    words.update({m: ("M", m) for m in MOODS})
    words.update({h: ("H", h) for h in HIS.values()})
    return words


class Grammar:
    """All that one level can say: the table of choices, and both ways."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.rules = Rules(level)
        self.wordings = {
            text: _compile(key, text)
            for key, table in WORDINGS.items()
            for text in table
        }
        self._tables: dict[tuple[str, ...], Table] = {}
        self._lexicon = _lexicon(level)
        words = sorted(self._lexicon, key=lambda w: (-len(w), w))
        self._words = re.compile(
            r"\b(" + "|".join(map(re.escape, words)) + r")\b"
        )
        self._skeletons: dict[str, tuple[Wording, tuple[str, ...]]] = {}
        for wording in self.wordings.values():
            self._learn(wording)

    # -- the one table ----------------------------------------------------

    def dist(self, s: State, choices: Event) -> Table:
        """Weights of the next choice of a sentence; {}: it is complete.

        The choices are the kind, its arguments (`ARGS`), a wording, and the
        words for its subject and its things. If not even a kind can be
        chosen, the story is over.
        """
        if not choices:
            return self.rules.kinds(s)
        kind = choices[0]
        n = len(choices) - 1 - len(ARGS[kind])
        if n < 0:
            return self.rules.argument(s, choices)
        v = dict(zip(ARGS[kind], choices[1:], strict=False))
        if n == 0:
            return self._wording_table(s, kind, v)
        refs = self.wordings[choices[len(choices) - n]].refs
        return self._words_for(s, refs[n - 1], v) if n <= len(refs) else {}

    def prob(self, s: State, choices: Event) -> float:
        """The probability of a whole sentence; 0.0: it cannot come now."""
        p = 1.0
        for i, choice in enumerate(choices):
            table = self.dist(s, choices[:i])
            if choice not in table:
                return 0.0
            p *= table[choice] / sum(table.values())
        return p

    def _wording_table(self, s: State, kind: str, v: Values) -> Table:
        keys: tuple[str, ...] = (kind,)
        if kind == "scene":
            keys = ("scene." + s.weather,)
        elif kind == "feel":
            keys = ("feel", "feel." + v["m"])
        elif kind == "who" and v["p"] in s.where.values():
            keys = ("who.too",)
        elif kind == "use" and s.where.get(v["a"]) in self.rules.fits[v["t"]]:
            keys = ("use", "use.fits")
        table = self._tables.get(keys)
        if table is None:
            table = {}
            for key in keys:
                table.update(WORDINGS.get(key, {}))
            self._tables[keys] = table
        return table

    def _words_for(self, s: State, slot: str, v: Values) -> Table:
        """The words that may stand for a person or a thing."""
        if slot == "a":
            a = v["a"]
            if s.subject == a:
                return {a: 2, PRONOUN[a].capitalize(): 1}
            return {a: 1}
        t = v["t"]
        words = {"the " + t: 3}
        if s.color.get(t):
            words[f"the {s.color[t]} {t}"] = 1
        if slot == "t" and s.it == t:
            words["it"] = 2
        return words

    # -- choices to text --------------------------------------------------

    def derive(self, s: State, kind: str, v: Values) -> Values:
        """Add what follows from the state: where a, b and t are."""
        a, t = v.get("a"), v.get("t")
        if "p" not in v:
            if a is not None:
                v["p"] = s.where.get(a, "")
            elif t is not None:
                v["p"] = s.place_of(t)
        if t is not None and "u" not in v:
            v["u"] = s.place_of(t)
        if kind == "visit" and "q" not in v:
            v["q"] = s.where.get(v["b"], "")
        return v

    def render(self, wording: Wording, v: Values, refs: Event) -> str:
        """The sentence, its first letter a capital."""
        words = iter(refs)
        parts = [wording.literals[0]]
        free = wording.refs
        for i, slot in enumerate(wording.slots):
            if slot in ("t", "T") or (i == 0 and free[:1] == ("a",)):
                parts.append(next(words))
            else:
                parts.append(_FILL[slot](v))
            parts.append(wording.literals[i + 1])
        text = "".join(parts)
        if text[0] == '"':
            return '"' + text[1].upper() + text[2:]
        return text[0].upper() + text[1:]

    # -- text to choices --------------------------------------------------

    def _skeleton(self, sentence: str) -> tuple[str, list[str]]:
        pieces = self._words.split(sentence)
        words = pieces[1::2]
        pieces[1::2] = [self._lexicon[w][0] for w in words]
        return "".join(pieces), words

    def _learn(self, wording: Wording) -> None:
        """Enter a wording's skeleton; refuse one that is already taken."""
        example = {
            "P": self.level.people[0], "@": AT[self.level.places[0]],
            "#": "the " + self.level.places[0],
            "T": "the " + self.level.things[0],
            "N": f"a {self.level.colors[0]} {self.level.things[0]}",
            "W": self.level.weathers[0], "D": self.level.times[0],
            "M": MOODS[0], "H": "his", "V": THINGS[self.level.things[0]][0],
        }  # fmt: skip
        marks, text = [], wording.literals[0]
        for slot, literal in zip(
            wording.slots, wording.literals[1:], strict=True
        ):
            marks += self._skeleton(text)[1][len(marks):]
            text += example[_TYPE[slot]]
            marks.append("{" + slot)
            text += literal
        skeleton, words = self._skeleton(text)
        marks += words[len(marks):]
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
            slot = mark[1:]
            value = self._lexicon[word][1]
            if slot == "a" and word in ("He", "She"):
                fits = PRONOUN.get(s.subject, "") == word.lower()
                value = s.subject if fits else None
                riddle = riddle or ("" if fits else word)
            elif slot in ("t", "T"):
                refs.append(word[0].lower() + word[1:])
                thing, color = value
                value = s.it or None if thing == "it" else thing
                riddle = riddle or ("" if value else word)
                if color:
                    told["said"] = color
                slot = "t"
            elif slot == "new":
                told["t"], told["color"] = value
                continue
            elif slot in ("use", "used", "his"):
                told[slot] = word
                continue
            if told.setdefault(slot.lower(), value) != value:
                return None
        if wording.refs[:1] == ("a",):
            refs.insert(0, words[0])
        return Reading(wording, told, tuple(refs), riddle)

    def choices(self, s: State, reading: Reading) -> Event:
        """The choices that lead to a reading in this state."""
        told, kind = reading.told, reading.wording.kind
        args = [told.get(x, "") for x in ARGS[kind]]
        if kind == "comfort" and not args[2] and len(s.goal) > 2:
            args[2] = s.goal[2]
        return (kind, *args, reading.wording.text, *reading.refs)


_FILL: dict[str, Callable[[Values], str]] = {
    "a": lambda v: v["a"],
    "b": lambda v: v["b"],
    "new": lambda v: f"a {v['color']} {v['t']}",
    "p": lambda v: AT.get(v["p"], ""),
    "q": lambda v: AT.get(v["q"], ""),
    "u": lambda v: AT.get(v["u"], ""),
    "P": lambda v: "the " + v["p"],
    "Q": lambda v: "the " + v["q"],
    "w": lambda v: v["w"],
    "d": lambda v: v["d"],
    "m": lambda v: v["m"],
    "use": lambda v: THINGS[v["t"]][0],
    "used": lambda v: THINGS[v["t"]][1],
    "his": lambda v: HIS[PRONOUN[v["a"]]],
}
