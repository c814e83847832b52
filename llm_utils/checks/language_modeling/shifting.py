"""Exercise 3 of chapter 2: the loss, each prediction with its own target.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show
from llm_utils.text.next_token import token_log_probs

EACH = slice(None)
FIRST, LAST = slice(1, None), slice(None, -1)  # all but the first, the last


def _log_probs(
    logits: Tensor, ids: Tensor, rows: slice = LAST, wants: slice = FIRST
) -> Tensor:
    """log p of the wanted ids, read from these rows of the logits."""
    return token_log_probs(logits[rows][None].double(), ids[wants][None])[0]


def _loss(logits: Tensor, ids: Tensor) -> float:
    return -_log_probs(logits, ids).mean().item()


def _unshifted(logits: Tensor, ids: Tensor) -> float:
    return -_log_probs(logits, ids, EACH, EACH).mean().item()


def _backwards(logits: Tensor, ids: Tensor) -> float:
    return -_log_probs(logits, ids, FIRST, LAST).mean().item()


def _twice(logits: Tensor, ids: Tensor) -> float:
    far, near = slice(None, -2), slice(2, None)
    return -_log_probs(logits, ids, far, near).mean().item()


def _wrong_axis(logits: Tensor, ids: Tensor, dim: int = 0) -> float:
    """The softmax runs over positions."""
    table = logits[:-1].double().log_softmax(dim)
    return -table.gather(-1, ids[1:, None]).mean().item()


def _no_softmax(logits: Tensor, ids: Tensor) -> float:
    return -logits[:-1].double().gather(-1, ids[1:, None]).mean().item()


def _likelihood(logits: Tensor, ids: Tensor) -> float:
    """The mean probability, with a minus: no logarithm."""
    return -_log_probs(logits, ids).exp().mean().item()


def _softmax_twice(logits: Tensor, ids: Tensor) -> float:
    """Probabilities handed over as if they were logits."""
    return _loss(logits.double().softmax(-1), ids)


def _first_row_off(logits: Tensor, ids: Tensor) -> float:
    return _unshifted(logits[1:], ids[1:])


def _wrapped(logits: Tensor, ids: Tensor) -> float:
    """The last position is asked for the first token."""
    wants = ids.roll(-1)
    return -_log_probs(logits, wants, EACH, EACH).mean().item()


def _case(seed: int, T: int, V: int, scale: float = 1.5) -> tuple[Any, ...]:
    rng = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(T, V, generator=rng)
    return logits, torch.randint(V, (T,), generator=rng)


loss = Exercise(
    name="loss",
    asks="repair loss(logits, ids), so that each position is asked for the "
    "token after it",
    reference=_loss,
    cases=[
        (
            torch.tensor([[2.0, 0, 0], [0, 0, 1], [0, 3, 0]]),
            torch.tensor([0, 2, 1]),
        ),
        _case(1, 4, 3),
        _case(2, 6, 5),
        _case(3, 9, 4),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-6),
    show=lambda x: f"{x:.4g}" if isinstance(x, float) else show(x),
    mistakes=[
        Mistake(
            "Position t is still asked for token t, which it has just read. "
            "It is to predict token t + 1: logits[:-1] belong to ids[1:].",
            _unshifted,
        ),
        Mistake(
            "Position t is still asked for token t, which it has just read, "
            "only with one position fewer. Shift one against the other: "
            "logits[:-1] belong to ids[1:].",
            lambda logits, ids: _unshifted(logits[:-1], ids[:-1]),
        ),
        Mistake(
            "Position t is still asked for token t: you cut the first place "
            "off both. Shift one against the other: logits[:-1] belong to "
            "ids[1:].",
            _first_row_off,
        ),
        Mistake(
            "You shift the wrong way: position t is asked for token t - 1, "
            "which lies in the past. logits[:-1] belong to ids[1:].",
            _backwards,
        ),
        Mistake(
            "You shift twice: position t is asked for token t + 2. That "
            "happens where data are shifted and the loss shifts again.",
            _twice,
        ),
        Mistake(
            "The last position is asked for the first token. roll brings it "
            "round; the last position has no target, so leave it out.",
            _wrapped,
        ),
        Mistake(
            "The shift is right, but your softmax runs over positions. The "
            "probabilities of all tokens at one position sum to 1: dim=-1.",
            _wrong_axis,
        ),
        Mistake(
            "The shift is right, but you read logits as if they were "
            "log-probabilities. Take log_softmax(-1) first.",
            _no_softmax,
        ),
        Mistake(
            "The shift is right, but you sum. The loss is the mean for each "
            "prediction.",
            lambda logits, ids: _loss(logits, ids) * (len(ids) - 1),
        ),
        Mistake(
            "The shift is right, but you divide by T. T tokens make T - 1 "
            "predictions.",
            lambda logits, ids: _loss(logits, ids) * (len(ids) - 1) / len(ids),
        ),
        Mistake(
            "The shift is right, but you average probabilities. The loss is "
            "the mean of their logarithms, with a minus: log_softmax(-1).",
            _likelihood,
        ),
        Mistake(
            "The shift is right, but you take the softmax twice. What takes "
            "logits, as cross_entropy does, makes the softmax itself.",
            _softmax_twice,
        ),
        Mistake(
            "That is in bits. In nats the logarithm is the natural one: do "
            "not divide by ln 2.",
            lambda logits, ids: _loss(logits, ids) / math.log(2),
        ),
        Mistake(
            "That is the perplexity. The loss is its logarithm, the mean "
            "itself.",
            lambda logits, ids: math.exp(_loss(logits, ids)),
        ),
        Mistake(
            "The sign is turned: a loss is minus the log-probability.",
            lambda logits, ids: -_loss(logits, ids),
        ),
        Mistake(
            "The shift is right, but you average probabilities and take the "
            "logarithm last. Take the logarithm of each, then the mean.",
            lambda logits, ids: (
                -_log_probs(logits, ids).exp().mean().log().item()
            ),
        ),
    ],
    praise="A loss below the entropy of the text is never good luck: look at "
    "the targets.",
)
