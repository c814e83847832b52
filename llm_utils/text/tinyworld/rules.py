"""What may happen next in TinyWorld: the kinds of sentence and their weights.

A story opens (weather, people, things), then tells episodes. An episode sets
a goal; each next step follows from the goal and from where everybody and
everything is; a mood follows from what happened. Met in chapter 2.
"""

from llm_utils.text.tinyworld.arguments import ARGUMENTS, Event, Table
from llm_utils.text.tinyworld.lexicon import (
    FEELINGS,
    ONLY_AT,
    OUTDOORS,
    PETS,
    Level,
)
from llm_utils.text.tinyworld.state import (
    DUSK,
    MIDDLE,
    OVER,
    PEOPLE,
    WEATHER,
    State,
)

# kind -> the names of its arguments, in the order in which they are chosen
ARGS: dict[str, tuple[str, ...]] = {
    "weather": ("w", "d"), "scene": (), "who": ("a", "p"),
    "both": ("a", "b", "p"), "pet": ("a", "p"),
    "thing": ("t", "color", "u"), "has": ("a", "t", "color"),
    "want": ("a", "t"), "ask": ("a", "b", "t"), "offer": ("a", "b", "t"),
    "visit": ("a", "b"), "tidy": ("a", "t", "q"), "stroll": ("a", "q"),
    "use": ("a", "t"), "wind": ("t", "q"), "snatch": ("a", "t", "q"),
    "go": ("a", "q"), "carry": ("a", "t", "q"), "take": ("a", "t"),
    "give": ("a", "b", "t"), "thank": ("a", "b"), "greet": ("a", "b"),
    "together": ("a", "b"), "comfort": ("a", "b", "t"), "put": ("a", "t"),
    "feel": ("a", "m"), "recall": ("t",), "keep": ("a", "t"),
    "meanwhile": ("a",), "dusk": (), "end": (), "dream": ("a", "t"),
    "sleep": ("a",), "night": ("a", "b"), "hope": ("a",),
}  # fmt: skip
_LOOKING_BACK = ("recall", "keep", "meanwhile")


class Rules:
    """The weights of what may happen, for one level."""

    def __init__(self, level: Level) -> None:
        self.level = level
        everywhere = frozenset(level.places)
        self.fits = {t: ONLY_AT.get(t, everywhere) for t in level.things}
        self.outdoors = tuple(p for p in level.places if p in OUTDOORS)

    def kinds(self, s: State) -> Table:
        """The kinds of sentence that may come next; {}: the story is over."""
        if s.stage == WEATHER:
            return {"weather": 1}
        if s.stage == OVER:
            return {}
        if s.stage == DUSK:
            return self._closing(s)
        if s.stage < MIDDLE:
            return self._opening(s)
        kinds: Table = {}
        for event, weight in self.planned(s).items():
            kinds[event[0]] = kinds.get(event[0], 0) + weight
        return kinds or self._between(s)

    def argument(self, s: State, choices: Event) -> Table:
        """Weights of the next argument of the kind `choices[0]`."""
        planned = self.planned(s) if s.stage == MIDDLE else None
        if planned:
            n = len(choices)
            table: Table = {}
            for event, weight in planned.items():
                if event[:n] == choices:
                    table[event[n]] = table.get(event[n], 0) + weight
            return table
        tables = ARGUMENTS.get(choices[0])
        if tables is None:
            return {}
        return tables[len(choices) - 1](self, s, choices[1:])

    # -- where no goal decides ------------------------------------------------

    def _opening(self, s: State) -> Table:
        level, people = self.level, len(s.cast)
        kinds: Table = {}
        if s.stage == PEOPLE:
            if people == 0:
                kinds["who"] = 6
                if level.people_range[1] > 1:
                    kinds["both"] = 2
                if not s.scene:
                    kinds["scene"] = 4
                return kinds
            if people < level.people_range[0]:
                return {"who": 1}
            if people < level.people_range[1]:
                kinds["who"] = 3
            if len(s.pets) < level.most_pets:
                kinds["pet"] = 3
        starters: Table = {}
        if len(s.things) >= level.things_range[0]:
            starters = self._starters(s)
        total = sum(starters.values()) or 3
        if len(s.things) < level.things_range[1]:
            kinds["thing"], kinds["has"] = 2 * total // 3, total // 3
        return {**kinds, **starters}

    def _starters(self, s: State) -> Table:
        """The episodes that may begin now."""
        return {
            kind: weight
            for kind, weight in self.level.episodes.items()
            if ARGUMENTS[kind][0](self, s, ())
        }

    def _between(self, s: State) -> Table:
        """An episode is over: look back, begin another, or close the day."""
        done = min(s.episodes, len(self.level.stop) - 1)
        go_on, stop = self.level.go_on[done], self.level.stop[done]
        starters = self._starters(s) if go_on else {}
        total = sum(starters.values()) or 4
        kinds = {kind: w * go_on for kind, w in starters.items()}
        if stop or not starters:
            kinds["dusk"] = max(stop, 1) * total
        if s.last not in _LOOKING_BACK:
            weight = 1 + total * (go_on + stop) // 6
            for kind in _LOOKING_BACK:
                if ARGUMENTS[kind][0](self, s, ()):
                    kinds[kind] = weight
        return kinds

    def _closing(self, s: State) -> Table:
        """The last sentence: who is sad may hope for tomorrow."""
        if ARGUMENTS["hope"][0](self, s, ()):
            return {"hope": 1}
        kinds = {"end": 3, "dream": 2}
        if ARGUMENTS["sleep"][0](self, s, ()):
            kinds["sleep"] = 3
        if len(s.cast) > 1:
            kinds["night"] = 2
        return kinds

    # -- what follows from the goal -------------------------------------------

    def planned(self, s: State) -> dict[Event, int]:
        """The steps that what has happened calls for; {}: none."""
        goal = s.goal
        if s.feeling:
            return self._moods(s)
        if not goal:
            return {}
        if goal[0] == "look":
            return self._look(s, goal[1])
        if goal[0] == "see":
            a, b = goal[1], goal[2]
            place = s.where.get(b)
            if s.where.get(a) == place:
                return {("together", a, b): 1}
            return {("go", a, place): 1} if place else {}
        if goal[0] == "lost":
            events = self._fetch(s, goal[1], goal[2])
            events["dusk",] = 2  # not every loss is made good
            for friend in s.cast:
                if friend != goal[1]:
                    events["comfort", friend, goal[1], goal[2]] = 1
            return events
        if goal[0] in ("have", "bring", "put"):
            return self._fetch(s, *goal[1:3]) or self._deliver(s, goal)
        return {}

    def _moods(self, s: State) -> dict[Event, int]:
        events: dict[Event, int] = {}
        for who, why, _ in s.feeling:
            for mood, weight in FEELINGS[why].items():
                events["feel", who, mood] = weight
        if s.goal[:1] == ("thank",):
            events["thank", s.goal[1], s.goal[2]] = 4
        return events

    def _look(self, s: State, a: str) -> dict[Event, int]:
        """What somebody on a walk finds."""
        here = s.where.get(a)
        events: dict[Event, int] = {
            ("take", a, t): 2 for t in s.lying() if s.where.get(t) == here
        }
        for b in (*s.cast, *s.pets):
            if b != a and s.where.get(b) == here:
                events["together" if b in PETS else "greet", a, b] = 2
        return events

    def _fetch(self, s: State, a: str, t: str) -> dict[Event, int]:
        """The step that brings a closer to holding t, if t lies about."""
        place = s.where.get(t)
        if t in s.holder or place is None:
            return {}
        if s.where.get(a) == place:
            return {("take", a, t): 1}
        return {("go", a, place): 1}

    def _deliver(self, s: State, goal: Event) -> dict[Event, int]:
        """What to do with t once a holds it."""
        a, t = goal[1], goal[2]
        if s.holder.get(t) != a:
            return {}
        if goal[0] == "have":
            return {("use", a, t): 1}
        there = goal[3] if goal[0] == "put" else s.where.get(goal[3], "")
        if s.where.get(a) != there:
            return {("carry", a, t, there): 1} if there else {}
        if goal[0] == "put":
            return {("put", a, t): 1}
        return {("give", a, goal[3], t): 1}
