"""Checks of chapter 10's exercises: `check.top_k(top_k)` and seven more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.sampling.cuts import kept, nucleus, top_k
from llm_utils.checks.sampling.race import explanation, race
from llm_utils.checks.sampling.search import beam
from llm_utils.checks.sampling.text import banned, waits

__all__ = [
    "banned",
    "beam",
    "explanation",
    "kept",
    "nucleus",
    "race",
    "top_k",
    "waits",
]
