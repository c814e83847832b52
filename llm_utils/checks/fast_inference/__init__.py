"""Checks of chapter 11's exercises: `check.cache_bytes(cache_bytes)` and more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.fast_inference.guesses import (
    kept_share,
    rest,
    round_tokens,
)
from llm_utils.checks.fast_inference.memory import cache_bytes, places
from llm_utils.checks.fast_inference.nibbles import pack_row, rounded_range
from llm_utils.checks.fast_inference.readings import readings
from llm_utils.checks.fast_inference.walls import explanation, tokens_a_second

__all__ = [
    "cache_bytes",
    "explanation",
    "kept_share",
    "pack_row",
    "places",
    "readings",
    "rest",
    "round_tokens",
    "rounded_range",
    "tokens_a_second",
]
