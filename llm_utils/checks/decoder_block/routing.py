"""Exercise 9 of chapter 5: which experts, and how much of each.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor
from llm_utils.model.moe import route

# -- expert_weights(logits, top_k) -> (N, E), 0 where not chosen


def _spread(logits: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
    return torch.zeros_like(logits).scatter(-1, chosen, weights)


def _weights(logits: Tensor, top_k: int) -> Tensor:
    routing = route(logits, top_k)
    return _spread(logits, routing.chosen, routing.weights)


def _kept(logits: Tensor, top_k: int) -> Tensor:
    """(N, E): the probabilities of the chosen ones, as they are."""
    top, chosen = logits.softmax(-1).topk(top_k, -1)
    return _spread(logits, chosen, top)


def _zeros_in(logits: Tensor, top_k: int) -> Tensor:
    top, chosen = logits.topk(top_k, -1)
    return _spread(logits, chosen, top).softmax(-1)


def _softmax_twice(logits: Tensor, top_k: int) -> Tensor:
    top, chosen = logits.softmax(-1).topk(top_k, -1)
    return _spread(logits, chosen, top.softmax(-1))


def _by_logit(logits: Tensor, top_k: int) -> Tensor:
    top, chosen = logits.topk(top_k, -1)
    return _spread(logits, chosen, top / top.sum(-1, keepdim=True))


def _equal(logits: Tensor, top_k: int) -> Tensor:
    chosen = logits.topk(top_k, -1).indices
    return _spread(logits, chosen, torch.full(chosen.shape, 1 / top_k))


def _masked(logits: Tensor, top_k: int) -> Tensor:
    """The scores of the chosen ones, -inf for all others."""
    last = logits.topk(top_k, -1).values[:, -1:]
    return logits.masked_fill(logits < last, -torch.inf)


def _lowest(logits: Tensor, top_k: int) -> Tensor:
    probs = logits.softmax(-1)
    top, chosen = probs.topk(top_k, -1, largest=False)
    return _spread(logits, chosen, top / top.sum(-1, keepdim=True))


def _over_tokens(logits: Tensor, top_k: int) -> Tensor:
    top, chosen = logits.softmax(0).topk(top_k, -1)
    return _spread(logits, chosen, top / top.sum(-1, keepdim=True))


def _packed(logits: Tensor, top_k: int) -> Tensor:
    return route(logits, top_k).weights


ONE = torch.tensor([[1.0, 3.0, 2.0], [2.0, 0.0, 1.5]])
FOUR = torch.tensor(
    [[2.0, 1.0, 0.0, -1.0], [0.0, 3.0, -1.0, 2.0], [1.0, -2.0, 2.5, 0.5]]
)

expert_weights = Exercise(
    name="expert_weights",
    asks="write expert_weights(logits, top_k): (N, E) -> (N, E)",
    reference=_weights,
    cases=[
        (ONE, 2),
        (ONE, 3),
        (FOUR, 2),
        (FOUR, 3),
        (torch.arange(30.0).mul(3).sin().view(5, 6), 2),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "Your rows do not sum to 1: the share of the experts that were "
            "not chosen is lost. Divide each row by its sum.",
            _kept,
        ),
        Mistake(
            "You put 0 where an expert is not chosen, and then take the "
            "softmax. But exp(0) is 1, so all of them get a share: put -inf.",
            _zeros_in,
        ),
        Mistake(
            "Your softmax comes twice, once over all experts and once over "
            "the chosen ones. The second makes the weights almost equal: "
            "divide by the sum instead.",
            _softmax_twice,
        ),
        Mistake(
            "You divide scores by their sum. Scores can be negative: they "
            "become weights through a softmax.",
            _by_logit,
        ),
        Mistake(
            "The chosen experts all count the same. Their weights come from "
            "the softmax; without them the router would get no gradient.",
            _equal,
        ),
        Mistake(
            "One expert too few has a weight: the last of the top_k is "
            "chosen, too (>= and not >).",
            lambda logits, top_k: (
                _weights(logits, max(top_k - 1, 1))
                if top_k > 2
                else F.one_hot(logits.argmax(-1), logits.shape[-1]).double()
            ),
        ),
        Mistake(
            "You divide by one sum for all tokens. Each row has its own: "
            "dim=-1, keepdim=True.",
            lambda logits, top_k: (
                _kept(logits, top_k) / _kept(logits, top_k).sum()
            ),
        ),
        Mistake(
            "The best expert gets all, whatever top_k is.",
            lambda logits, top_k: F.one_hot(
                logits.argmax(-1), logits.shape[-1]
            ),
        ),
        Mistake(
            "Your weights sum to top_k: every chosen one is 1. They come "
            "from the softmax.",
            lambda logits, top_k: top_k * _equal(logits, top_k),
        ),
        Mistake(
            "Your softmax runs over the tokens. Each token divides its "
            "attention among the experts: dim=-1.",
            lambda logits, top_k: _masked(logits, top_k).softmax(0),
        ),
        Mistake("You choose the experts with the lowest scores.", _lowest),
        Mistake(
            "Your softmax runs over the tokens. Each token divides its "
            "attention among the experts: dim=-1.",
            _over_tokens,
        ),
        Mistake(
            "All experts get a weight: that is the softmax without the choice.",
            lambda logits, top_k: logits.softmax(-1),
        ),
        Mistake(
            "Your columns are choices, the best first. Asked for is a column "
            "for each expert, with 0 where it was not chosen.",
            _packed,
        ),
        other_shape(_weights),
    ],
    praise="Softmax and then choose, or choose and then softmax: once the "
    "rows sum to 1, it is the same.",
)
