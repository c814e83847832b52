"""Exercise 8 of chapter 7: how often a mixture goes through each corpus.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.watch import WrongForm

Sizes = Mapping[str, float]


def _weights(sizes: Sizes, alpha: float) -> dict[str, float]:
    powers = {name: size**alpha for name, size in sizes.items()}
    total = sum(powers.values())
    return {name: power / total for name, power in powers.items()}


def _epochs(
    sizes: Sizes, alpha: float, budget: float, give: str = "epochs"
) -> dict[str, float]:
    """How often, with its mistakes as knobs."""
    weights = _weights(sizes, alpha)
    give_each = {
        "shares": lambda name: weights[name],
        "tokens": lambda name: budget * weights[name],
        "inverse": lambda name: sizes[name] / (budget * weights[name]),
        "raw": lambda name: budget * sizes[name] ** alpha / sizes[name],
        "whole": lambda name: budget * weights[name] // sizes[name],
        "round": lambda name: round(budget * weights[name] / sizes[name]),
        "no budget": lambda name: weights[name] / sizes[name],
        "of all": lambda name: budget * weights[name] / sum(sizes.values()),
    }
    plain = lambda name: budget * weights[name] / sizes[name]  # noqa: E731
    return {name: give_each.get(give, plain)(name) for name in sizes}


def _even(sizes: Sizes, alpha: float, budget: float) -> dict[str, float]:
    return dict.fromkeys(sizes, budget / sum(sizes.values()))


def _times(sizes: Sizes, alpha: float, budget: float) -> dict[str, float]:
    """alpha as a factor, which the sum takes out again; 0 divides by 0."""
    total = sum(alpha * size for size in sizes.values())
    return {name: budget * alpha / total for name in sizes}


def _softmax(sizes: Sizes, alpha: float, budget: float) -> dict[str, float]:
    top = max(sizes.values())
    powers = {k: math.exp(alpha * (v - top)) for k, v in sizes.items()}
    total = sum(powers.values())
    return {k: budget * powers[k] / total / v for k, v in sizes.items()}


def _by_name(x: Any) -> dict[str, float]:
    if not isinstance(x, Mapping):
        raise WrongForm(
            f"a {type(x).__name__}; a dictionary {{name: number}} is asked for"
        )
    return {str(name): number(value) for name, value in x.items()}


def _close(a: dict[str, float], b: dict[str, float]) -> bool:
    return set(a) == set(b) and all(
        math.isclose(a[name], b[name], rel_tol=1e-4, abs_tol=1e-9) for name in a
    )


def _show(x: Any) -> str:
    if isinstance(x, Mapping):
        parts = ", ".join(f"{k!r}: {_show(v)}" for k, v in x.items())
        return f"{{{parts}}}"
    return f"{x:.4g}" if isinstance(x, float) else ascii(x)


epochs = Exercise(
    name="epochs",
    asks="write epochs(sizes, alpha, budget), {name: how many times}",
    reference=_epochs,
    cases=[
        ({"a": 100, "b": 100}, 1, 100),
        ({"a": 100, "b": 100}, 1, 400),
        ({"a": 900, "b": 100}, 1, 500),
        ({"a": 900, "b": 100}, 0, 500),
        ({"a": 900, "b": 100}, 0.5, 1000),
        ({"a": 16, "b": 4, "c": 1}, 0.5, 21),
    ],
    form=_by_name,
    same=_close,
    show=_show,
    mistakes=[
        Mistake(
            "Those are the shares of the mixture. A share of the budget is "
            "so many tokens, and a corpus has so many: how often is it gone "
            "through?",
            partial(_epochs, give="shares"),
        ),
        Mistake(
            "Those are the tokens drawn from each corpus. Divide by how many "
            "it has.",
            partial(_epochs, give="tokens"),
        ),
        Mistake(
            "That is upside down: the size divided by the tokens drawn.",
            partial(_epochs, give="inverse"),
        ),
        Mistake(
            "The powers are no shares yet. Divide each by the sum of all, so "
            "that they add up to 1.",
            partial(_epochs, give="raw"),
        ),
        Mistake(
            "You divide by the size of all corpora together. Divide by the "
            "size of the one.",
            partial(_epochs, give="of all"),
        ),
        Mistake(
            "No corpus is read more than once in yours. It may be: where "
            "more tokens are drawn than it has, it begins anew.",
            lambda sizes, alpha, budget: {
                k: min(1, v) for k, v in _epochs(sizes, alpha, budget).items()
            },
        ),
        Mistake(
            "You round down. Half of a corpus is half an epoch.",
            partial(_epochs, give="whole"),
        ),
        Mistake(
            "You round. Half of a corpus is half an epoch.",
            partial(_epochs, give="round"),
        ),
        Mistake(
            "The budget is missing: a share of it is so many tokens. Multiply.",
            partial(_epochs, give="no budget"),
        ),
        Mistake(
            "You divide the powers by the sum of the sizes. Shares sum to 1 "
            "if you divide by the sum of the powers.",
            lambda sizes, alpha, budget: {
                k: budget * v**alpha / sum(sizes.values()) / v
                for k, v in sizes.items()
            },
        ),
        Mistake(
            "You raise the natural shares to the power, and they no longer "
            "sum to 1. Divide by the sum of the powers after it.",
            lambda sizes, alpha, budget: {
                k: budget * (v / sum(sizes.values())) ** alpha / v
                for k, v in sizes.items()
            },
        ),
        Mistake(
            "You do not use alpha. The share of a corpus is proportional to "
            "size ** alpha.",
            _even,
        ),
        Mistake(
            "alpha is a factor in yours, and the sum takes it out again. "
            "It is an exponent: size ** alpha.",
            _times,
        ),
        Mistake(
            "You take the exponent 1 / alpha, as if alpha were a "
            "temperature. The share is proportional to size ** alpha.",
            lambda sizes, alpha, budget: _epochs(sizes, 1 / alpha, budget),
        ),
        Mistake(
            "You take a softmax of the sizes. The share is proportional to "
            "size ** alpha, without an exponential.",
            _softmax,
        ),
        Mistake(
            "You divide the budget evenly, and not by the shares.",
            lambda sizes, alpha, budget: {
                k: budget / len(sizes) / v for k, v in sizes.items()
            },
        ),
    ],
    praise="A small alpha is kind to small corpora, and reads them over and "
    "over.",
)
