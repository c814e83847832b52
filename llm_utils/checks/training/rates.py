"""Exercise 4 of chapter 8: a learning rate that falls by a root.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _linear(done: float) -> float:
    return 1 - done


def _root(done: float) -> float:
    return 1 - math.sqrt(done)


def _root_of_rest(done: float) -> float:
    return math.sqrt(1 - done)


def _rate(
    step: int,
    peak: float,
    steps: int,
    warmup: int,
    decay: int,
    *,
    fall: Callable[[float], float] = _root,
    rise: tuple[int, int] = (1, 1),
    start: str = "last",
    rest: float = 0.0,
    scaled: bool = True,
    early: int = 0,
) -> float:
    """The schedule, with its mistakes as knobs.

    rise: what is added to the step and to warmup; start: where the fall
    begins; rest: what is left at the end
    """
    height = 1.0
    if step < warmup or (rise[0] == 0 and step <= warmup and warmup):
        height = (step + rise[0]) / (warmup + rise[1])
    begin = {"last": steps - decay, "warm": warmup, "zero": 0, "whole": decay}
    first = begin[start] - early
    length = steps - first if start != "last" else decay
    if step > first and step >= steps:
        height = rest
    elif step > max(first, warmup - 1) and length > 0:
        height *= rest + (1 - rest) * fall(min(1.0, (step - first) / length))
    return height * (peak if scaled else 1.0)


def _no_end(step: int, peak: float, steps: int, warmup: int,
            decay: int) -> float:  # fmt: skip
    """Goes on below zero after the end."""
    if step >= steps and decay:
        return peak * (1 - math.sqrt((step - steps + decay) / decay))
    return _rate(step, peak, steps, warmup, decay)


def _no_decay_no_check(step: int, peak: float, steps: int, warmup: int,
                       decay: int) -> float:  # fmt: skip
    """Divides by the length of the fall, also where there is none."""
    (step - steps + decay) / decay
    return _rate(step, peak, steps, warmup, decay)


def _no_warmup(step: int, peak: float, steps: int, warmup: int,
               decay: int) -> float:  # fmt: skip
    return _rate(step, peak, steps, 0, decay)


def _no_fall(step: int, peak: float, steps: int, warmup: int,
             decay: int) -> float:  # fmt: skip
    return _rate(min(step, steps - decay), peak, steps, warmup, decay)


def _show(x: object) -> str:
    return f"{x:.4g}" if isinstance(x, float) else str(x)


rate = Exercise(
    name="rate",
    asks="write rate(step, peak, steps, warmup, decay), a number",
    reference=_rate,
    cases=[
        (0, 1.0, 20, 4, 4),
        (3, 1.0, 20, 4, 4),
        (4, 1.0, 20, 4, 4),
        (10, 1.0, 20, 4, 4),
        (16, 1.0, 20, 4, 4),
        (17, 1.0, 20, 4, 4),
        (19, 0.5, 20, 4, 4),
        (20, 1.0, 20, 4, 4),
        (28, 1.0, 20, 4, 4),
        (0, 1.0, 20, 0, 4),
        (12, 1.0, 20, 4, 0),
        (5, 2.0, 10, 2, 8),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-7),
    show=_show,
    mistakes=[
        Mistake(
            "The fall is a straight line. Here it is 1 - sqrt(done), steep "
            "at first and then flatter.",
            partial(_rate, fall=_linear),
        ),
        Mistake(
            "You take sqrt(1 - done), which falls late. What is asked for "
            "is 1 - sqrt(done), which falls early.",
            partial(_rate, fall=_root_of_rest),
        ),
        Mistake(
            "You take 1 - done ** 2. The root is asked for: done ** 0.5.",
            partial(_rate, fall=lambda done: 1 - done**2),
        ),
        Mistake(
            "The fall is a cosine. Here it is 1 - sqrt(done).",
            partial(_rate, fall=lambda x: (1 + math.cos(math.pi * x)) / 2),
        ),
        Mistake(
            "Step 0 has a rate of 0: it computes a gradient and throws it "
            "away. Count the step that is being taken: (step + 1) / "
            "(warmup + 1).",
            partial(_rate, rise=(0, 0)),
        ),
        Mistake(
            "You divide by warmup, so that the peak comes one step too early. "
            "It belongs to step number `warmup`: divide by warmup + 1.",
            partial(_rate, rise=(1, 0)),
        ),
        Mistake(
            "Step 0 has a rate of 0, and the peak comes one step late. "
            "Divide step + 1, not step, by warmup + 1.",
            partial(_rate, rise=(0, 1)),
        ),
        Mistake("There is no warm-up.", _no_warmup),
        Mistake("The rate never falls.", _no_fall),
        Mistake(
            "The rate falls from the end of the warm-up on. It stays at its "
            "peak until the last `decay` steps.",
            partial(_rate, start="warm"),
        ),
        Mistake(
            "The rate falls from step 0 on. It stays at its peak until the "
            "last `decay` steps: how many of them are done?",
            partial(_rate, start="zero"),
        ),
        Mistake(
            "The fall begins at step number `decay`. `decay` is how many "
            "steps it takes: it begins at steps - decay.",
            partial(_rate, start="whole"),
        ),
        Mistake(
            "The fall begins one step early. Step number steps - decay "
            "still has the peak.",
            partial(_rate, early=1),
        ),
        Mistake(
            "A tenth of the peak is left at the end. This schedule goes down "
            "to 0.",
            partial(_rate, rest=0.1),
        ),
        Mistake(
            "You return the share of the peak. Multiply by it.",
            partial(_rate, scaled=False),
        ),
        Mistake(
            "After the end the rate is below 0, so that training would climb. "
            "It stays at 0.",
            _no_end,
        ),
        Mistake(
            "Without a fall (decay = 0) you divide by 0. Ask first whether "
            "the fall has begun.",
            _no_decay_no_check,
        ),
    ],
    praise="Nothing before the fall depends on `steps`: you can decide later "
    "how long the run shall be.",
)
