"""Exercise 3 of chapter 12: windows that overlap, each token scored once.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm

Span = tuple[int, int, int]


def _spans(
    n: int,
    T: int,
    stride: int,
    step: str = "stride",
    first: str = "done",
    run_on: bool = False,
    start: int = 1,
) -> list[Span]:
    """The spans, with the mistakes as knobs."""
    found: list[Span] = []
    done = start
    for begin in range(0, n - 1, stride if step == "stride" else T):
        end = min(begin + T, n - 1)
        at = {"done": done, "window": begin + 1, "tail": end - stride + 1}
        found.append((begin, end, at[first] if found else start))
        done = end + 1
        if done == n and not run_on:
            break
    return found


def _form(x: Any) -> list[Span]:
    found = []
    for span in sequence(x):
        values = sequence(span)
        if len(values) != 3:
            raise WrongForm(f"a list with {span!a}; a span has three numbers")
        found.append((int(values[0]), int(values[1]), int(values[2])))
    return found


spans = Exercise(
    name="spans",
    asks="write spans(n, T, stride), which returns a list of (begin, end, "
    "first)",
    reference=_spans,
    cases=[
        (5, 4, 4),
        (9, 4, 4),
        (9, 4, 2),
        (10, 4, 3),
        (11, 4, 3),
        (20, 8, 3),
        (3, 8, 2),
    ],
    form=_form,
    mistakes=[
        Mistake(
            "The windows do not overlap: one begins where the last one "
            "ended. They should begin `stride` apart.",
            partial(_spans, step="T"),
        ),
        Mistake(
            "Tokens in the overlap are scored twice. A window scores only "
            "what the one before it did not reach.",
            partial(_spans, first="window"),
        ),
        Mistake(
            "The last window is shorter than the others, and still you let "
            "it score `stride` tokens: some of them were scored before.",
            partial(_spans, first="tail"),
        ),
        Mistake(
            "You go on after the last token has been scored. The windows "
            "behind it have nothing left to do.",
            partial(_spans, run_on=True),
        ),
        Mistake(
            "You score token 0. Nothing stands before it, so nothing can "
            "predict it.",
            partial(_spans, start=0),
        ),
    ],
    praise="Each token but the first is scored once, and all but those of "
    "the first window have more than T - stride tokens of the past.",
)
