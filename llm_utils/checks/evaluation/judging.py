"""Exercise 6 of chapter 12: what a judge looks at, measured and explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number

Judge = Callable[[str, str], float]
Pairs = Sequence[tuple[str, str]]


def longer(a: str, b: str) -> float:
    """Likes the longer one: never undecided in the cases."""
    return 0.9 if len(a) > len(b) else 0.1


def first(a: str, b: str) -> float:
    """Likes the first one, whatever it is."""
    return 0.8


def second(a: str, b: str) -> float:
    """Likes the second one, whatever it is."""
    return 0.3


def mostly_first(a: str, b: str) -> float:
    """Likes the first one, unless the other one is much longer."""
    return 0.7 if len(b) < 2 * len(a) else 0.2


def surely_first(a: str, b: str) -> float:
    """Likes the first one, and is surer of it if it is the longer one."""
    return 0.95 if len(a) > len(b) else 0.6


PAIRS = [("aa", "b"), ("c", "dddd"), ("ee", "fff"), ("ggggg", "hhhh")]


def _share(judge: Judge, pairs: Pairs) -> float:
    same = [(judge(a, b) > 0.5) != (judge(b, a) > 0.5) for a, b in pairs]
    return sum(same) / len(same)


def _close_to(judge: Judge, pairs: Pairs) -> float:
    even = [abs(judge(a, b) - judge(b, a)) < 0.1 for a, b in pairs]
    return sum(even) / len(even)


consistent = Exercise(
    name="consistent",
    asks="write consistent(judge, pairs): the share of pairs with the same "
    "winner in both orders",
    reference=_share,
    cases=[
        (longer, PAIRS[:1]),
        (first, PAIRS[:1]),
        (longer, PAIRS),
        (first, PAIRS),
        (second, PAIRS),
        (mostly_first, PAIRS),
        (surely_first, PAIRS),
    ],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-9,
    show=lambda x: getattr(x, "__name__", None) or ascii(x),
    mistakes=[
        Mistake(
            "You count the pairs for which the judge says the same in both "
            "orders. The *place* of the winner has to change when the texts "
            "change places: what is above one half must then be below.",
            lambda judge, pairs: 1 - _share(judge, pairs),
        ),
        Mistake(
            "That is how often the first text wins. Ask again with the two "
            "exchanged, and compare.",
            lambda judge, pairs: (
                sum(judge(a, b) > 0.5 for a, b in pairs) / len(pairs)
            ),
        ),
        Mistake(
            "That is how many pairs. Divide by the number of pairs.",
            lambda judge, pairs: len(pairs) * _share(judge, pairs),
        ),
        Mistake(
            "You compare the two probabilities with each other. Compare "
            "each with one half: only the winner matters.",
            _close_to,
        ),
    ],
    praise="A judge that looks at the place only has 0, one that throws a "
    "coin each time about one half.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: a judge that likes the first place changes its "
        "winner with the order, and this one never did.",
        "B": "B does not follow. A perfectly consistent judge may look at "
        "anything that stays with the text; you saw one that looks at the "
        "length.",
        "D": "D goes too far: asking in both orders is the right remedy for "
        "the place. It leaves in place what stays with the text.",
    },
    "Consistency finds what depends on the order, and nothing else.",
    of="sentences",
)
