"""Checks of chapter 15: `check.win_chance(win_chance)` and seven more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.dpo.contests import win_chance
from llm_utils.checks.dpo.falling import explanation
from llm_utils.checks.dpo.hand import by_hand
from llm_utils.checks.dpo.losses import dpo_losses
from llm_utils.checks.dpo.nats import answer_nats
from llm_utils.checks.dpo.pairing import pairs_of
from llm_utils.checks.dpo.ratings import strengths
from llm_utils.checks.dpo.tilting import tilted

__all__ = [
    "answer_nats",
    "by_hand",
    "dpo_losses",
    "explanation",
    "pairs_of",
    "strengths",
    "tilted",
    "win_chance",
]
