"""The words of TinyWorld and its sizes: who, what, where, and how much of it.

Chapter 2 meets this world as text whose truth is known. A level is data only;
`rules.py` and `wordings.py` turn it into stories.
"""

from dataclasses import dataclass

PRONOUN = {
    "Mia": "she", "Ben": "he", "Anna": "she", "Tom": "he",
    "Lily": "she", "Sam": "he", "Rosa": "she", "Leo": "he",
}  # fmt: skip
HIS = {"he": "his", "she": "her"}
PETS = ("the dog", "the cat", "the goat")

# place -> the preposition that goes with it
PLACES = {
    "kitchen": "in", "garden": "in", "shed": "in", "park": "in",
    "pond": "by", "barn": "in", "hill": "on", "attic": "in",
    "meadow": "in",
}  # fmt: skip
AT = {place: f"{prep} the {place}" for place, prep in PLACES.items()}
OUTDOORS = frozenset(("garden", "park", "pond", "hill", "meadow"))

# thing -> (what one does with it, what one did)
THINGS = {
    "ball": ("bounce", "bounced"), "book": ("read", "read"),
    "drum": ("play", "played"), "hat": ("wear", "wore"),
    "kite": ("fly", "flew"), "bell": ("ring", "rang"),
    "boat": ("sail", "sailed"), "teddy": ("hug", "hugged"),
    "lamp": ("light", "lit"), "puppet": ("wave", "waved"),
}  # fmt: skip
# where a thing can be used, if not everywhere
ONLY_AT = {"kite": OUTDOORS, "boat": frozenset(("pond",))}

MOODS = ("happy", "sad", "proud", "tired", "surprised", "excited")
# what happened -> how it may make one feel
FEELINGS = {
    "got": {"happy": 1, "surprised": 2},
    "gave": {"proud": 1},
    "played": {"excited": 1, "tired": 1},
    "lost": {"sad": 1},
    "tidied": {"proud": 1, "tired": 1},
    "met": {"happy": 1, "excited": 1},
}


@dataclass(frozen=True)
class Level:
    """One size of the world: its words, and how much a story holds.

    `people_range` and `things_range` are the least and the most that a story
    introduces, `most_pets` the most pets. After k episodes, `go_on[k]` weighs
    one more against the end, `stop[k]`; `episodes` weighs their kinds.
    """

    people: tuple[str, ...]
    pets: tuple[str, ...]
    things: tuple[str, ...]
    colors: tuple[str, ...]
    places: tuple[str, ...]
    weathers: tuple[str, ...]
    times: tuple[str, ...]
    people_range: tuple[int, int]
    most_pets: int
    things_range: tuple[int, int]
    go_on: tuple[int, ...]
    stop: tuple[int, ...]
    episodes: dict[str, int]


_EPISODES = {
    "want": 4, "ask": 4, "offer": 3, "visit": 4, "tidy": 3, "use": 4,
    "stroll": 2, "wind": 9, "snatch": 9,
}  # fmt: skip
_PEOPLE, _THINGS, _PLACES = tuple(PRONOUN), tuple(THINGS), tuple(PLACES)
_COLORS = ("red", "blue", "green", "yellow", "white", "brown")

LEVELS = {
    "mini": Level(
        _PEOPLE[:6], (), _THINGS[:6], _COLORS[:4], _PLACES[:5],
        ("sunny", "rainy", "windy"), ("morning", "day"),
        (2, 2), 0, (1, 1), (1, 1, 0), (0, 1, 1), _EPISODES,
    ),
    "small": Level(
        _PEOPLE, PETS[:2], _THINGS[:8], _COLORS[:5], _PLACES[:7],
        ("sunny", "rainy", "windy", "snowy"), ("morning", "day"),
        (2, 2), 1, (2, 3), (1, 2, 1, 0), (0, 1, 1, 1), _EPISODES,
    ),
    "full": Level(
        _PEOPLE, PETS, _THINGS, _COLORS, _PLACES,
        ("sunny", "rainy", "windy", "snowy", "foggy"),
        ("morning", "day", "afternoon"),
        (2, 3), 1, (3, 3), (1, 3, 2, 1, 0), (0, 1, 1, 1, 1), _EPISODES,
    ),
}  # fmt: skip
