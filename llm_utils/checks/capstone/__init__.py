"""Checks of chapter 17: `check.rate_at(rate_at)` and seven more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.capstone.excess import above_entropy
from llm_utils.checks.capstone.gain import paired_gain
from llm_utils.checks.capstone.hand import by_hand
from llm_utils.checks.capstone.loop import steps_taken
from llm_utils.checks.capstone.ranks import ranking
from llm_utils.checks.capstone.rates import rate_at
from llm_utils.checks.capstone.together import explanation
from llm_utils.checks.capstone.tokens import tokens_in_budget

__all__ = [
    "above_entropy",
    "by_hand",
    "explanation",
    "paired_gain",
    "ranking",
    "rate_at",
    "steps_taken",
    "tokens_in_budget",
]
