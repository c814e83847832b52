"""Checks of chapter 12: `check.likeliest(likeliest)` and eight more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.evaluation.agreeing import agreement
from llm_utils.checks.evaluation.errors import errors
from llm_utils.checks.evaluation.judging import consistent, explanation
from llm_utils.checks.evaluation.order import order_p
from llm_utils.checks.evaluation.picking import likeliest
from llm_utils.checks.evaluation.signs import sign_test
from llm_utils.checks.evaluation.spans import spans
from llm_utils.checks.evaluation.tries import pass_all

__all__ = [
    "agreement",
    "consistent",
    "errors",
    "explanation",
    "likeliest",
    "order_p",
    "pass_all",
    "sign_test",
    "spans",
]
