"""Exercise 4 of chapter 14: the vector at the last token of each text.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, other_shape, show, tensor


def _last(stream: Tensor, lengths: Tensor) -> Tensor:
    return stream[torch.arange(len(stream)), lengths - 1]


def _off(stream: Tensor, lengths: Tensor) -> Tensor:
    at = lengths.clamp(max=stream.shape[1] - 1)
    return stream[torch.arange(len(stream)), at]


def _mean(stream: Tensor, lengths: Tensor) -> Tensor:
    """Of the real tokens."""
    real = torch.arange(stream.shape[1]) < lengths[:, None]
    return (stream * real[..., None]).sum(1) / lengths[:, None]


def _case(B: int, T: int, C: int, *lengths: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(B * T + C)
    stream = torch.randint(-9, 10, (B, T, C), generator=rng).float()
    return stream, torch.tensor(lengths)


last_states = Exercise(
    name="last_states",
    asks="write last_states(stream, lengths): (B, T, C), (B,) -> (B, C)",
    reference=_last,
    cases=[
        _case(1, 3, 2, 2),
        _case(2, 4, 3, 4, 2),
        _case(3, 5, 4, 1, 5, 3),
        _case(4, 6, 4, 6, 1, 2, 5),
    ],
    form=tensor,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "You take the last place of the batch. A shorter text has ended "
            "before it, and there stands padding.",
            lambda stream, lengths: stream[:, -1],
        ),
        Mistake(
            "One place too far: a text of n tokens has its last one at place "
            "n - 1.",
            _off,
        ),
        Mistake(
            "You take the first token. In a causal model it has seen nothing "
            "but itself.",
            lambda stream, lengths: stream[:, 0],
        ),
        Mistake(
            "That is the mean over all tokens of a text; the last one is "
            "asked for.",
            _mean,
        ),
        Mistake(
            "That is the mean over all places, padding included; the vector "
            "at the last token is asked for.",
            lambda stream, lengths: stream.mean(1),
        ),
        other_shape(_last),
    ],
    praise="With this and one matrix you have a classifier.",
)
