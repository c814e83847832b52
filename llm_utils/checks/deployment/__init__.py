"""Checks of chapter 13's exercises: `check.starts(starts)` and seven more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.deployment.batches import starts, steps
from llm_utils.checks.deployment.blocks import fit, locate
from llm_utils.checks.deployment.dealing import deal
from llm_utils.checks.deployment.events import read_events
from llm_utils.checks.deployment.lines import explanation
from llm_utils.checks.deployment.markup import escape

__all__ = [
    "deal",
    "escape",
    "explanation",
    "fit",
    "locate",
    "read_events",
    "starts",
    "steps",
]
