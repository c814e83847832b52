"""Exercise 2 of chapter 11: four counts, predicted."""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

RIGHT = (57, 12, 6, 2)  # a prompt of 7 tokens, 6 new ones
_foretold = Foretold(RIGHT)

readings = _foretold.exercise(
    "readings",
    "counts",
    [
        Mistake(
            "A: the first new token is chosen after reading the prompt alone, "
            "7 tokens. Begin the sum there, not at 8.",
            when=_foretold.has(0, 63),
        ),
        Mistake(
            "A: you read the prompt for each new token, and forget that the "
            "text grows by one each time.",
            when=_foretold.has(0, 42),
        ),
        Mistake(
            "A: without a cache each step reads all of the text so far: "
            "7 + 8 + ..., six terms.",
            when=_foretold.wrong_at(0),
        ),
        Mistake(
            "B: the last new token is never read, since nothing is written "
            "after it.",
            when=_foretold.has(1, 13),
        ),
        Mistake(
            "B: the tokens of the prompt have to be read as well, once each.",
            when=_foretold.has(1, 5, 6),
        ),
        Mistake(
            "B: with a cache each token is read once, all but the last.",
            when=_foretold.wrong_at(1),
        ),
        Mistake(
            "C: that is how many tokens are read. The prompt goes through in "
            "one pass, which gives the first new token.",
            when=_foretold.has(2, 12, 13),
        ),
        Mistake(
            "C: each pass gives one new token, the pass over the prompt, too.",
            when=_foretold.wrong_at(2),
        ),
        Mistake(
            "D: besides the guesses that are kept, each pass gives a token of "
            "its own. With two guesses it is three a pass.",
            when=_foretold.has(3, 3),
        ),
        Mistake(
            "D: with two guesses that are always right a pass gives three "
            "tokens, and six are wanted.",
            when=_foretold.wrong_at(3),
        ),
    ],
    praise="Readings are work, passes are waiting: the weights come from "
    "memory once a pass.",
)
