"""Exercise 6 of chapter 8: a large batch in parts of unequal size.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import close, show, tensor

Part = tuple[Tensor, Tensor]
PAD = -100


class Recorder(nn.Module):
    """A bigram model that keeps the order of what happens to it."""

    def __init__(self) -> None:
        super().__init__()
        start = torch.linspace(-1, 1, 9, dtype=torch.float64).view(3, 3)
        self.table = nn.Parameter(start.sin())
        self.events: list[str] = []

    def forward(self, x: Tensor) -> Tensor:
        logits = F.embedding(x, self.table)
        self.events.append(f"forward {len(x)}")
        if logits.requires_grad:
            logits.register_hook(lambda grad: self.events.append("backward"))
        return logits


def _part(*rows: tuple[list[int], list[int]]) -> Part:
    return (
        torch.tensor([x for x, _ in rows]),
        torch.tensor([y for _, y in rows]),
    )


FULL = _part(([0, 1, 2], [1, 2, 0]), ([2, 2, 1], [2, 1, 1]))
OTHER = _part(([1, 1, 0], [0, 2, 2]), ([0, 2, 0], [0, 0, 1]))
SHORT = _part(([2, 0, 0], [1, PAD, PAD]))
EMPTY = _part(([1, 2, 0], [PAD, PAD, PAD]))
TRIALS = {
    "the gradient of one batch": [FULL],
    "the gradient of two equal batches": [FULL, OTHER],
    "the gradient of a full batch and a short one": [FULL, SHORT],
    "the gradient when one batch has no targets": [EMPTY, FULL],
    "the loss of a full batch and a short one": [FULL, SHORT],
    "the loss when one batch has no targets": [EMPTY, FULL],
    "what the model went through": [FULL, OTHER],
    "the weights, which stay as they are": [FULL],
}


def _nats(model: nn.Module, part: Part) -> Tensor:
    x, y = part
    return F.cross_entropy(
        model(x).flatten(0, 1), y.flatten(), reduction="sum", ignore_index=PAD
    )


def _count(part: Part) -> int:
    return int((part[1] != PAD).sum())


def _accumulate(
    model: nn.Module,
    parts: list[Part],
    *,
    each: Callable[[list[Part], Part], Any] = lambda parts, part: sum(
        map(_count, parts)
    ),
    clear: bool = False,
    said: str = "mean",
    sign: int = 1,
) -> float:
    """The right way; each: what a part's sum is divided by."""
    total = 0.0
    for part in parts:
        if clear:
            model.zero_grad()
        loss = sign * _nats(model, part) / each(parts, part)
        loss.backward()
        total = total * (said != "last") + loss.item()
    total = total / len(parts) if said == "halved" else total
    return total * (sum(map(_count, parts)) if said == "sum" else 1)


def _mean_of_means(model: nn.Module, parts: list[Part]) -> float:
    total = 0.0
    for part in parts:
        loss = _nats(model, part) / torch.tensor(_count(part)) / len(parts)
        loss.backward()
        total += loss.item()
    return total


def _weighted(model: nn.Module, parts: list[Part]) -> float:
    """Right, but for a mean over no targets, 0 / 0 times 0."""
    total, n = 0.0, sum(map(_count, parts))
    for part in parts:
        mean = _nats(model, part) / torch.tensor(_count(part))
        loss = mean * _count(part) / n
        loss.backward()
        total += loss.item()
    return total


def _at_once(model: nn.Module, parts: list[Part]) -> float:
    whole = torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])
    return _accumulate(model, [whole])


def _late(model: nn.Module, parts: list[Part]) -> float:
    loss: Any = sum(_nats(model, p) for p in parts)
    loss = loss / sum(map(_count, parts))
    loss.backward()
    return float(loss.item())


def _forgot(model: nn.Module, parts: list[Part]) -> float:
    n = sum(map(_count, parts))
    return sum(_nats(model, p).item() for p in parts) / n


def _step(model: nn.Module, parts: list[Part]) -> float:
    loss = _accumulate(model, parts)
    torch.optim.SGD(model.parameters(), 0.1).step()
    return loss


def trial_of(function: Callable[..., Any]) -> Callable[[str], Any]:
    """What the function does, by the name of a trial."""

    def run(trial: str) -> Any:
        model = Recorder()
        parts = [(x.clone(), y.clone()) for x, y in TRIALS[trial]]
        said = function(model, parts)
        if "loss" in trial:
            return number(said.detach() if isinstance(said, Tensor) else said)
        if trial.startswith("what"):
            return ", ".join(model.events)
        if "weights" in trial:
            return model.table.detach()
        if model.table.grad is None:
            return "no gradient at all"
        return model.table.grad

    return run


def _read(x: Any) -> Any:
    return tensor(x) if isinstance(x, (Tensor, float)) else x


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return close(a, b)
    return bool(type(a) is type(b) and a == b)


accumulate = Exercise(
    name="accumulate",
    asks="write accumulate(model, parts), which leaves the gradient in the "
    "model and returns the loss",
    reference=_accumulate,
    cases=[(trial,) for trial in TRIALS],
    form=_read,
    same=_same,
    adapt=trial_of,
    show=lambda x: x if isinstance(x, str) else show(x),
    mistakes=[
        Mistake(
            "You take the mean of the parts' means. A target in a short part "
            "then counts more than one in a full part: divide each sum by "
            "the number of targets in all parts.",
            _mean_of_means,
        ),
        Mistake(
            "Each part is divided by its own number of targets, so that the "
            "gradients of means add up: with two parts the step is twice as "
            "long, and without any target you have 0 / 0. Divide each sum by "
            "the number of targets in all parts.",
            partial(
                _accumulate,
                each=lambda parts, part: torch.tensor(_count(part)),
            ),
        ),
        Mistake(
            "Nothing is divided: that is the gradient of the sum, not of the "
            "mean over all targets.",
            partial(_accumulate, each=lambda parts, p: 1),
        ),
        Mistake(
            "You divide by all places, also by those that have no target "
            "(-100). Count where y != -100.",
            partial(
                _accumulate,
                each=lambda parts, p: sum(y.numel() for _, y in parts),
            ),
        ),
        Mistake(
            "You take the mean over all places of a part, also those that "
            "have no target (-100), and then the mean of these. Divide each "
            "sum by the number of targets in all parts.",
            partial(
                _accumulate,
                each=lambda parts, part: part[1].numel() * len(parts),
            ),
        ),
        Mistake(
            "You divide by the number of rows. Each row has several targets, "
            "and not all rows have as many: count where y != -100.",
            partial(
                _accumulate,
                each=lambda parts, part: sum(len(y) for _, y in parts),
            ),
        ),
        Mistake(
            "The sign is wrong. Log-probabilities are below 0, and the loss "
            "is what they lack: take minus their sum.",
            partial(_accumulate, sign=-1),
        ),
        Mistake(
            "Sums are divided by the number of parts. Divide by the number "
            "of targets in all of them.",
            partial(_accumulate, each=lambda parts, p: len(parts)),
        ),
        Mistake(
            "The gradient is set to zero before each part, so only the last "
            "one is left. backward() adds to what is there: that is what "
            "does the accumulating.",
            partial(_accumulate, clear=True),
        ),
        Mistake(
            "A part without any target has a mean of 0 / 0, and nan times 0 "
            "is nan. Take its sum, which is 0, and divide that.",
            _weighted,
        ),
        Mistake(
            "All parts go through the model at once. The gradient is right, "
            "and the memory is that of the large batch: one part at a time.",
            _at_once,
        ),
        Mistake(
            "The gradient is right, but backward() comes at the end, when "
            "the activations of all parts are in memory together. Call it "
            "for each part: that frees them.",
            _late,
        ),
        Mistake(
            "No gradient was computed: where is backward()?",
            _forgot,
        ),
        Mistake(
            "The gradient is right, but the weights have moved. The step is "
            "the optimizer's, when all parts are through.",
            _step,
        ),
        Mistake(
            "The gradient is right. The loss that you return is that of the "
            "last part: add up what the parts contribute.",
            partial(_accumulate, said="last"),
        ),
        Mistake(
            "The gradient is right. The loss that you return is a sum: "
            "divide it by the number of targets, as well.",
            partial(_accumulate, said="sum"),
        ),
        Mistake(
            "The gradient is right. The loss that you return is divided by "
            "the number of parts once more.",
            partial(_accumulate, said="halved"),
        ),
    ],
    praise="The step is that of the large batch, and the memory that of a "
    "small one.",
)
