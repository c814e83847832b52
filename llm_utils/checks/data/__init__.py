"""Checks of chapter 7's exercises: `check.tidy(tidy)` and ten more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.data.bands import pairs_found
from llm_utils.checks.data.epochs import epochs
from llm_utils.checks.data.keeping import keep
from llm_utils.checks.data.leaks import explanation, leaked
from llm_utils.checks.data.loaders import loader
from llm_utils.checks.data.repeats import repeated_share
from llm_utils.checks.data.resembling import jaccard
from llm_utils.checks.data.rows import pack_rows
from llm_utils.checks.data.sides import held_out
from llm_utils.checks.data.tidying import tidy

__all__ = [
    "epochs",
    "explanation",
    "held_out",
    "jaccard",
    "keep",
    "leaked",
    "loader",
    "pack_rows",
    "pairs_found",
    "repeated_share",
    "tidy",
]
