"""Exercise 8 of chapter 6: a continuation, token by token.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.tensors import show

Model = Callable[[Tensor], Tensor]
V, LONGEST = 7, 4


def counter(ids: Tensor) -> Tensor:
    """A model whose next token depends on all that it sees, and its place."""
    if ids.dim() != 2 or ids.is_floating_point():
        raise ValueError(f"ids of shape {tuple(ids.shape)}: give (B, T)")
    if ids.shape[1] > LONGEST:
        raise ValueError(f"{ids.shape[1]} tokens > max_len={LONGEST}")
    weight = torch.arange(1, ids.shape[1] + 1)
    following = ((ids * weight).cumsum(1) + weight) % V
    return torch.nn.functional.one_hot(following, V).double() - 1


def _write(
    model: Model,
    ids: Sequence[int],
    n: int,
    max_len: int,
    end: int,
    crop: str = "last",
    read: int = -1,
    feed: bool = True,
    keep: bool = False,
    stop: bool = True,
) -> list[int]:
    """Greedy writing with its mistakes as knobs."""
    seen = list(ids)
    new: list[int] = []
    for _ in range(n):
        crops = {"first": seen[:max_len], "none": seen, "one": seen[-1:]}
        x = torch.tensor([crops.get(crop, seen[-max_len:])])
        best = int(model(x)[0, read].argmax())
        if stop and best == end:
            return [*new, end] if keep else new
        new.append(best)
        if feed:
            seen.append(best)
    return new


continuation = Exercise(
    name="continuation",
    asks="write continuation(model, ids, n, max_len, end), a list of new ids",
    reference=_write,
    cases=[
        (counter, [1], 1, LONGEST, 0),
        (counter, [3, 1], 2, LONGEST, 0),
        (counter, [2, 5, 1, 1], 3, LONGEST, 4),
        (counter, [2, 5, 1, 1, 3, 6], 4, LONGEST, 0),
        (counter, [1, 2, 3], 9, LONGEST, 6),
        (counter, [6, 6], 9, LONGEST, 5),
        (counter, [3, 1], 0, LONGEST, 0),
    ],
    form=sequence,
    show=lambda x: show(x) if callable(x) else ascii(x),
    mistakes=[
        Mistake(
            "You hand the model more tokens than it can take. Crop to the "
            "last max_len: ids[-max_len:].",
            partial(_write, crop="none"),
        ),
        Mistake(
            "You keep the first max_len tokens, so once the text is long the "
            "model never sees its end. Crop to the last ones.",
            partial(_write, crop="first"),
        ),
        Mistake(
            "You hand over only the newest token. This model has no memory "
            "between calls: it needs the text so far.",
            partial(_write, crop="one"),
        ),
        Mistake(
            "You read the logits of the first position. The token after the "
            "text is scored at the last one: logits[0, -1].",
            partial(_write, read=0),
        ),
        Mistake(
            "The same token comes every time: what was written does not go "
            "back in. Append it to the text before the next call.",
            partial(_write, feed=False),
        ),
        Mistake(
            "The text is right, and you return the prompt as well. Return "
            "what is new.",
            lambda model, ids, n, max_len, end: [
                *ids,
                *_write(model, ids, n, max_len, end),
            ],
        ),
        Mistake(
            "You keep the end token. It says that the text is over and is "
            "not part of it.",
            partial(_write, keep=True),
        ),
        Mistake(
            "You write on after the end token. When the most likely token is "
            "`end`, stop.",
            partial(_write, stop=False),
        ),
        Mistake(
            "You write one token too many.",
            lambda model, ids, n, max_len, end: _write(
                model, ids, n + 1, max_len, end
            ),
        ),
    ],
    praise="Each new token costs a pass over the whole text; chapter 11 "
    "remembers what it can.",
)
