"""How the book's exercises check themselves.

A chapter's module (`from llm_utils.checks import tokenization as check`)
declares each exercise as an `Exercise`; the reader hands it a function and
gets one friendly `Result`: `check.merge(merge)`. A grader asks for its `.ok`.
"""

from llm_utils.checks.exercise import Exercise, Mistake
from llm_utils.checks.result import Result

__all__ = ["Exercise", "Mistake", "Result"]
