"""Exercise 3 of chapter 8: one step of AdamW.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.tensors import close, show, tensor
from llm_utils.checks.watch import WrongForm

Three = tuple[Tensor, Tensor, Tensor]


def _step(
    w: Tensor, g: Tensor, m: Tensor, v: Tensor, t: int,
    lr: float, beta1: float, beta2: float, eps: float, decay: float,
    *,
    correct: str = "mv",
    late: int = 0,
    pull: str = "old",
    root: str = "v",
    guard: str = "outside",
    up: str = "m",
    share: bool = True,
    turned: bool = False,
    square: bool = True,
    gives: str = "wmv",
    sign: int = 1,
) -> Three:  # fmt: skip
    """The step, with its mistakes as knobs.

    correct: which averages are corrected, and how; late: steps that t lags
    behind; pull: what decays, and when; root, guard: what is under the root,
    where eps stands; up: what is divided; share, turned, square: how the
    averages take in the new gradient; gives: what is returned
    """
    if pull == "gradient":
        g = g + decay * w
    m0, v0 = (v, m) if gives == "swapped in" else (m, v)
    new, new2 = (1 - beta1, 1 - beta2) if share else (1.0, 1.0)
    old, old2 = (new, new2) if turned else (beta1, beta2)
    new, new2 = (beta1, beta2) if turned else (new, new2)
    m = old * m0 + new * g
    v = old2 * v0 + new2 * (g * g if square else g.abs())
    full1, full2 = 1 - beta1 ** (t - late), 1 - beta2 ** (t - late)
    if correct == "product":
        full1, full2 = 1 - beta1 * t, 1 - beta2 * t
    elif correct == "always first":
        full1, full2 = 1 - beta1, 1 - beta2
    else:
        full1 = full1 if "m" in correct else 1.0
        full2 = full2 if "v" in correct else 1.0
    a, b = m / full1, v / full2
    size = b if root == "none" else b.sqrt()
    size = size + eps if guard == "outside" else size
    size = (b + eps).sqrt() if guard == "inside" else size
    step = lr * (g if up == "g" else a) / size
    if pull == "old":
        w = w * (1 - lr * decay)
    if pull == "whole":
        w = w * (1 - decay)
    if pull == "growth":
        w = w * (1 + lr * decay)
    w = w - sign * step
    w = w * (1 - lr * decay) if pull == "new" else w
    return (w, a, b) if gives == "corrected" else (w, m, v)


def _three(x: Any) -> list[Tensor]:
    if isinstance(x, Tensor):
        raise WrongForm("one tensor; three are asked for: w, m and v")
    parts = sequence(x)
    if len(parts) != 3:
        raise WrongForm(f"{len(parts)} values; w, m and v are asked for")
    return [tensor(part) for part in parts]


def _show(x: Any) -> str:
    if isinstance(x, list):
        pairs = zip("wmv", x, strict=True)
        return ", ".join(f"{name} {show(part)}" for name, part in pairs)
    return show(x)


def _same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(map(close, a, b))


def _like(**knobs: Any) -> Callable[..., Three]:
    return partial(_step, **knobs)


def _exchanged(*args: Any) -> Three:
    w, m, v = _step(*args)
    return w, v, m


def _weight_last(*args: Any) -> Three:
    w, m, v = _step(*args)
    return m, v, w


def _betas(w: Tensor, g: Tensor, m: Tensor, v: Tensor, t: int, lr: float,
           beta1: float, beta2: float, *rest: float) -> Three:  # fmt: skip
    return _step(w, g, m, v, t, lr, beta2, beta1, *rest)


def _old_averages(w: Tensor, g: Tensor, m: Tensor, v: Tensor,
                  *rest: Any) -> Three:  # fmt: skip
    return _step(w, g, m, v, *rest)[0], m, v


def _one(x: float) -> Tensor:
    return torch.tensor([float(x)])


cases: list[tuple[Any, ...]] = [
    (_one(1), _one(2), _one(0), _one(0), 1, 0.1, 0.5, 0.75, 1e-8, 0.0),
    (_one(1), _one(2), _one(4), _one(9), 3, 0.1, 0.5, 0.75, 1e-8, 0.0),
    (_one(2), _one(2), _one(4), _one(9), 3, 0.1, 0.5, 0.75, 1e-8, 0.5),
    (_one(1), _one(0.1), _one(0), _one(0), 1, 0.1, 0.5, 0.75, 0.1, 0.0),
    (
        torch.tensor([[1.0, -2.0], [0.5, 0.0]]),
        torch.tensor([[-1.0, 0.5], [0.0, 3.0]]),
        torch.tensor([[0.5, 0.25], [0.125, -1.0]]),
        torch.tensor([[1.0, 0.5], [0.25, 2.0]]),
        5, 0.2, 0.9, 0.8, 1e-4, 0.25,
    ),
]  # fmt: skip

adamw = Exercise(
    name="adamw",
    asks="write adamw(w, g, m, v, t, lr, beta1, beta2, eps, decay), which "
    "returns the new w, m and v",
    reference=_step,
    cases=cases,
    form=_three,
    same=_same,
    show=_show,
    mistakes=[
        Mistake(
            "Neither average is corrected. Both begin at 0, so after t steps "
            "they lack a share beta ** t: divide by 1 - beta ** t.",
            _like(correct=""),
        ),
        Mistake(
            "m is not corrected. It begins at 0 as v does: divide it by "
            "1 - beta1 ** t.",
            _like(correct="v"),
        ),
        Mistake(
            "v is not corrected. It begins at 0 as m does: divide it by "
            "1 - beta2 ** t, before the root.",
            _like(correct="m"),
        ),
        Mistake(
            "You correct by 1 - beta * t. The share of the zero shrinks by "
            "beta in each step, so after t of them it is beta ** t.",
            _like(correct="product"),
        ),
        Mistake(
            "You correct by 1 - beta in every step, as if it were always the "
            "first. After t steps the zero's share is beta ** t.",
            _like(correct="always first"),
        ),
        Mistake(
            "You correct as in the step after this one. t is 1 in the first "
            "step, and this step is counted.",
            _like(late=-1),
        ),
        Mistake(
            "You return the corrected averages. The correction is for this "
            "step only; the next one goes on from m and v as they were "
            "before it.",
            _like(gives="corrected"),
        ),
        Mistake(
            "The decay goes into the gradient, and so into both averages, "
            "where it is divided by the gradient's size. That is Adam with "
            "L2; in AdamW it goes past them, straight to the weight.",
            _like(pull="gradient"),
        ),
        Mistake(
            "The new weight decays, the step included. It is the old one "
            "that is multiplied by 1 - lr * decay.",
            _like(pull="new"),
        ),
        Mistake(
            "The decay is not multiplied by the learning rate.",
            _like(pull="whole"),
        ),
        Mistake("Nothing decays.", _like(pull="never")),
        Mistake(
            "The weight grows instead of decaying: 1 - lr * decay.",
            _like(pull="growth"),
        ),
        Mistake(
            "eps stands under the root. Outside, it is the smallest number "
            "that is ever divided by; inside it would be its root, ten "
            "thousand times as large at 1e-8.",
            _like(guard="inside"),
        ),
        Mistake(
            "eps is missing. Where a gradient was always 0 the step would "
            "be 0 / 0.",
            _like(guard="none"),
        ),
        Mistake(
            "The root is missing. v is a mean of squares; its root has the "
            "unit of a gradient, which then cancels.",
            _like(root="none"),
        ),
        Mistake(
            "v averages the sizes of gradients. It should average their "
            "squares: g * g.",
            _like(square=False),
        ),
        Mistake(
            "You divide the gradient itself. The step goes along its running "
            "mean, m.",
            _like(up="g"),
        ),
        Mistake(
            "The new gradient comes in whole. A mean gives it the share that "
            "it takes from the old: beta * m + (1 - beta) * g.",
            _like(share=False),
        ),
        Mistake(
            "The shares are exchanged. Most of an average is old: "
            "beta * m + (1 - beta) * g.",
            _like(turned=True),
        ),
        Mistake(
            "The betas are exchanged. beta1 belongs to m, beta2 to v.", _betas
        ),
        Mistake(
            "The step goes uphill. The gradient points to where the loss "
            "grows: subtract.",
            _like(sign=-1),
        ),
        Mistake("m and v come back in each other's place.", _exchanged),
        Mistake(
            "The three are right, in another order: w comes first, then m "
            "and v.",
            _weight_last,
        ),
        Mistake(
            "The new weight is right, but the averages that come back are "
            "the old ones. The next step needs the new.",
            _old_averages,
        ),
    ],
    praise="Ten lines, and every large model of these years was trained with "
    "them or with a near relative.",
)
