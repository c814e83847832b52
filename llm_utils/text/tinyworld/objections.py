"""Why a sentence is not true: what the story has told says otherwise.

Each check returns a reason in plain English, or None. A reason reads as the
judge's answer to the sentence. Met in chapter 2.
"""

from collections.abc import Callable

from llm_utils.text.tinyworld.lexicon import AT, FEELINGS, OUTDOORS
from llm_utils.text.tinyworld.rules import Rules
from llm_utils.text.tinyworld.state import State, Values

Check = Callable[[State, Values], "str | None"]
_NEW = ("weather", "scene", "who", "both", "pet", "thing", "has")


def objection(rules: Rules, s: State, kind: str, v: Values) -> str | None:
    """The first thing in a sentence that contradicts the story so far."""
    if kind not in _NEW or kind == "has":
        unknown = _unknown(s, kind, v)
        if unknown:
            return unknown
    color = s.color.get(v.get("t") or "")
    if v.get("said") and color and v["said"] != color:
        return f"the {v['t']} is {color}, not {v['said']}"
    if kind not in _NEW and v.get("a"):
        elsewhere = _not_at(s, v["a"], v.get("p"))
        if elsewhere:
            return elsewhere
    if kind == "use" and v.get("used"):
        fits = rules.fits[v["t"]]
        place = v.get("p")
        if place and place not in fits:
            return f"nobody can use the {v['t']} {AT[place]}"
    for check in _CHECKS.get(kind, ()):
        reason = check(s, v)
        if reason:
            return reason
    return None


def _unknown(s: State, kind: str, v: Values) -> str | None:
    for slot in ("a", "b"):
        if v.get(slot) and v[slot] not in (*s.cast, *s.pets):
            return f"nobody has told us of {v[slot]}"
    thing = v.get("t")
    if thing and kind != "has" and thing not in s.things:
        return f"nobody has told us of a {thing}"
    return None


def _not_at(s: State, who: str, place: str | None) -> str | None:
    """A reason if `who` is known to be somewhere else."""
    known = s.where.get(who)
    if not place or not known or known == place:
        return None
    return f"{who} is {AT[known]}, not {AT[place]}"


def _who(s: State, v: Values) -> str | None:
    return _not_at(s, v["a"], v["p"])


def _both(s: State, v: Values) -> str | None:
    if v["a"] == v["b"]:
        return f"{v['a']} is one person, not two"
    return _who(s, v) or _not_at(s, v["b"], v["p"])


def _weather(s: State, v: Values) -> str | None:
    w = v.get("w")
    if s.weather and w and w != s.weather:
        return f"it is {s.weather}, not {w}"
    if s.time and v.get("d") and v["d"] != s.time:
        return f"it is the {s.time}, not the {v['d']}"
    return None


def _known_thing(s: State, v: Values) -> str | None:
    """A thing that is told again must be the same thing."""
    t = v["t"]
    if t not in s.things:
        return None
    if s.color.get(t, v["color"]) != v["color"]:
        return f"the {t} is {s.color[t]}, not {v['color']}"
    return None


def _lies_at(s: State, v: Values) -> str | None:
    """The thing is where the sentence says."""
    t, told = v["t"], v.get("u")
    place = s.place_of(t)
    if not told or not place or told == place:
        return None
    return f"the {t} is {AT[place]}, not {AT[told]}"


def _free(s: State, v: Values) -> str | None:
    holder = s.holder.get(v["t"])
    return f"{holder} already has the {v['t']}" if holder else None


def _lies_here(s: State, v: Values) -> str | None:
    place, t = s.where.get(v["t"]), v["t"]
    here = v.get("p") or s.where.get(v["a"])
    if place and here and place != here:
        return f"the {t} is {AT[place]}, not {AT[here]}"
    return None


def _has(s: State, v: Values) -> str | None:
    """a holds t."""
    t, holder = v["t"], s.holder.get(v["t"])
    if holder == v["a"]:
        return None
    if holder:
        return f"{holder} has the {t}, not {v['a']}"
    if t not in s.things:
        return None
    place = s.where.get(t)
    lies = f": it lies {AT[place]}" if place else ""
    return f"nobody has the {t}{lies}"


def _has_not(who: str) -> Check:
    def check(s: State, v: Values) -> str | None:
        if s.holder.get(v["t"]) == v[who]:
            return f"{v[who]} already has the {v['t']}"
        return None

    return check


def _holds_new(s: State, v: Values) -> str | None:
    return _known_thing(s, v) or (
        _has(s, v) if v["t"] in s.things else None
    )


def _another(s: State, v: Values) -> str | None:
    if v["a"] == v["b"]:
        return f"{v['a']} needs somebody else for that"
    return None


def _together(s: State, v: Values) -> str | None:
    """a and b are at one place."""
    here, there = v.get("p") or s.where.get(v["a"]), s.where.get(v["b"])
    if here and there and here != there:
        return f"{v['b']} is {AT[there]}, not {AT[here]}"
    return None


def _is_at_q(s: State, v: Values) -> str | None:
    return _not_at(s, v["b"], v.get("q"))


def _moves(s: State, v: Values) -> str | None:
    here = v.get("p") or s.where.get(v["a"])
    if here == v["q"]:
        return f"{v['a']} is already {AT[here]}"
    return None


def _not_there(s: State, v: Values) -> str | None:
    if s.where.get(v["t"]) == v["q"]:
        return f"the {v['t']} is already {AT[v['q']]}"
    return None


def _windy(s: State, v: Values) -> str | None:
    t = v["t"]
    if s.weather and s.weather != "windy":
        return f"it is {s.weather}, not windy"
    place = s.place_of(t)
    if place and v.get("p") and v["p"] != place:
        return f"the {t} is {AT[place]}, not {AT[v['p']]}"
    if place and place == v["q"]:
        return f"the {t} is already {AT[place]}"
    for p in (place, v["q"]):
        if p and p not in OUTDOORS:
            return f"there is no wind {AT[p]}"
    return None


def _unhappy(s: State, v: Values) -> str | None:
    mood = s.mood.get(v["b"])
    if mood == "sad":
        return None
    return f"{v['b']} is {mood or 'not sad'}, so there is nothing to mend"


def _hopes(s: State, v: Values) -> str | None:
    mood = s.mood.get(v["a"])
    if mood and mood != "sad":
        return f"{v['a']} is {mood}: the day was good enough"
    return None


def _mood(s: State, v: Values) -> str | None:
    """A mood may change only for a reason, and must fit the reason."""
    a, mood = v["a"], v["m"]
    moods = [m for who, why, _ in s.feeling if who == a for m in FEELINGS[why]]
    if moods:
        if mood in moods:
            return None
        return f"{a} has reason to be {' or '.join(moods)}, not {mood}"
    told = s.mood.get(a)
    return f"{a} is {told}, not {mood}" if told and told != mood else None


_CHECKS: dict[str, tuple[Check, ...]] = {
    "weather": (_weather,),
    "scene": (_weather,),
    "who": (_who,),
    "both": (_both,),
    "pet": (_who,),
    "thing": (_known_thing, _lies_at),
    "has": (_holds_new,),
    "want": (_has_not("a"), _lies_at),
    "ask": (_another, _has_not("a")),
    "offer": (_another, _has_not("b")),
    "visit": (_another, _is_at_q),
    "tidy": (_not_there,),
    "stroll": (_moves,),
    "go": (_moves,),
    "carry": (_has, _moves),
    "take": (_free, _lies_here),
    "give": (_another, _has, _together),
    "thank": (_another, _together),
    "use": (_has,),
    "together": (_another, _together),
    "greet": (_another, _together),
    "wind": (_windy,),
    "comfort": (_another, _unhappy),
    "put": (_has,),
    "feel": (_mood,),
    "recall": (_lies_at,),
    "keep": (_has,),
    "snatch": (_not_there, _lies_here),
    "night": (_another,),
    "hope": (_hopes,),
}
