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
    if not torch.is_tensor(ids):
        raise TypeError(f"a {type(ids).__name__}: give a tensor (1, T)")
    if ids.dim() != 2 or ids.is_floating_point():
        raise TypeError(
            f"ids of shape {tuple(ids.shape)}: give a batch of one text, (1, T)"
        )
    if ids.shape[1] > LONGEST:
        raise ValueError(f"{ids.shape[1]} tokens > max_len={LONGEST}")
    weight = torch.arange(1, ids.shape[1] + 1)
    following = ((ids * weight).cumsum(1) + weight) % V
    return torch.nn.functional.one_hot(following, V) * weight[:, None] - 1.0


def _write(
    model: Model,
    ids: Sequence[int],
    n: int,
    max_len: int,
    end: int,
    crop: str = "last",
    read: int | None = -1,
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
        scores = model(x)[0]
        best = int((scores if read is None else scores[read]).argmax())
        if stop and best == end:
            return [*new, end] if keep else new
        new.append(best)
        if feed:
            seen.append(best)
    return new


def _left_out(
    model: Model, ids: Sequence[int], n: int, max_len: int, end: int
) -> list[int]:
    new = _write(model, ids, n, max_len, end, stop=False)
    return [i for i in new if i != end]


def _last_n(
    model: Model, ids: Sequence[int], n: int, max_len: int, end: int
) -> list[int]:
    seen = [*ids, *_write(model, ids, n, max_len, end)]
    return seen[-n:]


def _at_once(
    model: Model, ids: Sequence[int], n: int, max_len: int, end: int
) -> list[int]:
    x = torch.tensor([ids[-max_len:]])
    return [int(i) for i in model(x)[0].argmax(-1)[-n:]]


def _shrinking(
    model: Model, ids: Sequence[int], n: int, max_len: int, end: int
) -> list[int]:
    """The text itself is cropped, so that its beginning moves."""
    seen = list(ids)
    for _ in range(n):
        seen = seen[-max_len:]
        best = int(model(torch.tensor([seen]))[0, -1].argmax())
        if best == end:
            break
        seen.append(best)
    return seen[len(ids) :]


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
            "You take the best of all positions at once, so its number "
            "counts through them. Only the last row is about the next "
            "token: logits[0, -1].argmax().",
            partial(_write, read=None),
        ),
        Mistake(
            "One pass gives one new token. The other rows are about tokens "
            "that the text already has.",
            _at_once,
        ),
        Mistake(
            "You stop when the text has max_len tokens. It may grow longer: "
            "only what the model reads is cropped.",
            lambda model, ids, n, max_len, end: _write(
                model, ids, max(0, min(n, max_len - len(ids))), max_len, end
            ),
        ),
        Mistake(
            "You crop the text itself, so that it no longer tells where the "
            "prompt ended. Crop a copy for the model, and keep the new ids "
            "in a list of their own.",
            _shrinking,
        ),
        Mistake(
            "You return the last n ids. If the end comes early, some of them "
            "are of the prompt.",
            _last_n,
        ),
        Mistake(
            "You leave the end token out and write on. It ends the text: "
            "stop there.",
            _left_out,
        ),
        Mistake(
            "You write one token too few.",
            lambda model, ids, n, max_len, end: _write(
                model, ids, n - 1, max_len, end
            ),
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
