"""Checks of chapter 4's exercises: `check.rope(rope)` and ten more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.positions.bias import linear_bias
from llm_utils.checks.positions.longer import (
    explanation,
    ntk_base,
    unfinished_pairs,
)
from llm_utils.checks.positions.relative import is_relative
from llm_utils.checks.positions.rope import rope
from llm_utils.checks.positions.rows import half_split_rows
from llm_utils.checks.positions.scores import one_by_one, quarter_scores
from llm_utils.checks.positions.turns import turn
from llm_utils.checks.positions.waves import wave_table

__all__ = [
    "explanation",
    "half_split_rows",
    "is_relative",
    "linear_bias",
    "ntk_base",
    "one_by_one",
    "quarter_scores",
    "rope",
    "turn",
    "unfinished_pairs",
    "wave_table",
]
