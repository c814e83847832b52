"""Exercise 6 of chapter 7: copies on both sides of a split, and their cost.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number

Texts = list[str]


def _leaked(train: Texts, valid: Texts) -> float:
    return sum(text in set(train) for text in valid) / len(valid)


leaked = Exercise(
    name="leaked",
    asks="write leaked(train, valid), a number from 0 to 1",
    reference=_leaked,
    cases=[
        (["a", "b"], ["b"]),
        (["a", "b", "c", "d"], ["b", "x"]),
        (["a", "b"], ["b", "b", "x"]),
        (["a", "a", "a", "b", "c"], ["x", "a"]),
        (["a cat", "b"], ["cat", "b", "x", "y"]),
        (["a", "b", "c"], ["x", "y"]),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-3),
    show=lambda x: f"{x:.3g}" if isinstance(x, float) else ascii(x),
    mistakes=[
        Mistake(
            "You ask how much of the training texts stands in validation. "
            "The question is how much of validation was seen in training.",
            lambda train, valid: _leaked(valid, train),
        ),
        Mistake(
            "You divide by the number of training texts. It is a share of "
            "the validation texts.",
            lambda train, valid: (
                _leaked(train, valid) * len(valid) / len(train)
            ),
        ),
        Mistake(
            "You divide by all texts of both sides. It is a share of the "
            "validation texts.",
            lambda train, valid: (
                _leaked(train, valid) * len(valid) / len(train + valid)
            ),
        ),
        Mistake(
            "You count texts that are equal once. The loss is a mean over "
            "all validation texts, so each of them counts.",
            lambda train, valid: _leaked(train, sorted(set(valid))),
        ),
        Mistake(
            "The texts that leak are counted once each, and divided by all "
            "of them. Of three validation texts two may be the same one: "
            "count both.",
            lambda train, valid: len({*train} & {*valid}) / len(valid),
        ),
        Mistake(
            "You look for a text inside other texts. Ask whether it is one "
            "of them.",
            lambda train, valid: (
                sum(any(v in t for t in train) for v in valid) / len(valid)
            ),
        ),
        Mistake(
            "You compare texts at the same place. A copy may stand anywhere "
            "in training.",
            lambda train, valid: (
                sum(a == b for a, b in zip(train, valid, strict=False))
                / len(valid)
            ),
        ),
        Mistake(
            "That is how many texts leak. Divide by all validation texts.",
            lambda train, valid: _leaked(train, valid) * len(valid),
        ),
        Mistake(
            "That is the share of validation texts that are new.",
            lambda train, valid: 1 - _leaked(train, valid),
        ),
        Mistake(
            "That is a percentage. A share is a number from 0 to 1.",
            lambda train, valid: 100 * _leaked(train, valid),
        ),
    ],
    praise="A set is asked in no time, however many training texts there are.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: a model that had become better would be better "
        "on fresh stories, too. Look at that column.",
        "B": "B cannot be it: the column 'truth' is what a perfect model "
        "would lose on these validation stories, and it stays where it "
        "was.",
        "D": "D cannot be it: the corpus has as many stories in every row, "
        "and validation is a tenth of them in every row.",
    },
    "The validation loss measures memory as soon as copies stand on both "
    "sides. So remove copies first, and split after.",
)
