"""Checks of chapter 16: `check.policy_gradient(policy_gradient)` and more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.reinforcement.bandits import policy_gradient
from llm_utils.checks.reinforcement.baselines import best_baseline
from llm_utils.checks.reinforcement.clips import clip_loss
from llm_utils.checks.reinforcement.colder import explanation
from llm_utils.checks.reinforcement.groups import advantages
from llm_utils.checks.reinforcement.hand import by_hand
from llm_utils.checks.reinforcement.leashes import kl_per_token
from llm_utils.checks.reinforcement.loopholes import strict_reward

__all__ = [
    "advantages",
    "best_baseline",
    "by_hand",
    "clip_loss",
    "explanation",
    "kl_per_token",
    "policy_gradient",
    "strict_reward",
]
