"""Checks of chapter 6's exercises: `check.logits(logits)` and eleven more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.gpt.assembly import logits
from llm_utils.checks.gpt.config import sizes
from llm_utils.checks.gpt.copying import copy_rate, explanation
from llm_utils.checks.gpt.counting import moe_params
from llm_utils.checks.gpt.memory import layers_that_fit
from llm_utils.checks.gpt.parallel import parallel_block
from llm_utils.checks.gpt.ranking import by_size, by_work
from llm_utils.checks.gpt.shards import shard_index
from llm_utils.checks.gpt.weights import our_block
from llm_utils.checks.gpt.writing import continuation

__all__ = [
    "by_size",
    "by_work",
    "continuation",
    "copy_rate",
    "explanation",
    "layers_that_fit",
    "logits",
    "moe_params",
    "our_block",
    "parallel_block",
    "shard_index",
    "sizes",
]
