"""Checks of chapter 8's exercises: `check.adamw(adamw)` and eleven more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.training.accumulating import accumulate
from llm_utils.checks.training.clipping import clip
from llm_utils.checks.training.decaying import decayed
from llm_utils.checks.training.first_step import first_step
from llm_utils.checks.training.floor import below_floor, explanation
from llm_utils.checks.training.looping import fit
from llm_utils.checks.training.polar import polar
from llm_utils.checks.training.rates import rate
from llm_utils.checks.training.rule import adamw
from llm_utils.checks.training.saving import save
from llm_utils.checks.training.snapshots import snapshot

__all__ = [
    "accumulate",
    "adamw",
    "below_floor",
    "clip",
    "decayed",
    "explanation",
    "first_step",
    "fit",
    "polar",
    "rate",
    "save",
    "snapshot",
]
