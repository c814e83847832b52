"""Exercise 5 of chapter 2: two tokenizers, one unit.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.text import next_token

LN2 = math.log(2)


def _size(text: str) -> int:
    return len(text.encode("utf-8"))


bits_per_byte = Exercise(
    name="bits_per_byte",
    asks="write bits_per_byte(mean_nats, n_tokens, text), a number",
    reference=lambda mean_nats, n_tokens, text: next_token.bits_per_byte(
        mean_nats * n_tokens, _size(text)
    ),
    cases=[
        (1.0, 4, "abcd"),
        (2.5, 2, "abcde"),
        (0.7, 3, "caf\u00e9"),
        (1.2, 7, "5 \u20ac"),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3),
    show=lambda x: f"{x:.4g}" if isinstance(x, float) else ascii(x),
    mistakes=[
        Mistake(
            "You divide by characters. A character can be up to four bytes: "
            "the bytes are text.encode('utf-8').",
            lambda nats, n, text: nats * n / len(text) / LN2,
        ),
        Mistake(
            "That is in nats per byte. A bit is ln 2 = 0.693 nats, so there "
            "are more bits than nats: divide by math.log(2).",
            lambda nats, n, text: nats * n / _size(text),
        ),
        Mistake(
            "You multiply by ln 2. A bit is the smaller unit, so there are "
            "more bits than nats: divide.",
            lambda nats, n, text: nats * n / _size(text) * LN2,
        ),
        Mistake(
            "That is bits per token. How many tokens are there, and how many "
            "bytes do they stand for?",
            lambda nats, n, text: nats / LN2,
        ),
        Mistake(
            "You forgot the number of tokens. The loss is a mean for each "
            "token; the whole text costs mean_nats * n_tokens.",
            lambda nats, n, text: nats / _size(text) / LN2,
        ),
        Mistake(
            "That is the cost of the whole text, in bits. Divide it by the "
            "number of bytes.",
            lambda nats, n, text: nats * n / LN2,
        ),
        Mistake(
            "You divide by n_tokens twice over: the mean is taken already. "
            "Multiply to get the whole text, then divide by its bytes.",
            lambda nats, n, text: nats / n / _size(text) / LN2,
        ),
        Mistake(
            "You divide by 8. That says how much smaller the text becomes; "
            "asked for are the bits that each byte of it costs.",
            lambda nats, n, text: nats * n / _size(text) / LN2 / 8,
        ),
        Mistake(
            "Tokens and bytes have changed places: multiply by the tokens, "
            "divide by the bytes.",
            lambda nats, n, text: nats * _size(text) / n / LN2,
        ),
    ],
    praise="Nats per token times tokens is the price of the text; its bytes "
    "are the same for every tokenizer.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: a perplexity counts tokens, and the tokens of "
        "the three models are pieces of very different lengths.",
        "B": "B can be tried: print mean_nats / math.log(vocab_size) for "
        "each. It ranks them, but no text is in it: a vocabulary padded "
        "with tokens that never come would look better at once.",
        "D": "D gives up too early. All three give a probability to the same "
        "string of bytes, and probabilities of one thing compare.",
    },
    "Compare what models say about the same bytes, never about their own "
    "tokens.",
)
