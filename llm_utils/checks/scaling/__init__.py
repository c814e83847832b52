"""Checks of chapter 9's exercises: `check.run_cost(run_cost)` and ten more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.scaling.bill import run_cost
from llm_utils.checks.scaling.halves import my_part
from llm_utils.checks.scaling.law import fit_floor
from llm_utils.checks.scaling.ranks import step
from llm_utils.checks.scaling.ring import all_reduce
from llm_utils.checks.scaling.roof import product_time
from llm_utils.checks.scaling.rounding import sums
from llm_utils.checks.scaling.stuck import explanation, stuck_share
from llm_utils.checks.scaling.utilization import utilization
from llm_utils.checks.scaling.zero import bytes_each

__all__ = [
    "all_reduce",
    "bytes_each",
    "explanation",
    "fit_floor",
    "my_part",
    "product_time",
    "run_cost",
    "step",
    "stuck_share",
    "sums",
    "utilization",
]
