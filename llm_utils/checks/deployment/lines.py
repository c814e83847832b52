"""Exercise 7 of chapter 13: one line or two, at the same load."""

from __future__ import annotations

from llm_utils.checks.choice import choice

explanation = choice(
    right="B",
    wrong={
        "A": "Both servers have the same load, by construction: the readers, "
        "their lengths and the number of places are equal. Something else "
        "must differ.",
        "C": "The lengths are the same, and so are the steps that a reply "
        "takes. Only when it begins is different.",
        "D": "Chance alone would hit both, and the table has many readers. "
        "Look at what happens when one line is long and the other empty.",
    },
    praise="One line never leaves a place empty while somebody waits. Banks "
    "found out long before servers did.",
)
