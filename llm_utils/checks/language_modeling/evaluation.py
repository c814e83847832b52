"""Exercise 8 of chapter 2: a long text scored in windows that overlap.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.checks.watch import WrongForm
from llm_utils.text.next_token import windows

Pair = tuple[Tensor, Tensor]
SKIP = -100


def _pair(x: Any) -> Pair:
    """Two tensors from a tuple, a list, or one tensor (2, N, T)."""
    if not isinstance(x, (tuple, list, Tensor)) or len(x) != 2:
        raise WrongForm(f"a {type(x).__name__}; two, x and y, are asked for")
    return tensor(x[0]), tensor(x[1])


def _cut(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = windows(ids, T, stride)
    return x.clone(), y.clone()


def _eval(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = _cut(ids, T, stride)
    y[1:, : T - stride] = SKIP
    return x, y


def _all_count(ids: Tensor, T: int, stride: int) -> Pair:
    return _cut(ids, T, stride)


def _first_too(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = _cut(ids, T, stride)
    y[:, : T - stride] = SKIP
    return x, y


def _wrong_end(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = _cut(ids, T, stride)
    y[1:, stride:] = SKIP
    return x, y


def _wrong_count(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = _cut(ids, T, stride)
    y[1:, :stride] = SKIP
    return x, y


def _off_by(more: int) -> Any:
    def shifted(ids: Tensor, T: int, stride: int) -> Pair:
        x, y = _cut(ids, T, stride)
        y[1:, : max(0, T - stride + more)] = SKIP
        return x, y

    return shifted


def _inputs_too(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = _eval(ids, T, stride)
    x[1:, : T - stride] = SKIP
    return x, y


def _no_shift(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = _cut(ids, T, stride)
    y = x.clone()
    y[1:, : T - stride] = SKIP
    return x, y


def _apart(ids: Tensor, T: int, stride: int) -> Pair:
    return _cut(ids, T, T)


def _not_marked(args: tuple[Any, ...], value: Pair) -> bool:
    """Right but for the number that marks what does not count."""
    x, y = _eval(*args)
    if value[0].shape != x.shape or value[1].shape != y.shape:
        return False
    there = y != SKIP
    return torch.equal(value[1][there], y[there].double())


def _dense(ids: Tensor, T: int, stride: int) -> Pair:
    x, y = _cut(ids, T, 1)
    y[1:, : T - stride] = SKIP
    return x, y


def _show(x: Any) -> str:
    both = isinstance(x, tuple) and all(isinstance(y, Tensor) for y in x)
    return ", ".join(show(y.long()) for y in x) if both else show(x)


eval_windows = Exercise(
    name="eval_windows",
    asks="write eval_windows(ids, T, stride), which returns x and y",
    reference=_eval,
    cases=[
        (torch.arange(10, 15), 4, 4),
        (torch.arange(10, 17), 4, 2),
        (torch.arange(10, 17), 4, 1),
        (torch.arange(20, 30), 4, 3),
        (torch.arange(40, 60), 6, 2),
        (torch.arange(3), 2, 1),
    ],
    form=_pair,
    same=lambda a, b: all(map(close, a, b)),
    show=_show,
    mistakes=[
        Mistake(
            "Tokens in the overlap are scored several times. In every window "
            "but the first, the first T - stride targets were scored by the "
            "window before: set them to -100.",
            _all_count,
        ),
        Mistake(
            "The first window has no window before it: its targets are all "
            "new, and without them the beginning of the text is never scored.",
            _first_too,
        ),
        Mistake(
            "You score the beginning of each window, where the model has "
            "seen the least. Score its end, the last `stride` targets.",
            _wrong_end,
        ),
        Mistake(
            "You skip `stride` targets of a window and score the rest. It is "
            "the other way round: `stride` of them are new.",
            _wrong_count,
        ),
        Mistake(
            "One target too many is skipped in each window, so no window "
            "scores that token at all.",
            _off_by(1),
        ),
        Mistake(
            "One target too few is skipped in each window, so a token is "
            "scored twice.",
            _off_by(-1),
        ),
        Mistake(
            "You put -100 into x as well. What is skipped is the score, not "
            "the sight: the model has to see the whole window.",
            _inputs_too,
        ),
        Mistake(
            "Your targets are the inputs. y holds the token after each one "
            "in x.",
            _no_shift,
        ),
        Mistake(
            "Your windows do not overlap. Window i begins at i * stride.",
            _apart,
        ),
        Mistake(
            "Your windows begin one token after another, whatever the "
            "stride. Window i begins at i * stride.",
            _dense,
        ),
        Mistake(
            "x and y have changed places: x, what is read, comes first.",
            lambda ids, T, stride: _eval(ids, T, stride)[::-1],
        ),
        Mistake(
            "The right targets count. Mark the others with -100: that is the "
            "number that next_token_loss leaves out, and any other would be "
            "read as a token.",
            when=_not_marked,
        ),
    ],
    praise="This is how the loss of long texts is reported: each token once, "
    "with most of a window behind it.",
)
