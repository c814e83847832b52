"""Exercise 10 of chapter 8: a snapshot from which a run goes on to the bit.

Each `Mistake` is something that is missing, or that goes on changing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.training.runs import PARTS, Run, restore
from llm_utils.checks.watch import WrongForm

Snapshot = Callable[[Run], dict[str, Any]]


def _snapshot(run: Run) -> dict[str, Any]:
    saved = {
        "model": run.model.state_dict(),
        "opt": run.opt.state_dict(),
        "order": run.order.get_state(),
        "noise": run.noise.get_state(),
        "step": run.step,
    }
    return copy.deepcopy(saved)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.equal(b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_equal, a, b))
    return bool(a == b)


def trial_of(snapshot: Snapshot) -> Callable[[str], tuple[str, ...]]:
    """What is wrong with the parts of a snapshot: "no opt", "live model"."""

    Run().advance(1)  # torch loads parts of itself, which takes many lines

    def run(trial: str) -> tuple[str, ...]:
        old, now, later = Run(), Run(), Run()
        old.advance(int(trial.split()[2]))
        truth = _snapshot(old)
        saved = snapshot(old)
        if not isinstance(saved, dict):
            kind = type(saved).__name__
            raise WrongForm(f"a {kind}; a dictionary of five is asked for")
        if not _equal(_snapshot(old), truth):
            return ("the run itself",)
        restore(now, saved)
        old.advance(3)
        restore(later, saved)
        found = []
        states = _snapshot(now), _snapshot(later)
        for part in PARTS:
            if part not in saved:
                found.append(f"no {part}")
            elif not _equal(states[0][part], truth[part]):
                found.append(f"wrong {part}")
            elif not _equal(states[1][part], truth[part]):
                found.append(f"live {part}")
        return tuple(found)

    return run


def _found(*names: str) -> Callable[[Any, Any], bool]:
    return lambda args, value: all(name in value for name in names)


def _wrong(args: Any, value: tuple[str, ...]) -> bool:
    return any(name.startswith("wrong") for name in value)


def _show(x: Any) -> str:
    if isinstance(x, str):
        return x
    bad = [name.rpartition(" ")[2] for name in x]
    return f"not as it was: {', '.join(bad)}" if bad else "as it was"


snapshot = Exercise(
    name="snapshot",
    asks="repair snapshot(run), which returns a dictionary",
    reference=_snapshot,
    cases=[("saved after 1 step",), ("saved after 3 steps",)],
    adapt=trial_of,
    show=_show,
    mistakes=[
        Mistake(
            "The run itself has changed: a snapshot only looks. Did it take "
            "a step, or draw a number?",
            when=_found("the run itself"),
        ),
        Mistake(
            "Two generators are missing: `order`, which says what data come "
            "next, and `noise`, which says what dropout drops. "
            "generator.get_state() gives a tensor to save.",
            when=_found("no order", "no noise"),
        ),
        Mistake(
            "The weights are missing, run.model.state_dict().",
            when=_found("no model"),
        ),
        Mistake(
            "The optimizer is missing. Without its averages the next steps "
            "are those of a fresh AdamW, which knows signs only.",
            when=_found("no opt"),
        ),
        Mistake(
            "The generator `order` is missing: a run that goes on would be "
            "given the data of its first steps again.",
            when=_found("no order"),
        ),
        Mistake(
            "The generator `noise` is missing: dropout would drop other "
            "numbers than in the run that was not interrupted.",
            when=_found("no noise"),
        ),
        Mistake(
            "The step is missing: the schedule would begin with its warm-up "
            "again.",
            when=_found("no step"),
        ),
        Mistake(
            "A part is not what restore() expects. state_dict() for model "
            "and optimizer, get_state() for the generators, a number for the "
            "step.",
            when=_wrong,
        ),
        Mistake(
            "Weights and averages in your snapshot go on changing while the "
            "run goes on. A state dict does not copy, it points to the "
            "tensors that the optimizer works on: copy them.",
            when=_found("live model", "live opt"),
        ),
        Mistake(
            "The weights in your snapshot go on changing while the run goes "
            "on: state_dict() points to them and does not copy.",
            when=_found("live model"),
        ),
        Mistake(
            "The optimizer's averages in your snapshot go on changing while "
            "the run goes on. dict(...) and .copy() copy the outer box only; "
            "copy.deepcopy goes to the bottom.",
            when=_found("live opt"),
        ),
        Mistake(
            "A generator in your snapshot goes on drawing while the run goes "
            "on: save what get_state() returns.",
            when=lambda args, value: bool(value),
        ),
    ],
    praise="Weights, averages, data, dropout, step: what changes from one "
    "step to the next is what has to be saved.",
)
