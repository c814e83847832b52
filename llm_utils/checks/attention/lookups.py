"""Exercise 2 of chapter 3: what four queries find, predicted.

Each `Mistake` is a wrong answer: what readers really write down.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_found = Foretold((5.0, 4.0, 6.0, 8.0), rel_tol=0.02)

lookups = _found.exercise(
    "lookups",
    "numbers",
    [
        Mistake(
            "A without the scale: the score is 2 ln 2, but it is divided by "
            "sqrt(4) = 2 before the softmax.",
            when=_found.has(0, 6.0),
        ),
        Mistake(
            "A scaled by d = 4. The score is divided by sqrt(4) = 2.",
            when=_found.has(0, (8 * 2**0.5 + 4) / (2 + 2**0.5)),
        ),
        Mistake(
            "A is no dictionary of Python: the best key does not win alone. "
            "A softmax gives every key its share, e to its score.",
            when=_found.has(0, 8.0),
        ),
        Mistake(
            "In A a score of 0 is not a weight of 0: e^0 = 1, so a key that "
            "is orthogonal to the query still gets a share.",
            when=lambda args, value: (
                _found.has(0, 0.0)(args, value)
                or _found.has(1, 0.0)(args, value)
            ),
        ),
        Mistake(
            "A is not right. The scores are ln 2, 0 and 0 after the scale; "
            "e to them is 2, 1 and 1. Divide by their sum.",
            when=_found.wrong_at(0),
        ),
        Mistake(
            "B is not right. A query that is orthogonal to all keys has "
            "three scores of 0: three equal weights, the plain mean.",
            when=_found.wrong_at(1),
        ),
        Mistake(
            "C is not right. Twice the query is twice the score, but not "
            "twice the weight: e^(2 ln 2) = 4, against 1 and 1.",
            when=_found.wrong_at(2),
        ),
        Mistake(
            "D is not right. The mask comes before the softmax: of what the "
            "first position may see, itself, the weights sum to 1.",
            when=_found.wrong_at(3),
        ),
    ],
    "A query's direction says what to look for, its length how strictly.",
)
