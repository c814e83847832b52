"""Exercises 3 and 7 of chapter 4: scores of turned vectors.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor
from llm_utils.model.positions import Rotary

# -- five scores, predicted

SCORES = [0.0, 1.0, -1.0, 0.0, 1.0]


def _right_up_to(k: int) -> Callable[[Any, Any], bool]:
    return lambda args, value: value[:k].tolist() == SCORES[:k]


quarter_scores = Exercise(
    name="quarter_scores",
    asks="write down the five scores, in order, as a list",
    reference=lambda: SCORES,
    form=tensor,
    same=close,
    mistakes=[
        Mistake(
            "Five scores are asked for, one for each pair of positions.",
            when=lambda args, value: tuple(value.shape) != (5,),
        ),
        Mistake(
            "You turned the wrong way round. One quarter turn takes (1, 0) to "
            "(0, 1), where the key of position 0 points: that score is +1.",
            lambda: [0.0, -1.0, 1.0, 0.0, -1.0],
        ),
        Mistake(
            "You took the cosine of the angle between them, as if query and "
            "key were the same vector. At distance 0 this query and this key "
            "stand at right angles, so that score is 0.",
            lambda: [1.0, 0.0, 0.0, -1.0, 0.0],
        ),
        Mistake(
            "You turned the query and left the key where it was. Both are "
            "turned, each by its own position.",
            lambda: [-1.0, 1.0, 1.0, 1.0, 0.0],
        ),
        Mistake(
            "You turned the key and left the query where it was. Both are "
            "turned, each by its own position.",
            lambda: [1.0, 0.0, 0.0, 1.0, -1.0],
        ),
        Mistake(
            "You added the two positions. Turning both vectors by the same "
            "angle changes nothing, so it is their difference that counts.",
            lambda: [0.0, 1.0, -1.0, 0.0, -1.0],
        ),
        *[
            Mistake(
                f"The {wrong} score is off. Turn both vectors back by the "
                "key's position: the key is (0, 1) again, and the query is "
                "turned by the distance.",
                when=_right_up_to(k),
            )
            for k, wrong in ((4, "fifth"), (3, "fourth"), (2, "third"))
        ],
        Mistake(
            "One of the first two is off already. Draw them: where does the "
            "query point at its position, where does the key?",
            when=lambda args, value: True,
        ),
    ],
    praise="Distances 0, 1, 3, 2 and 5, and 5 is 1 again: a circle forgets "
    "full turns.",
)

# -- one_by_one(q, k, rotary) -> (T, T)


def _full(q: Tensor, k: Tensor, rotary: Rotary) -> Tensor:
    q, k = rotary(q, k)
    return (q @ k.mT).tril()


def _unturned(q: Tensor, k: Tensor, rotary: Rotary) -> Tensor:
    return (q @ k.mT).tril()


def _only_queries(q: Tensor, k: Tensor, rotary: Rotary) -> Tensor:
    return (rotary(q, k)[0] @ k.mT).tril()


def _only_keys(q: Tensor, k: Tensor, rotary: Rotary) -> Tensor:
    return (q @ rotary(q, k)[1].mT).tril()


def _again_and_again(q: Tensor, k: Tensor, rotary: Rotary) -> Tensor:
    """All the keys that are kept are turned anew at each step."""
    kept, scores = k[:0], torch.zeros(len(q), len(q), dtype=q.dtype)
    for t in range(len(q)):
        kept = torch.cat((kept, k[t : t + 1]))
        kept = rotary(kept, kept)[1]
        scores[t, : t + 1] = rotary(q[t : t + 1], kept, t)[0] @ kept.mT
    return scores


def _again(q: Tensor, k: Tensor, rotary: Rotary) -> Tensor:
    """Keys are turned when they come, and once more when they are used."""
    k = rotary(k, k)[1]
    return (rotary(q, k)[0] @ rotary(k, k)[1].mT).tril()


Q = torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
K = torch.tensor([[0.0, 1.0], [1.0, -1.0], [2.0, 2.0]])
WIDE = torch.arange(40.0).cos().view(2, 5, 4) * 2

one_by_one = Exercise(
    name="one_by_one",
    asks="repair one_by_one(q, k, rotary), so that it gives the scores of the "
    "full pass",
    reference=_full,
    cases=[
        (Q[:1], K[:1], Rotary(2)),
        (Q[:2], K[:2], Rotary(2)),
        (Q, K, Rotary(2)),
        (WIDE[0], WIDE[1], Rotary(4, 100.0)),
    ],
    form=tensor,
    same=close,
    show=lambda x: "rotary" if isinstance(x, Rotary) else show(x),
    mistakes=[
        Mistake(
            "The scores are those of vectors that were never turned. A "
            "single row is taken for position 0, where the angle is 0; "
            "`rotary` has to be told where the row stands.",
            _unturned,
        ),
        Mistake(
            "Only the queries know where they stand. The keys are still "
            "turned as if each were at position 0.",
            _only_queries,
        ),
        Mistake(
            "Only the keys know where they stand. The queries are still "
            "turned as if each were at position 0.",
            _only_keys,
        ),
        Mistake(
            "The keys that you keep are turned again at every step. A key is "
            "turned once, when it comes, and then kept as it is.",
            _again_and_again,
        ),
        Mistake(
            "Row t has scores with keys that come after t. When row t is "
            "written they are not there yet: leave 0 in their places.",
            lambda q, k, rotary: rotary(q, k)[0] @ rotary(q, k)[1].mT,
        ),
        Mistake(
            "Where no key is yet the task leaves 0, the start of `scores`. "
            "-inf would come in when the softmax is taken.",
            lambda q, k, rotary: _full(q, k, rotary).masked_fill(
                torch.ones(len(q), len(q)).triu(1) > 0, -torch.inf
            ),
        ),
        Mistake(
            "Each query also meets its own key: keep the new key first, then "
            "take the scores.",
            lambda q, k, rotary: _full(q, k, rotary).tril(-1),
        ),
        Mistake(
            "The keys are turned twice: when they are kept and when they are "
            "used. Once is enough.",
            _again,
        ),
        other_shape(_full),
    ],
    praise="A turned key never changes again: that is why it can be kept.",
)
