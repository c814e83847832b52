"""The one table of TinyWorld: what may be said next, with its weight.

A sentence is a tuple of choices: its kind, the kind's arguments (`ARGS`), a
wording, and the words for its subject and its thing. `dist(state, choices)`
weighs the next choice after those already made. The storyteller draws from
it, `log_prob` looks up in it, the judge asks whether it holds a choice, the
enumerator walks through it: they cannot disagree. Met in chapter 2.
"""

from collections.abc import Mapping

from llm_utils.text.tinyworld.arguments import Event, Table
from llm_utils.text.tinyworld.lexicon import OUTDOORS, PETS, PRONOUN, Level
from llm_utils.text.tinyworld.phrases import Wording, compile_wording, render
from llm_utils.text.tinyworld.reader import Reader, Reading
from llm_utils.text.tinyworld.rules import ARGS, Rules
from llm_utils.text.tinyworld.state import State, Values, apply

Wordings = Mapping[str, Mapping[str, int]]


class Grammar:
    """All that one level can say, both ways: choices to text and back."""

    def __init__(self, level: Level, wordings: Wordings) -> None:
        self.level = level
        self.rules = Rules(level)
        self._tables = wordings
        self._mixed: dict[tuple[str, ...], Table] = {}
        self.wordings: dict[str, Wording] = {
            text: compile_wording(key, text)
            for key, table in wordings.items()
            for text in table
        }
        self.reader = Reader(level, self.wordings.values())

    def dist(self, s: State, choices: Event) -> Table:
        """Weights (whole numbers) of the next choice; {}: no more choices.

        If not even a kind can be chosen, the story is over.
        """
        if not choices:
            return self.rules.kinds(s)
        kind = choices[0]
        n = len(choices) - 1 - len(ARGS[kind])
        if n < 0:
            return self.rules.argument(s, choices)
        v = dict(zip(ARGS[kind], choices[1:], strict=False))
        if n == 0:
            return self._wordings_for(s, kind, v)
        refs = self.wordings[choices[len(choices) - n]].refs
        if n > len(refs):
            return {}
        return self._words_for(s, refs[n - 1], self.derive(s, kind, v))

    def prob(self, s: State, choices: Event) -> float:
        """The probability of a whole sentence; 0.0: it cannot come now."""
        p = 1.0
        for i, choice in enumerate(choices):
            table = self.dist(s, choices[:i])
            weight = table.get(choice, 0)
            if not weight:
                return 0.0
            p *= weight / sum(table.values())
        return p

    def _wordings_for(self, s: State, kind: str, v: Values) -> Table:
        keys = self._keys(s, kind, v)
        table = self._mixed.get(keys)
        if table is None:
            table = {}
            for key in keys:
                table.update(self._tables.get(key, {}))
            self._mixed[keys] = table
        return table

    def _keys(self, s: State, kind: str, v: Values) -> tuple[str, ...]:
        """The tables of wordings that apply."""
        if kind == "scene":
            return ("scene." + s.weather,)
        if kind == "feel":
            why = [x[1] for x in s.feeling if x[0] == v["a"]]
            return "feel", f"feel.{v['m']}", f"feel.{(*why, '')[0]}"
        if kind == "who":
            if v["p"] in (s.where.get(p) for p in s.cast):
                return ("who.too",)
            return "who", f"who.{v['p']}"
        if kind == "use":
            fits = s.where.get(v["a"]) in self.rules.fits[v["t"]]
            return ("use", "use.fits") if fits else ("use",)
        if kind == "together":
            if v["b"] in PETS:
                return ("together.pet",)
            return "together", f"together.{s.where.get(v['a'])}"
        if kind == "go" and v["q"] in OUTDOORS:
            return "go", f"go.{s.weather}"
        if kind == "has" and v["a"] in s.holder.values():
            return ("has.more",)
        return (kind,)

    def _words_for(self, s: State, slot: str, v: Values) -> Table:
        """The words that may stand for a person or a thing."""
        if slot == "a":
            a = v["a"]
            if s.subject == a:
                return {a: 1, PRONOUN[a].capitalize(): 1}
            return {a: 1}
        t = v.get("t", "")
        words = {"the " + t: 3}
        if s.color.get(t):
            words[f"the {s.color[t]} {t}"] = 1
        if slot == "t" and s.it == t:
            words["it"] = 2
        return words

    def derive(self, s: State, kind: str, v: Values) -> Values:
        """`v` with what follows from the state: where a, b and t are."""
        if kind == "feel":
            for who, why, about in s.feeling:
                if who == v.get("a"):
                    v.setdefault("why", why)
                    v.setdefault("b" if why in ("gave", "met") else "t", about)
        a, t = v.get("a"), v.get("t")
        if "p" not in v:
            v["p"] = s.where.get(a, "") if a else s.place_of(t or "")
        if t and "u" not in v:
            v["u"] = s.place_of(t)
        if kind == "visit" and "q" not in v:
            v["q"] = s.where.get(v["b"], "")
        return v

    def tell(self, s: State, choices: Event) -> str:
        """The text of a sentence; the state moves on."""
        kind = choices[0]
        n = 1 + len(ARGS[kind])
        v = dict(zip(ARGS[kind], choices[1:n], strict=True))
        v = self.derive(s, kind, v)
        wording = self.wordings[choices[n]]
        text = render(wording, v, choices[n + 1 :])
        apply(s, kind, v, wording.names_thing)
        return text

    def choices(self, s: State, reading: Reading) -> Event:
        """The choices that lead to a reading in this state."""
        told, kind = reading.told, reading.wording.kind
        args = [told.get(x, "") for x in ARGS[kind]]
        if kind == "comfort" and not args[2] and len(s.goal) > 2:
            args[2] = s.goal[2]
        return (kind, *args, reading.wording.text, *reading.refs)
