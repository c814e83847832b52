"""Exercises 4, 5 and 6 of chapter 11: what becomes of a guess.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.tensors import close, show, tensor

PAIRS = [
    (torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])),
    (torch.tensor([0.5, 0.4, 0.1]), torch.tensor([0.1, 0.3, 0.6])),
    (torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0.2, 0.3, 0.5])),
    (torch.tensor([0.4, 0.3, 0.2, 0.1]), torch.tensor([0.1, 0.2, 0.3, 0.4])),
]


def _kept_share(p: Tensor, q: Tensor) -> Tensor:
    return torch.minimum(p, q).sum()


kept_share = Exercise(
    name="kept_share",
    asks="write kept_share(p, q), the chance that a guess is kept",
    reference=_kept_share,
    cases=PAIRS,
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "That is the chance that a draw from p and a draw from q are the "
            "same token. The rule keeps more than that.",
            lambda p, q: (p * q).sum(),
        ),
        Mistake(
            "You average over tokens as if each were guessed equally often. "
            "Weigh each by the chance that the draft guesses it.",
            lambda p, q: (p / q).clamp(max=1).mean(),
        ),
        Mistake(
            "You weigh by the model's chances. It is the draft that guesses: "
            "weigh by q.",
            lambda p, q: (p * (p / q).clamp(max=1)).sum(),
        ),
        Mistake(
            "That is the chance that a guess is refused.",
            lambda p, q: 1 - _kept_share(p, q),
        ),
        Mistake(
            "You take off what differs twice. What p has more, q has less: "
            "half of the sum of differences is what is refused.",
            lambda p, q: 1 - (p - q).abs().sum(),
        ),
        Mistake(
            "You sum the ratios. Each token is guessed with probability q(x), "
            "so its ratio counts q(x) times.",
            lambda p, q: (p / q).clamp(max=1).sum(),
        ),
    ],
    praise="It is the area that the two distributions share: one if they are "
    "equal, zero if they have no token in common.",
)


def _rest(p: Tensor, q: Tensor) -> Tensor:
    left = (p - q).clamp(min=0)
    return left / left.sum()


rest = Exercise(
    name="rest",
    asks="write rest(p, q), the distribution to draw from after a refusal",
    reference=_rest,
    cases=PAIRS,
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You draw from p again. Then tokens that the draft offers too "
            "often come too often in the end: they have had their share.",
            lambda p, q: p,
        ),
        Mistake(
            "You keep what the draft offers too much. What is missing is what "
            "it offers too little: p - q where that is positive.",
            lambda p, q: _rest(q, p),
        ),
        Mistake(
            "What is missing is right, but it does not sum to one: divide by "
            "its sum.",
            lambda p, q: (p - q).clamp(min=0),
        ),
        Mistake(
            "You take the size of the difference. Where q is the larger one "
            "nothing is missing: clamp at zero.",
            lambda p, q: (p - q).abs() / (p - q).abs().sum(),
        ),
        Mistake(
            "A softmax of the differences gives a chance to tokens of which "
            "there are too many already. Clamp at zero and divide by the sum.",
            lambda p, q: (p - q).softmax(0),
        ),
        Mistake(
            "The differences are not clamped: probabilities below zero.",
            lambda p, q: p - q,
        ),
    ],
    praise="Kept and drawn again add up to p, whatever q is.",
)


def _round(guesses: Sequence[int], says: Sequence[int]) -> list[int]:
    kept = 0
    while kept < len(guesses) and guesses[kept] == says[kept]:
        kept += 1
    return [*guesses[:kept], says[kept]]


def _counts_all(guesses: Sequence[int], says: Sequence[int]) -> list[int]:
    """The bug of the exercise: what fits later counts as well."""
    kept = sum(g == s for g, s in zip(guesses, says, strict=False))
    return [*guesses[:kept], says[kept]]


def _matching(guesses: Sequence[int], says: Sequence[int]) -> list[int]:
    pairs = zip(guesses, says, strict=False)
    return [g for g, s in pairs if g == s] + [says[len(guesses)]]


def _no_own(guesses: Sequence[int], says: Sequence[int]) -> list[int]:
    return _round(guesses, says)[:-1]


def _always_last(guesses: Sequence[int], says: Sequence[int]) -> list[int]:
    return [*_round(guesses, says)[:-1], says[-1]]


def _all_own(guesses: Sequence[int], says: Sequence[int]) -> list[int]:
    return list(says)


def _keeps_wrong(guesses: Sequence[int], says: Sequence[int]) -> list[int]:
    kept = len(_round(guesses, says)) - 1
    return [*guesses[: kept + 1], *([] if kept < len(guesses) else [says[-1]])]


_ids: Callable[[object], list[int]] = lambda x: [  # noqa: E731
    int(v) for v in sequence(x)
]

round_tokens = Exercise(
    name="round_tokens",
    asks="write round_tokens(guesses, says), the tokens of one greedy round",
    reference=_round,
    cases=[
        ([5], [5, 7]),
        ([5], [6, 7]),
        ([1, 2, 3], [1, 2, 3, 4]),
        ([1, 2, 3], [1, 9, 3, 4]),
        ([1, 2, 3, 4], [8, 2, 3, 9, 5]),
        ([4, 4, 4, 4], [4, 4, 5, 4, 6]),
    ],
    form=_ids,
    mistakes=[
        Mistake(
            "You count every guess that fits, the later ones, too. After the "
            "first that does not, all others stand behind a token that is "
            "not there.",
            _counts_all,
        ),
        Mistake(
            "You pick the guesses that fit out of the row. Behind the first "
            "that does not, none counts.",
            _matching,
        ),
        Mistake(
            "The model's own token is missing: the pass gives one in any "
            "case, at the place of the first wrong guess or after the last.",
            _no_own,
        ),
        Mistake(
            "The last of `says` is what the model says after all of the "
            "guesses. If one was wrong, it has to be the token at its place.",
            _always_last,
        ),
        Mistake(
            "You take all that the model says. Behind a wrong guess it was "
            "asked about a text that is not there.",
            _all_own,
        ),
        Mistake(
            "The first wrong guess is still in. The model's own token belongs "
            "in its place.",
            _keeps_wrong,
        ),
    ],
    praise="This bug shows itself only where a guess fits by chance behind a "
    "wrong one; a test needs guesses that are wrong in the middle.",
)
