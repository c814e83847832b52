"""Exercise 2 of chapter 15: one pair's loss and pull, predicted.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_hand = Foretold((0.693, 0.3, 0.574, 0.0426, 21.97), rel_tol=0.02)

by_hand = _hand.exercise(
    "by_hand",
    "numbers",
    [
        Mistake(
            "A is not 0. Where the model still is its reference every margin "
            "is 0, and a coin decides: -log of one half.",
            when=_hand.has(0, 0.0, 0.5),
        ),
        Mistake(
            "A has the logarithm to the base 2. Losses are in nats.",
            when=_hand.has(0, 1.0),
        ),
        Mistake(
            "B forgets beta, or the reference. Take each answer's gain over "
            "the reference first: +4 and +1.",
            when=_hand.has(1, 3.0, -0.2, 0.2, -2.0, 2.0),
        ),
        Mistake(
            "B adds the two gains. The margin is their difference.",
            when=_hand.has(1, 0.5, 5.0),
        ),
        Mistake(
            "C is the loss of the pair, -log of what is asked for.",
            when=_hand.has(2, 0.554),
        ),
        Mistake(
            "C is the chance that the model gives to the *rejected* answer.",
            when=_hand.has(2, 0.426),
        ),
        Mistake(
            "D is the error alone. The chain rule brings a factor of beta.",
            when=_hand.has(3, 0.4256),
        ),
        Mistake(
            "E is the margin, beta times a log-ratio. Divide by beta.",
            when=_hand.has(4, 2.197),
        ),
        Mistake(
            "A is not right. All four log-probabilities come in equal pairs.",
            when=_hand.wrong_at(0),
        ),
        Mistake(
            "B is not right. It is 0.1 * ((-12 + 16) - (-9 + 10)).",
            when=_hand.wrong_at(1),
        ),
        Mistake(
            "C is not right. It is sigmoid(B).",
            when=_hand.wrong_at(2),
        ),
        Mistake(
            "D is not right. It is beta * (1 - C).",
            when=_hand.wrong_at(3),
        ),
        Mistake(
            "E is not right. sigmoid(margin) = 0.9 at margin = log 9.",
            when=_hand.wrong_at(4),
        ),
    ],
    "E is why a small beta goes far: it takes 22 nats to be 90 % sure.",
)
