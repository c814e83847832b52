"""Exercise 7 of chapter 17: two tricks that know of each other.

The letters stand for the explanations that the task offers.
"""

from __future__ import annotations

from llm_utils.checks.choice import choice

explanation = choice(
    "B",
    {
        "A": "A cannot be it: each recipe is scored on the same stories, and "
        "its seeds lie much closer together than the two factors.",
        "C": "C is the wrong way round. In the tokens one can see it: with the "
        "small batch the best recipe reads more than the plain one does.",
        "D": "D is not so. A factor in one place does not fix the factor in "
        "another; only for tricks that are independent it does.",
    },
    "A trick has no value of its own, only one in a place.",
)
