"""The words of TinyWorld and its sizes: who, what, where, and how much of it.

Chapter 2 meets this world as text whose truth is known. A level is data only;
the rules that turn it into stories are in `rules.py` and `wordings.py`.
"""

from dataclasses import dataclass

PRONOUN = {
    "Mia": "she", "Ben": "he", "Anna": "she", "Tom": "he",
    "Lily": "she", "Sam": "he", "Rosa": "she", "Leo": "he",
}  # fmt: skip
HIS = {"he": "his", "she": "her"}

# place -> the preposition that goes with it
PLACES = {
    "kitchen": "in", "garden": "in", "shed": "in", "park": "in",
    "pond": "by", "barn": "in", "hill": "on", "attic": "in",
    "meadow": "in",
}  # fmt: skip
OUTDOORS = frozenset(("garden", "park", "pond", "hill", "meadow"))

# thing -> (what one does with it, what one did)
THINGS = {
    "ball": ("bounce", "bounced"), "book": ("read", "read"),
    "drum": ("play", "played"), "hat": ("wear", "wore"),
    "kite": ("fly", "flew"), "bell": ("ring", "rang"),
    "boat": ("sail", "sailed"), "teddy": ("hug", "hugged"),
    "lamp": ("light", "lit"), "cup": ("fill", "filled"),
}  # fmt: skip
# where a thing can be used, if not everywhere
ONLY_AT = {"kite": OUTDOORS, "boat": frozenset(("pond",))}

MOODS = ("happy", "sad", "proud", "tired", "cross", "surprised")
# what happened -> how it may make one feel
FEELINGS = {
    "got": {"happy": 2, "surprised": 1},
    "gave": {"proud": 2, "happy": 1},
    "played": {"happy": 1, "tired": 1},
    "lost": {"sad": 1, "cross": 1},
    "tidied": {"proud": 1, "tired": 1},
    "met": {"happy": 1, "surprised": 1},
}


@dataclass(frozen=True)
class Level:
    """One size of the world: its words, and how much a story holds.

    `people_range` and `things_range` are the least and the most a story
    introduces; `go_on[k]` and `stop[k]` weigh one more episode against the
    end once k episodes are told; `episodes` weighs their kinds.
    """

    name: str
    people: tuple[str, ...]
    things: tuple[str, ...]
    colors: tuple[str, ...]
    places: tuple[str, ...]
    weathers: tuple[str, ...]
    times: tuple[str, ...]
    people_range: tuple[int, int]
    things_range: tuple[int, int]
    go_on: tuple[int, ...]
    stop: tuple[int, ...]
    episodes: dict[str, int]


_EPISODES = {
    "want": 3, "ask": 3, "offer": 2, "visit": 2, "tidy": 2, "use": 3,
    "stroll": 1, "wind": 4,
}  # fmt: skip
_PLACES = tuple(PLACES)
_THINGS = tuple(THINGS)
_COLORS = ("red", "blue", "green", "yellow", "white", "brown")

LEVELS = {
    "mini": Level(
        "mini", tuple(PRONOUN)[:6], _THINGS[:6], _COLORS[:4], _PLACES[:5],
        ("sunny", "rainy", "windy"), ("morning", "day"),
        (2, 2), (1, 1), (1, 1, 0), (0, 1, 1), _EPISODES,
    ),
    "small": Level(
        "small", tuple(PRONOUN), _THINGS[:8], _COLORS[:5], _PLACES[:7],
        ("sunny", "rainy", "windy", "snowy"), ("morning", "day"),
        (2, 3), (2, 2), (1, 2, 1, 0), (0, 1, 1, 1), _EPISODES,
    ),
    "full": Level(
        "full", tuple(PRONOUN), _THINGS, _COLORS, _PLACES,
        ("sunny", "rainy", "windy", "snowy", "foggy"),
        ("morning", "day", "afternoon"),
        (3, 3), (2, 3), (1, 3, 2, 1, 0), (0, 1, 1, 1, 1), _EPISODES,
    ),
}  # fmt: skip
