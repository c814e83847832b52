"""Schedules: the learning rate of each step, as functions you can list.

Chapter 8 derives them and draws them. A schedule takes the number of steps
taken so far; past the end it stays at its last value.
"""

from __future__ import annotations

from math import cos, pi

from llm_utils.train.optim import Schedule


def constant(peak: float) -> Schedule:
    """The same rate at every step."""
    return lambda step: peak


def warmup_cosine(
    peak: float, steps: int, warmup: int = 0, final: float = 0.1
) -> Schedule:
    """step -> lr: up in a line, down in half a cosine to final * peak.

    The first step has peak / (warmup + 1), step `warmup` has the peak. Chapter
    8; Loshchilov and Hutter (2017), equation 5.
    """
    check(peak, steps, warmup, 0, final)

    def lr(step: int) -> float:
        done = min(1.0, max(0, step - warmup) / (steps - warmup))
        height = final + (1 - final) * (1 + cos(pi * done)) / 2
        return peak * height * min(1.0, (step + 1) / (warmup + 1))

    return lr


def warmup_stable_decay(
    peak: float, steps: int, warmup: int = 0, decay: int = 0, final: float = 0.0
) -> Schedule:
    """step -> lr: up in a line, level, then down in a line to final * peak.

    The last `decay` steps fall. Nothing before them depends on `steps`, so a
    run can go on from before the fall. Chapter 8; Hu et al. (2024), section 4.
    """
    check(peak, steps, warmup, decay, final)

    def lr(step: int) -> float:
        left = min(1.0, max(0, steps - step) / max(1, decay))
        height = final + (1 - final) * left
        return peak * height * min(1.0, (step + 1) / (warmup + 1))

    return lr


def check(
    peak: float, steps: int, warmup: int, decay: int, final: float
) -> None:
    """ValueError unless the parts fit into the whole."""
    if not (peak >= 0 and 0 <= final <= 1):
        raise ValueError(
            f"peak={peak}, final={final}: the peak is a learning rate, 0 or "
            "more, and final is the share of it that is left, 0 to 1"
        )
    if warmup < 0 or decay < 0 or warmup + decay > steps or warmup >= steps:
        raise ValueError(
            f"warmup={warmup} and decay={decay} do not fit into steps={steps}"
        )
