"""What TinyWorld may say next: one table, `Rules.dist`, for everything.

A sentence is a tuple of choices: its kind, the kind's arguments, a wording,
and how the wording names people and things. `dist(state, choices)` weighs the
next choice after those already made. The storyteller draws from it, `log_prob`
looks up in it, the judge asks whether it holds a choice, the enumerator walks
through it: they cannot disagree. Met in chapter 2.
"""

from llm_utils.text.tinyworld.lexicon import (
    FEELINGS,
    ONLY_AT,
    OUTDOORS,
    PRONOUN,
    Level,
)
from llm_utils.text.tinyworld.state import DUSK, MIDDLE, OVER, State
from llm_utils.text.tinyworld.state import PEOPLE as PEOPLE_STAGE
from llm_utils.text.tinyworld.state import WEATHER as WEATHER_STAGE

Table = dict[str, int]
Event = tuple[str, ...]

# kind -> the names of its arguments, in the order in which they are chosen
ARGS: dict[str, tuple[str, ...]] = {
    "weather": ("w", "d"),
    "scene": (),
    "who": ("a", "p"),
    "both": ("a", "b", "p"),
    "thing": ("t", "color", "u"),
    "has": ("a", "t", "color"),
    "want": ("a", "t"),
    "ask": ("a", "b", "t"),
    "offer": ("a", "b", "t"),
    "visit": ("a", "b"),
    "tidy": ("a", "t", "q"),
    "stroll": ("a", "q"),
    "use": ("a", "t"),
    "wind": ("t", "q"),
    "go": ("a", "q"),
    "carry": ("a", "t", "q"),
    "take": ("a", "t"),
    "give": ("a", "b", "t"),
    "thank": ("a", "b"),
    "greet": ("a", "b"),
    "together": ("a", "b"),
    "comfort": ("a", "b", "t"),
    "put": ("a", "t"),
    "feel": ("a", "m"),
    "recall": ("t",),
    "dusk": (),
    "end": (),
    "dream": ("a", "t"),
    "sleep": ("a",),
    "night": ("a", "b"),
    "hope": ("a",),
}


class Rules:
    """The weights of every choice of one level."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.fits = {
            t: ONLY_AT.get(t, frozenset(level.places)) for t in level.things
        }
        self.outdoors = tuple(p for p in level.places if p in OUTDOORS)

    # -- kinds ------------------------------------------------------------

    def kinds(self, s: State) -> Table:
        """The kinds of sentence that may come next; none: the story ends."""
        stage = s.stage
        if stage == WEATHER_STAGE:
            return {"weather": 1}
        if stage == OVER:
            return {}
        if stage == DUSK:
            return self._closing(s)
        if stage < MIDDLE:
            return self._opening(s)
        planned = self.planned(s)
        if planned:
            kinds: Table = {}
            for event, weight in planned.items():
                kinds[event[0]] = kinds.get(event[0], 0) + weight
            return kinds
        return self._between(s)

    def _opening(self, s: State) -> Table:
        level, people, things = self.level, len(s.cast), len(s.things)
        low, high = level.people_range
        kinds: Table = {}
        if s.stage == PEOPLE_STAGE:
            if people == 0 and not s.scene:
                kinds["scene"] = 3
            if people < high:
                kinds["who"] = 4
            if people == 0:
                kinds["both"] = 1
            if people < low:
                return kinds
        if things < level.things_range[1]:
            kinds["thing"], kinds["has"] = 4, 2
        if things >= level.things_range[0]:
            kinds.update(self._starters(s))
        return kinds

    def _between(self, s: State) -> Table:
        """No goal is open: remember where a thing is, begin anew, or close."""
        done = s.episodes
        stop = self.level.stop
        close = stop[min(done, len(stop) - 1)]
        kinds: Table = {}
        starters = self._starters(s) if self.level.go_on[
            min(done, len(stop) - 1)] else {}
        if starters:
            go_on = self.level.go_on[done]
            total = sum(starters.values())
            # scale so that going on and stopping weigh as the level says
            kinds = {k: w * go_on for k, w in starters.items()}
            close *= total
        unit = max(1, sum(kinds.values()) + close)
        if close or not starters:
            close = close or unit
            kinds["dusk"] = close
        if s.last != "recall" and self._lying(s):
            kinds["recall"] = unit // 4 + 1
        return kinds

    def _closing(self, s: State) -> Table:
        """The last sentence: who is sad at the end may hope."""
        if _hope(self, s, ()):
            return {"hope": 1}
        kinds = {"end": 3, "dream": 2, "sleep": 2}
        if len(s.cast) > 1:
            kinds["night"] = 1
        return kinds

    def _starters(self, s: State) -> Table:
        kinds: Table = {}
        for kind, weight in self.level.episodes.items():
            if _ARG_TABLES[kind][0](self, s, ()):
                kinds[kind] = weight
        return kinds

    # -- what follows from the goal ---------------------------------------

    def planned(self, s: State) -> dict[Event, int]:
        """The next steps of what is being done, with weights; {}: nothing."""
        goal = s.goal
        events: dict[Event, int] = {}
        if s.feeling:
            for who, why in s.feeling:
                for mood, weight in FEELINGS[why].items():
                    events["feel", who, mood] = weight
            if goal and goal[0] == "thank":
                events["thank", goal[1], goal[2]] = 4
            return events
        if not goal:
            return events
        if goal[0] == "look":
            return self._look(s, goal[1])
        if goal[0] == "see":
            a, b = goal[1], goal[2]
            if s.where.get(a) == s.where.get(b):
                return {("together", a, b): 1}
            return {("go", a, s.where[b]): 1}
        if goal[0] == "lost":
            events.update(self._fetch(s, goal[1], goal[2]))
            for friend in s.cast:
                if friend != goal[1]:
                    events["comfort", friend, goal[1], goal[2]] = 2
            return events
        if goal[0] in ("have", "bring", "put"):
            return self._fetch(s, *goal[1:3]) or self._deliver(s, goal)
        return events

    def _look(self, s: State, a: str) -> dict[Event, int]:
        here = s.where.get(a)
        events = {("take", a, t): 2 for t in self._lying(s)
                  if s.where[t] == here}
        for b in s.cast:
            if b != a and s.where.get(b) == here:
                events["greet", a, b] = 2
        return events

    def _fetch(self, s: State, a: str, t: str) -> dict[Event, int]:
        """The step that brings a closer to holding t, if t lies about."""
        if t in s.holder:
            return {}
        place = s.where.get(t)
        if place is None:
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

    # -- arguments --------------------------------------------------------

    def argument(self, s: State, choices: Event) -> Table:
        """Weights of the next argument of the kind `choices[0]`."""
        if s.stage >= MIDDLE:
            planned = self.planned(s)
            if planned:
                n = len(choices)
                table: Table = {}
                for event, weight in planned.items():
                    if event[:n] == choices:
                        table[event[n]] = table.get(event[n], 0) + weight
                return table
        tables = _ARG_TABLES.get(choices[0])
        if tables is None:
            return {}
        return tables[len(choices) - 1](self, s, choices[1:])

    def _lying(self, s: State) -> list[str]:
        return [t for t in s.things if t not in s.holder]

    def _actor(self, s: State, people) -> Table:
        """People, with more weight for those the last episode was about."""
        recent = s.recent
        return {a: 3 if a in recent else 1 for a in people}


def _everyone(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in rules.level.people if p not in s.cast}


def _anywhere(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(rules.level.places, 1)


def _second(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in rules.level.people if p not in (*s.cast, c[0])}


def _new_thing(rules: Rules, s: State, c: Event) -> Table:
    return {t: 1 for t in rules.level.things if t not in s.things}


def _new_color(rules: Rules, s: State, c: Event) -> Table:
    used = s.color.values()
    return {x: 1 for x in rules.level.colors if x not in used}


def _member(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(s.cast, 1)


def _have_a(rules: Rules, s: State, c: Event) -> Table:
    return rules._actor(s, s.cast) if _wanted(rules, s) else {}


def _wanted(rules: Rules, s: State) -> list[str]:
    stale = s.recent if s.recent[:1] == ("tidy",) else ()
    return [t for t in s.things if t not in s.holder and t not in stale]


def _have_t(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(_wanted(rules, s), 1)


def _asks(s: State) -> list[Event]:
    """(a, b, t): a may ask b for t, which is elsewhere and not a third's."""
    found = []
    for t in s.things:
        holder, place = s.holder.get(t), s.place_of(t)
        for a in s.cast:
            if a == holder or s.where.get(a) == place:
                continue
            for b in s.cast:
                if b != a and (holder is None or holder == b):
                    found.append((a, b, t))
    return found


def _offers(s: State) -> list[Event]:
    """(a, b, t): a may bring t to b, who is elsewhere and has it not."""
    found = []
    for t in s.things:
        holder, place = s.holder.get(t), s.place_of(t)
        for b in s.cast:
            if b == holder or s.where.get(b) == place:
                continue
            for a in s.cast:
                if a != b and (holder is None or holder == a):
                    found.append((a, b, t))
    return found


def _from(found: list[Event], c: Event) -> Table:
    """The next argument of those events that begin with `c`."""
    n = len(c)
    table: Table = {}
    for event in found:
        if event[:n] == c:
            table[event[n]] = 1
    return table


def _ask(rules: Rules, s: State, c: Event) -> Table:
    return _from(_asks(s), c)


def _offer(rules: Rules, s: State, c: Event) -> Table:
    return _from(_offers(s), c)


def _visit(rules: Rules, s: State, c: Event) -> Table:
    where = s.where
    return _from(
        [(a, b) for a in s.cast for b in s.cast
         if where.get(a) != where.get(b)], c)


def _tidy_a(rules: Rules, s: State, c: Event) -> Table:
    free = any(t not in s.holder for t in s.things)
    return {a: 1 for a in s.cast if free or s.holds(a)}


def _tidy_t(rules: Rules, s: State, c: Event) -> Table:
    return {t: 1 for t in s.things if s.holder.get(t, c[0]) == c[0]}


def _tidy_q(rules: Rules, s: State, c: Event) -> Table:
    here = s.place_of(c[1])
    return {p: 1 for p in rules.level.places if p != here}


def _stroll(rules: Rules, s: State, c: Event) -> Table:
    """Walks lead to where a thing lies or a friend is."""
    goals = {s.where.get(x) for x in (*rules._lying(s), *s.cast)}
    return _from(
        [(a, q) for a in s.cast for q in rules.level.places
         if q in goals and q != s.where.get(a)], c)


def _use(rules: Rules, s: State, c: Event) -> Table:
    if s.recent[:1] in (("use",), ("want",), ("stroll",)):
        return {}
    return _from([(a, t) for t, a in s.holder.items()], c)


def _wind_t(rules: Rules, s: State, c: Event) -> Table:
    if s.weather != "windy" or s.recent[:1] == ("wind",):
        return {}
    return {t: 1 for t, a in s.holder.items() if s.where.get(a) in OUTDOORS}


def _wind_q(rules: Rules, s: State, c: Event) -> Table:
    here = s.place_of(c[0])
    return {p: 1 for p in rules.outdoors if p != here}


def _recall(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(rules._lying(s), 1)


def _pair(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in s.cast if p not in c}


def _told_thing(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(s.things, 1)


def _hope(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in s.cast if s.mood.get(p) in ("sad", "cross")}


def _weather_w(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(rules.level.weathers, 1)


def _weather_d(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(rules.level.times, 1)


_ARG_TABLES = {
    "weather": (_weather_w, _weather_d),
    "who": (_everyone, _anywhere),
    "both": (_everyone, _second, _anywhere),
    "thing": (_new_thing, _new_color, _anywhere),
    "has": (_member, _new_thing, _new_color),
    "want": (_have_a, _have_t),
    "ask": (_ask, _ask, _ask),
    "offer": (_offer, _offer, _offer),
    "visit": (_visit, _visit),
    "tidy": (_tidy_a, _tidy_t, _tidy_q),
    "stroll": (_stroll, _stroll),
    "use": (_use, _use),
    "wind": (_wind_t, _wind_q),
    "recall": (_recall,),
    "dream": (_member, _told_thing),
    "sleep": (_member,),
    "night": (_pair, _pair),
    "hope": (_hope,),
}
__all__ = ["ARGS", "PRONOUN", "Event", "Rules", "Table"]
