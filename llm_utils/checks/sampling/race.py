"""Exercises 4 and 7 of chapter 10: clocks that ring, and a penalty."""

from __future__ import annotations

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.checks.tensors import show


def _race(logits: Tensor, u: Tensor) -> int:
    return int((logits - torch.log(-torch.log(u))).argmax())


def _row(*numbers: float) -> Tensor:
    return torch.tensor(numbers)


race = Exercise(
    name="race",
    asks="write race(logits, u), the id of the winner",
    reference=_race,
    cases=[
        (_row(0.0, 0.0), _row(0.2, 0.9)),
        (_row(2.0, 0.0), _row(0.2, 0.6)),
        (_row(2.0, 0.0), _row(0.1, 0.9)),
        (_row(1.0, -0.5, 0.3), _row(0.02, 0.05, 0.5)),
        (_row(-1.0, 3.0, 0.0, 2.9), _row(0.97, 0.04, 0.9, 0.01)),
        (_row(4.0, 1.0, 0.0), _row(0.3, 0.98, 0.2)),
        (_row(3.0, 1.0, 2.0), _row(0.01, 0.05, 0.03)),
    ],
    form=number,
    show=show,
    mistakes=[
        Mistake(
            "You add log u, one logarithm too few. Gumbel's bonus is "
            "-log(-log u).",
            lambda z, u: int((z + u.log()).argmax()),
        ),
        Mistake(
            "The sign is turned: a long waiting time must be a disadvantage. "
            "The bonus is minus the logarithm of the waiting time -log u.",
            lambda z, u: int((z + torch.log(-torch.log(u))).argmax()),
        ),
        Mistake(
            "You add the bonus to probabilities. They differ by at most 1, "
            "so chance decides nearly alone: it belongs on the logits.",
            lambda z, u: int((z.softmax(-1) - (-u.log()).log()).argmax()),
        ),
        Mistake(
            "You add u itself. Uniform bonuses do not give softmax's "
            "probabilities: transform them first.",
            lambda z, u: int((z + u).argmax()),
        ),
        Mistake(
            "That is the greedy choice: the bonus has no effect.",
            lambda z, u: int(z.argmax()),
        ),
    ],
    praise="No softmax, no sum, and yet drawn by softmax's probabilities.",
)

explanation = choice(
    "B",
    {
        "A": "A can be tried: print the entropy of the stories. The penalty "
        "does not make the model sharper.",
        "C": "C cannot be it: the judge reads sentences, whatever their "
        "length, and the stories end by themselves as before.",
        "D": "D was ruled out by the cell: the same seed and the same model, "
        "and the share falls far beyond what chance would do.",
    },
    "What must be said again is what a penalty forbids first: names, places, "
    "things.",
)
