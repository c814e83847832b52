"""Checks of appendix B's exercises: `check.one_hot(one_hot)` and six more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.pytorch.gradients import explanation, fit
from llm_utils.checks.pytorch.layouts import heads, scores
from llm_utils.checks.pytorch.masks import masked_mean, one_hot
from llm_utils.checks.pytorch.shapes import shapes

__all__ = [
    "explanation",
    "fit",
    "heads",
    "masked_mean",
    "one_hot",
    "scores",
    "shapes",
]
