"""Who, what and where a sentence may be about: weights of its arguments.

One function for each argument of each kind that is not settled by a goal:
(rules, state, arguments so far) -> table. Met in chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from llm_utils.text.tinyworld.lexicon import OUTDOORS
from llm_utils.text.tinyworld.state import State

if TYPE_CHECKING:
    from llm_utils.text.tinyworld.rules import Rules

Table = dict[str, int]
Event = tuple[str, ...]
Argument = Callable[["Rules", State, Event], Table]


def choose(events: Iterable[Event], begun: Event, s: State) -> Table:
    """The next argument of the events that begin with `begun`.

    Whom and what the last episode was about weighs three times as much.
    """
    n, recent = len(begun), s.recent
    table: Table = {}
    for event in events:
        if event[:n] == begun:
            table[event[n]] = 3 if event[n] in recent else 1
    return table


def stale(s: State) -> Event:
    """What has just been put away stays there for a while."""
    tidied = s.recent[:1] == ("tidy",)
    return tuple(t for t in s.things if tidied and t in s.recent)


# -- the opening -------------------------------------------------------------


def _weather_w(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(rules.level.weathers, 1)


def _weather_d(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(rules.level.times, 1)


def _new_person(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in rules.level.people if p not in (*s.cast, *c)}


def _new_pet(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in rules.level.pets if p not in s.pets}


def _anywhere(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(rules.level.places, 1)


def _new_thing(rules: Rules, s: State, c: Event) -> Table:
    return {t: 1 for t in rules.level.things if t not in s.things}


def _new_color(rules: Rules, s: State, c: Event) -> Table:
    used = s.color.values()
    return {x: 1 for x in rules.level.colors if x not in used}


def _person(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in s.cast if p not in c}


# -- what begins an episode --------------------------------------------------


def _want(rules: Rules, s: State, c: Event) -> Table:
    free = [t for t in s.lying() if t not in stale(s)]
    return choose(((a, t) for a in s.cast for t in free), c, s)


def _movable(s: State) -> list[tuple[str, str | None, str]]:
    """(t, who holds it, where it is) of things not moved just now."""
    fresh = [t for t in s.things if t not in stale(s)]
    return [(t, s.holder.get(t), s.place_of(t)) for t in fresh]


def _ask(rules: Rules, s: State, c: Event) -> Table:
    """(a, b, t): t is elsewhere, and nobody but b may hold it."""
    found = [
        (a, b, t)
        for t, holder, place in _movable(s)
        for a in s.cast
        if a != holder and s.where.get(a) != place
        for b in s.cast
        if b != a and (holder is None or holder == b)
    ]
    return choose(found, c, s)


def _offer(rules: Rules, s: State, c: Event) -> Table:
    """(a, b, t): b is elsewhere, and nobody but a may hold t."""
    found = [
        (a, b, t)
        for t, holder, place in _movable(s)
        for b in s.cast
        if b != holder and s.where.get(b) != place
        for a in s.cast
        if a != b and (holder is None or holder == a)
    ]
    return choose(found, c, s)


def _visit(rules: Rules, s: State, c: Event) -> Table:
    where = s.where
    pairs = (
        (a, b)
        for a in s.cast
        for b in (*s.cast, *s.pets)
        if where.get(a) != where.get(b)
    )
    return choose(pairs, c, s)


def _tidy(rules: Rules, s: State, c: Event) -> Table:
    """(a, t, q): a takes t, which is free or in a's hands, to q."""
    if len(c) == 2:
        here = s.place_of(c[1])
        return {p: 1 for p in rules.level.places if p != here}
    pairs = (
        (a, t)
        for a in s.cast
        for t in s.things
        if s.holder.get(t, a) == a and t not in stale(s)
    )
    return choose(pairs, c, s)


def _stroll(rules: Rules, s: State, c: Event) -> Table:
    """Walks lead to where a thing lies or a friend is."""
    where = s.where
    goals = {where.get(x) for x in (*s.lying(), *s.cast, *s.pets)}
    places = [q for q in rules.level.places if q in goals]
    pairs = ((a, q) for a in s.cast for q in places if q != where.get(a))
    return choose(pairs, c, s)


def _use(rules: Rules, s: State, c: Event) -> Table:
    if s.recent[:1] in (("use",), ("want",), ("stroll",)):
        return {}
    pairs = ((a, t) for t, a in s.holder.items() if a in s.cast)
    return choose(pairs, c, s)


def _wind(rules: Rules, s: State, c: Event) -> Table:
    """(t, q): the wind takes what is held outdoors."""
    if c:
        here = s.place_of(c[0])
        return {p: 1 for p in rules.outdoors if p != here}
    calm = s.weather != "windy" or len(rules.outdoors) < 2
    if calm or s.recent[:1] == ("wind",):
        return {}
    return {t: 1 for t, a in s.holder.items() if s.where.get(a) in OUTDOORS}


def _snatch(rules: Rules, s: State, c: Event) -> Table:
    """(a, t, q): a pet takes what somebody beside it holds."""
    if len(c) == 2:
        here = s.place_of(c[1])
        return {p: 1 for p in rules.level.places if p != here}
    if s.recent[:1] == ("snatch",):
        return {}
    pairs = (
        (pet, t)
        for pet in s.pets
        for t in s.holder
        if s.place_of(t) == s.where.get(pet)
    )
    return choose(pairs, c, s)


# -- looking back, and the end -----------------------------------------------


def _recall(rules: Rules, s: State, c: Event) -> Table:
    return {t: 1 for t in s.lying() if t not in s.recent}


def _keep(rules: Rules, s: State, c: Event) -> Table:
    old = [(a, t) for t, a in s.holder.items() if t not in s.recent]
    return choose(old, c, s)


def _meanwhile(rules: Rules, s: State, c: Event) -> Table:
    return {a: 1 for a in (*s.cast, *s.pets) if a not in s.recent}


def _old_thing(rules: Rules, s: State, c: Event) -> Table:
    return dict.fromkeys(s.things, 1)


def _indoors(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in s.cast if s.where.get(p) not in OUTDOORS}


def _unhappy(rules: Rules, s: State, c: Event) -> Table:
    return {p: 1 for p in s.cast if s.mood.get(p) == "sad"}


ARGUMENTS: dict[str, tuple[Argument, ...]] = {
    "weather": (_weather_w, _weather_d),
    "scene": (),
    "who": (_new_person, _anywhere),
    "both": (_new_person, _new_person, _anywhere),
    "pet": (_new_pet, _anywhere),
    "thing": (_new_thing, _new_color, _anywhere),
    "has": (_person, _new_thing, _new_color),
    "want": (_want, _want),
    "ask": (_ask, _ask, _ask),
    "offer": (_offer, _offer, _offer),
    "visit": (_visit, _visit),
    "tidy": (_tidy, _tidy, _tidy),
    "stroll": (_stroll, _stroll),
    "use": (_use, _use),
    "wind": (_wind, _wind),
    "snatch": (_snatch, _snatch, _snatch),
    "recall": (_recall,),
    "keep": (_keep, _keep),
    "meanwhile": (_meanwhile,),
    "dusk": (),
    "end": (),
    "dream": (_person, _old_thing),
    "sleep": (_indoors,),
    "night": (_person, _person),
    "hope": (_unhappy,),
}
