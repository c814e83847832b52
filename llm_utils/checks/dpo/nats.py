"""Exercise 4 of chapter 15: log p of an answer, with three lines wrong.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _nats(
    logits: Tensor,
    ids: Tensor,
    n_prompt: int,
    ahead: int = 1,
    first: int = 0,
    whole: bool = False,
    mean: bool = False,
    raw: bool = False,
    no_end: bool = False,
) -> float:
    """Sum of log p of the ids behind the prompt, mistakes as knobs."""
    logs = logits if raw else logits.log_softmax(-1)
    begin = 1 if whole else n_prompt + first
    end = len(ids) - no_end
    found = [float(logs[t - ahead, ids[t]]) for t in range(begin, end)]
    return sum(found) / len(found) if mean and found else sum(found)


def _case(T: int, V: int, n_prompt: int) -> tuple[object, ...]:
    rng = torch.Generator().manual_seed(31 * T + V)
    return (
        torch.randint(-3, 4, (T, V), generator=rng).double(),
        torch.randint(0, V, (T,), generator=rng),
        n_prompt,
    )


answer_nats = Exercise(
    name="answer_nats",
    asks="write answer_nats(logits, ids, n_prompt): broken_nats, with its "
    "three lines repaired",
    reference=_nats,
    cases=[_case(3, 4, 1), _case(4, 3, 2), _case(7, 6, 4), _case(9, 5, 3)],
    form=number,
    same=lambda a, b: abs(a - b) < 1e-5,
    show=lambda x: (
        f"<logits of {tuple(x.shape)}>"
        if isinstance(x, Tensor) and x.ndim == 2
        else str(x.tolist() if isinstance(x, Tensor) else x)
    ),
    mistakes=[
        Mistake(
            "All three lines are still as they were.",
            partial(_nats, ahead=0, whole=True, mean=True),
        ),
        Mistake(
            "The scores at place t predict the token at t + 1. So the first "
            "token of the answer is scored at the last place of the prompt.",
            partial(_nats, ahead=0),
        ),
        Mistake(
            "The prompt is counted as well. It is the same for both answers, "
            "but it is not the answer's: begin at n_prompt.",
            partial(_nats, whole=True),
        ),
        Mistake(
            "That is the mean for each token. DPO takes the whole answer: "
            "the sum.",
            partial(_nats, mean=True),
        ),
        Mistake(
            "The first token of the answer is missing. It stands at n_prompt.",
            partial(_nats, first=1),
        ),
        Mistake(
            "The last token is missing, which ends the answer. To end is a "
            "choice of the model, too.",
            partial(_nats, no_end=True),
        ),
        Mistake(
            "Scores are no log-probabilities: take log_softmax first.",
            partial(_nats, raw=True),
        ),
        Mistake(
            "The prompt is counted, and the mean is taken: two lines are left.",
            partial(_nats, whole=True, mean=True),
        ),
    ],
    praise="Shift, mask, sum: each of them has been forgotten in a published "
    "program.",
)
