"""Exercise 4 of chapter 7: how many pairs the bands find.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_found = Foretold((1500, 100, 700, 0), abs_tol=0.5)

pairs_found = _found.exercise(
    "pairs_found",
    "numbers",
    [
        Mistake(
            "Those are probabilities. The question is how many of 1,600 "
            "pairs to expect: multiply.",
            when=lambda args, value: any(value) and max(value) <= 1,
        ),
        Mistake(
            "A and B are exchanged. In A one hash that agrees is enough; in "
            "B all four have to.",
            when=lambda args, value: value[:2] == [100, 1500],
        ),
        Mistake(
            "In A you add four probabilities of 1/2, but that is more than "
            "certain. Ask how often no hash agrees: (1/2)^4 of the time.",
            when=_found.has(0, 1600, 3200),
        ),
        Mistake(
            "A: with bands of one hash a pair is missed only if all four "
            "hashes differ.",
            when=_found.wrong_at(0),
        ),
        Mistake(
            "B: with one band of four hashes a pair is found only if all "
            "four agree, each with a probability of 1/2.",
            when=_found.wrong_at(1),
        ),
        Mistake(
            "In C you add the two bands, 1/4 and 1/4, and so count the pairs "
            "that agree in both twice. Ask how often neither agrees.",
            when=_found.has(2, 800),
        ),
        Mistake(
            "In C you have the pairs that are missed, 3/4 of 3/4 of them. "
            "Those that are found are the rest.",
            when=_found.has(2, 900),
        ),
        Mistake(
            "In C you have the pairs whose first band agrees, or whose "
            "bands both do. One of the two bands is enough.",
            when=_found.has(2, 400, 100),
        ),
        Mistake(
            "C: a band agrees if both its hashes do, with a probability of "
            "1/4. A pair is missed if neither of the two bands agrees.",
            when=_found.wrong_at(2),
        ),
        Mistake(
            "In D you drop what the bands found. They only say which pairs "
            "to compare, and the comparison is exact: what is the Jaccard "
            "index of each of these pairs?",
            when=_found.wrong_at(3),
        ),
    ],
    "Hashes in a band make it strict, bands make it lenient, and the "
    "comparison afterwards has the last word.",
)
