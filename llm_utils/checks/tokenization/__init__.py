"""Checks of chapter 1's exercises: `check.merge(merge)` and nine more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.tokenization.codepoints import utf8
from llm_utils.checks.tokenization.cost import explanation, tokens_per_byte
from llm_utils.checks.tokenization.order import encode, first_merges
from llm_utils.checks.tokenization.pairs import count_pairs, merge
from llm_utils.checks.tokenization.prompts import chat_ids
from llm_utils.checks.tokenization.streaming import stream
from llm_utils.checks.tokenization.words import wordpiece

__all__ = [
    "chat_ids",
    "count_pairs",
    "encode",
    "explanation",
    "first_merges",
    "merge",
    "stream",
    "tokens_per_byte",
    "utf8",
    "wordpiece",
]
