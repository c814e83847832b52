"""Checks of chapter 14: `check.targets(targets)` and eight more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.finetuning.bills import bills
from llm_utils.checks.finetuning.correcting import best_correction
from llm_utils.checks.finetuning.costs import by_part, explanation
from llm_utils.checks.finetuning.lasts import last_states
from llm_utils.checks.finetuning.merging import merge
from llm_utils.checks.finetuning.rows import new_rows
from llm_utils.checks.finetuning.spans import spans
from llm_utils.checks.finetuning.targets import targets

__all__ = [
    "best_correction",
    "bills",
    "by_part",
    "explanation",
    "last_states",
    "merge",
    "new_rows",
    "spans",
    "targets",
]
