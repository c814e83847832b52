"""Checks of chapter 3's exercises: `check.attention(attention)` and more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.attention.blocks import merge
from llm_utils.checks.attention.flops import attention_flops
from llm_utils.checks.attention.formula import attention
from llm_utils.checks.attention.heads import share_heads, split_heads
from llm_utils.checks.attention.induction import induction
from llm_utils.checks.attention.lookups import lookups
from llm_utils.checks.attention.masks import document_mask
from llm_utils.checks.attention.spread import entropy, explanation

__all__ = [
    "attention",
    "attention_flops",
    "document_mask",
    "entropy",
    "explanation",
    "induction",
    "lookups",
    "merge",
    "share_heads",
    "split_heads",
]
