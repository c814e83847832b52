"""Checks of chapter 2's exercises: `check.log_prob(log_prob)` and eight more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.language_modeling.chain import log_prob, perplexities
from llm_utils.checks.language_modeling.divergence import kl
from llm_utils.checks.language_modeling.evaluation import eval_windows
from llm_utils.checks.language_modeling.gradient import table_grad
from llm_utils.checks.language_modeling.mixing import mixed
from llm_utils.checks.language_modeling.shifting import loss
from llm_utils.checks.language_modeling.units import bits_per_byte, explanation

__all__ = [
    "bits_per_byte",
    "eval_windows",
    "explanation",
    "kl",
    "log_prob",
    "loss",
    "mixed",
    "perplexities",
    "table_grad",
]
