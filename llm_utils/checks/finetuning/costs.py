"""Exercise 7 of chapter 14: what each part of a conversation costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.checks.watch import WrongForm

Nats = Sequence[float]
Parts = Sequence[str]
Costs = dict[str, float]


def _groups(nats: Nats, parts: Parts) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for x, part in zip(nats, parts, strict=True):
        found.setdefault(part, []).append(x)
    return found


def _means(nats: Nats, parts: Parts) -> Costs:
    return {k: sum(v) / len(v) for k, v in _groups(nats, parts).items()}


def _sums(nats: Nats, parts: Parts) -> Costs:
    return {k: sum(v) for k, v in _groups(nats, parts).items()}


def _of_all(nats: Nats, parts: Parts) -> Costs:
    return {k: v / len(nats) for k, v in _sums(nats, parts).items()}


def _shares(nats: Nats, parts: Parts) -> Costs:
    return {k: v / sum(nats) for k, v in _sums(nats, parts).items()}


def _late(nats: Nats, parts: Parts) -> Costs:
    """Each cost goes to the part of the token before."""
    return _means(nats, [parts[0], *parts[:-1]])


def _last(nats: Nats, parts: Parts) -> Costs:
    return {k: v[-1] for k, v in _groups(nats, parts).items()}


def _form(x: Any) -> Costs:
    if not isinstance(x, Mapping):
        raise WrongForm(f"a {type(x).__name__}; a dictionary is asked for")
    return {key: number(value) for key, value in x.items()}


def _same(a: Costs, b: Costs) -> bool:
    return a.keys() == b.keys() and all(abs(a[k] - b[k]) < 1e-5 for k in a)


by_part = Exercise(
    name="by_part",
    asks="write by_part(nats, parts): a dictionary {part: mean nats}",
    reference=_means,
    cases=[
        ([1.0, 3.0], ["story", "story"]),
        ([1.0, 3.0, 8.0], ["story", "story", "answer"]),
        ([2.0, 4.0, 1.0, 0.5, 6.0], ["a", "b", "b", "a", "b"]),
        ([0.5] * 3 + [2.0, 1.0, 3.0], [*"ssqaqa"]),
    ],
    form=_form,
    same=_same,
    mistakes=[
        Mistake(
            "Those are sums. The story would look dear only because it is "
            "long: divide by the tokens of each part.",
            _sums,
        ),
        Mistake(
            "You divide by all tokens. Each part is to be divided by its own.",
            _of_all,
        ),
        Mistake(
            "Those are shares of the whole cost; the mean cost of a token "
            "is asked for.",
            _shares,
        ),
        Mistake(
            "Each cost is booked one place late. nats[t] belongs to parts[t].",
            _late,
        ),
        Mistake(
            "You keep the last cost of each part. Collect all of them.",
            _last,
        ),
    ],
    praise="Look at all parts before and after tuning, not only at the one "
    "that you trained.",
)

explanation = choice(
    "B",
    {
        "A": "A cannot be it. The answers could not be right if the model "
        "had not read the questions: a masked token is read like any other.",
        "C": "C would hold for the answers as well, and their cost has "
        "fallen nearly to nothing.",
        "D": "D is not so. The stories behind both numbers are the same, and "
        "the base model pays as much for the questions or more.",
    },
    "Reading and predicting are two things. The mask decides only on the "
    "second.",
)
