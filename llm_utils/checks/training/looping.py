"""Exercise 7 of chapter 8: a training loop with four bugs.

Each `Mistake` is a bug that is still there, or a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.training import loops


def _found(*names: str) -> Callable[[Any, Any], bool]:
    return lambda args, value: all(name in value for name in names)


def _show(x: Any) -> str:
    if isinstance(x, str):
        return x
    count = len(x)
    if x == ("other",):
        return "another one"
    if not count:
        return "as the sound loop gives it"
    return f"{count} bug{'s' * (count > 1)} in it"


fit = Exercise(
    name="fit",
    asks="repair fit(model, batches, held_out, opt, every)",
    reference=loops.loop,
    cases=[(trial,) for trial in loops.TRIALS],
    adapt=loops.trial_of,
    show=_show,
    mistakes=[
        Mistake(
            "All four bugs are still there. Take them one at a time: which "
            "line should run before backward(), and is missing?",
            when=_found(*loops.BUGS),
        ),
        Mistake(
            "The weights never move. Either step() is not called, or the "
            "gradient is wiped out before it, between backward() and step(). "
            "Set it to zero before backward().",
            when=_found("wiped"),
        ),
        Mistake(
            "Gradients add up from step to step: backward() adds to what is "
            "there, and nobody sets it to zero.",
            when=_found("zero"),
        ),
        Mistake(
            "The step is taken with a gradient that was not clipped, or "
            "clipped too late. It has to happen between backward() and "
            "step().",
            when=_found("clip"),
        ),
        Mistake(
            "After the first evaluation the model stays in evaluation mode "
            "and trains on without dropout. Who calls model.train()?",
            when=_found("mode"),
        ),
        Mistake(
            "The held-out loss is measured in training mode, with dropout. "
            "Call model.eval() before it and model.train() after it.",
            when=_found("no eval"),
        ),
        Mistake(
            "What you return still holds on to the graph of every step, and "
            "to all activations in it. Add up plain numbers: loss.item().",
            when=_found("graph"),
        ),
        Mistake(
            "The run does not come out as that of the sound loop, and none "
            "of the four bugs explains it. Is something changed that was "
            "right? The order is: zero_grad, forward, backward, clip, step.",
            when=_found("other"),
        ),
    ],
    praise="None of the four raised an error. Each had a symptom, and that "
    "is what one learns to read.",
)
