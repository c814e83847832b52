"""Exercise 5 of chapter 15: pairs from several answers to one prompt.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations, pairwise
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm

Pairs = list[tuple[str, str]]


def _pairs(
    answers: Sequence[str],
    scores: Sequence[float],
    ties: bool = False,
    turned: bool = False,
    doubles: bool = False,
    in_order: bool = False,
    only_best: bool = False,
    neighbors: bool = False,
) -> Pairs:
    """(chosen, rejected) pairs, each once; the mistakes as knobs."""
    found: Pairs = []
    told = list(zip(scores, answers, strict=True))
    for (a, x), (b, y) in combinations(told, 2):
        if a < b and not in_order:
            (a, x), (b, y) = (b, y), (a, x)
        pair = (y, x) if turned else (x, y)
        if a == b and not ties:
            continue
        if only_best and (a < max(scores) or b > min(scores)):
            continue
        if pair not in found or doubles:
            found.append(pair)
    if neighbors:
        steps = pairwise(told)
        return [(x, y) if a > b else (y, x) for (a, x), (b, y) in steps
                if a != b]  # fmt: skip
    return found


def _form(x: Any) -> Pairs:
    listed = list(x) if isinstance(x, set) else sequence(x)
    pairs = [tuple(sequence(pair)) for pair in listed]
    if any(len(pair) != 2 for pair in pairs):
        raise WrongForm("a list whose items are no pairs; pairs are asked for")
    return sorted(pairs)


pairs_of = Exercise(
    name="pairs_of",
    asks="write pairs_of(answers, scores): a list of (chosen, rejected)",
    reference=_pairs,
    cases=[
        (["a", "b"], [0, 2]),
        (["a", "b", "c"], [3, 1, 1]),
        (["x", "y", "z"], [1, 2, 3]),
        (["p", "q", "p", "r"], [2, 0, 2, 1]),
        (["u", "v"], [1, 1]),
        (["k", "l", "m", "n"], [0, 3, 3, -1]),
    ],
    form=_form,
    mistakes=[
        Mistake(
            "Turned round: the answer with the higher score is chosen, and it "
            "comes first.",
            partial(_pairs, turned=True),
        ),
        Mistake(
            "Pairs of equal scores are in it. Nobody has preferred one of "
            "them; leave them out.",
            partial(_pairs, ties=True),
        ),
        Mistake(
            "The same pair of texts comes twice. An answer that was drawn "
            "twice tells nothing new: take a set.",
            partial(_pairs, doubles=True),
        ),
        Mistake(
            "The answer that was drawn first is always the chosen one. Look "
            "at the scores.",
            partial(_pairs, in_order=True),
        ),
        Mistake(
            "Only the best against the worst. All pairs with different "
            "scores are asked for.",
            partial(_pairs, only_best=True),
        ),
        Mistake(
            "You compare neighbors only. Compare each answer with all others.",
            partial(_pairs, neighbors=True),
        ),
    ],
    praise="Four answers make up to six pairs: ranking several answers at "
    "once is how InstructGPT's people worked.",
)
