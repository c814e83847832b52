"""What a story has told so far, and how a sentence changes it.

`apply` believes what it is told, true or not, so that the judge can go on
after a false sentence. Met in chapter 2.
"""

from typing import Any

from llm_utils.text.tinyworld.lexicon import PETS, PRONOUN

Values = dict[str, Any]  # slot -> value: {"a": "Ben", "q": "shed", ...}

WEATHER, PEOPLE, THINGS, MIDDLE, DUSK, OVER = range(6)


class State:
    """The world as told up to now; `stage` says how far the story has come."""

    __slots__ = (
        "cast",
        "color",
        "episodes",
        "feeling",
        "goal",
        "holder",
        "it",
        "last",
        "mood",
        "pets",
        "recent",
        "scene",
        "stage",
        "subject",
        "things",
        "time",
        "weather",
        "where",
    )  # fmt: skip

    def __init__(self) -> None:
        self.stage = WEATHER
        self.weather = ""
        self.time = ""
        self.cast: list[str] = []  # people, in order of appearance
        self.pets: list[str] = []
        self.things: list[str] = []
        self.color: dict[str, str] = {}
        self.where: dict[str, str] = {}  # people, and things that lie about
        self.holder: dict[str, str] = {}  # things that somebody holds
        self.mood: dict[str, str] = {}
        self.goal: tuple[str, ...] = ()  # what is being done: see `rules`
        # moods still to be told: (who, why, about whom or what)
        self.feeling: tuple[tuple[str, str, str], ...] = ()
        self.last = ""  # kind of the last sentence
        self.recent: tuple[str | None, ...] = ()  # last episode: kind, whom
        self.episodes = 0
        self.scene = False
        self.subject = ""  # whom He or She would mean
        self.it = ""  # which thing "it" would mean

    def copy(self) -> "State":
        """A state that can move on by itself."""
        new = State()
        for name in self.__slots__:
            value = getattr(self, name)
            copies = isinstance(value, list | dict)
            setattr(new, name, value.copy() if copies else value)
        return new

    def place_of(self, thing: str) -> str:
        """Where a thing is: where it lies, or where its holder is."""
        holder = self.holder.get(thing)
        return self.where.get(thing if holder is None else holder, "")

    def lying(self) -> list[str]:
        """The things that nobody holds."""
        return [t for t in self.things if t not in self.holder]


def _meet(s: State, v: Values) -> None:
    """Let the state know of everybody and everything that was named."""
    for slot in ("a", "b"):
        who = v.get(slot)
        if who:
            known = s.pets if who in PETS else s.cast
            if who not in known:
                known.append(who)
    thing = v.get("t")
    if thing and thing not in s.things:
        s.things.append(thing)
        if v.get("color"):
            s.color[thing] = v["color"]


def apply(s: State, kind: str, v: Values, names_thing: bool) -> None:
    """Change the state as a sentence of this kind says.

    `names_thing`: the next sentence may call the thing "it".
    """
    a, b, t, p, q = map(v.get, ("a", "b", "t", "p", "q"))
    _meet(s, v)
    if a is not None and p:
        s.where[a] = p
    s.last = kind
    effect = _EFFECTS.get(kind)
    if effect is not None:
        effect(s, a, b, t, p, q, v)
    s.subject = ""
    if a is not None and kind not in ("both", "together") and a in PRONOUN:
        alone = b is None or PRONOUN.get(b) != PRONOUN[a]
        s.subject = a if alone else ""
    s.it = t if t and names_thing else ""


def _weather(s, a, b, t, p, q, v):
    s.weather, s.time, s.stage = v["w"], v["d"], PEOPLE


def _scene(s, a, b, t, p, q, v):
    s.scene = True


def _who(s, a, b, t, p, q, v):
    if b is not None:
        s.where[b] = p


def _thing(s, a, b, t, p, q, v):
    s.stage = max(s.stage, THINGS)
    s.holder.pop(t, None)
    s.where[t] = v["u"]


def _has(s, a, b, t, p, q, v):
    s.stage = max(s.stage, THINGS)
    _hold(s, a, t)


def _hold(s, who, thing):
    s.where.pop(thing, None)
    s.holder[thing] = who


def _begin(s, goal, *recent):
    """A new episode: what is to be done, and what kind of episode it is."""
    s.stage = max(s.stage, MIDDLE)
    s.goal, s.recent = goal, recent
    s.episodes += 1
    s.feeling = ()


def _want(s, a, b, t, p, q, v):
    _begin(s, ("have", a, t), "want", a, t)


def _ask(s, a, b, t, p, q, v):
    _begin(s, ("bring", b, t, a), "ask", b, a, t)


def _offer(s, a, b, t, p, q, v):
    _begin(s, ("bring", a, t, b), "offer", a, b, t)


def _visit(s, a, b, t, p, q, v):
    _begin(s, ("see", a, b), "visit", a, b)


def _tidy(s, a, b, t, p, q, v):
    _begin(s, ("put", a, t, q), "tidy", a, t)


def _stroll(s, a, b, t, p, q, v):
    _begin(s, ("look", a), "stroll", a)
    s.where[a] = q


def _go(s, a, b, t, p, q, v):
    s.where[a] = q
    if s.goal[:2] == ("lost", a):
        s.goal = ("have", *s.goal[1:])


def _carry(s, a, b, t, p, q, v):
    _hold(s, a, t)
    s.where[a] = q


def _take(s, a, b, t, p, q, v):
    _hold(s, a, t)
    if s.goal[:1] in (("lost",), ("look",)):
        s.goal = ("have", a, t)


def _give(s, a, b, t, p, q, v):
    _hold(s, b, t)
    _join(s, a, b)
    s.goal = ("thank", b, a)
    s.feeling = (b, "got", t), (a, "gave", b)


def _thank(s, a, b, t, p, q, v):
    s.goal = ()


def _use(s, a, b, t, p, q, v):
    if s.goal[:1] != ("have",):
        _begin(s, (), "use", a, t)
    s.goal, s.feeling = (), ((a, "played", t),)


def _join(s, a, b):
    """b is where a is."""
    s.where[b] = s.where.get(a, s.where.get(b, ""))


def _greet(s, a, b, t, p, q, v):
    _join(s, a, b)
    s.goal = ("see", a, b)


def _together(s, a, b, t, p, q, v):
    _join(s, a, b)
    s.goal, s.feeling = (), ((a, "met", b), (b, "met", a))
    if b in PETS:
        s.feeling = s.feeling[:1]


def _lose(s, a, b, t, p, q, v):
    """The wind or a pet takes a thing away, and somebody may miss it."""
    loser = s.holder.pop(t, None)
    s.where[t] = q
    _begin(s, ("lost", loser, t) if loser else (), s.last, loser, t)
    s.feeling = ((loser, "lost", t),) if loser else ()


def _snatch(s, a, b, t, p, q, v):
    s.where[a] = q
    _lose(s, a, b, t, p, q, v)


def _comfort(s, a, b, t, p, q, v):
    s.goal = ("bring", a, t, b) if t else ()


def _put(s, a, b, t, p, q, v):
    s.holder.pop(t, None)
    s.where[t] = s.where.get(a, "")
    s.goal, s.feeling = (), ((a, "tidied", t),)


def _feel(s, a, b, t, p, q, v):
    s.mood[a] = v["m"]
    s.feeling = ()
    if s.goal[:1] == ("thank",):
        s.goal = ()


def _recall(s, a, b, t, p, q, v):
    if s.place_of(t) != v["u"]:
        s.holder.pop(t, None)
        s.where[t] = v["u"]


def _dusk(s, a, b, t, p, q, v):
    s.stage = DUSK


def _end(s, a, b, t, p, q, v):
    s.stage = OVER


_EFFECTS = {
    "weather": _weather, "scene": _scene, "both": _who, "thing": _thing,
    "has": _has, "want": _want, "ask": _ask, "offer": _offer,
    "visit": _visit, "tidy": _tidy, "stroll": _stroll, "go": _go,
    "carry": _carry, "take": _take, "give": _give, "thank": _thank,
    "use": _use, "greet": _greet, "together": _together, "wind": _lose,
    "snatch": _snatch, "keep": _has, "comfort": _comfort,
    "put": _put, "feel": _feel, "recall": _recall, "dusk": _dusk,
    "end": _end, "dream": _end, "sleep": _end, "night": _end, "hope": _end,
}  # fmt: skip
