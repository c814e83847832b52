"""Exercise 7 of chapter 1: what a text costs in tokens, and why.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.choice import choice
from llm_utils.checks.forms import number
from llm_utils.text.bpe import ByteBPE

PLAIN = ByteBPE()
THE = ByteBPE.from_merges([(b"t", b"h"), (b"th", b"e"), (b" ", b"the")])

tokens_per_byte = Exercise(
    name="tokens_per_byte",
    asks="write tokens_per_byte(tokenizer, text), a number",
    reference=lambda tokenizer, text: (
        len(tokenizer.encode(text)) / len(text.encode())
    ),
    cases=[
        (PLAIN, "ab"),
        (THE, "the the"),
        (PLAIN, "caf\u00e9"),
        (THE, "the \u20ac"),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3),
    show=lambda x: repr(x) if isinstance(x, ByteBPE) else ascii(x),
    mistakes=[
        Mistake(
            "You divide by characters. A character can be up to four bytes: "
            "the bytes are text.encode('utf-8').",
            lambda tokenizer, text: len(tokenizer.encode(text)) / len(text),
        ),
        Mistake(
            "That is bytes per token, the inverse.",
            lambda tokenizer, text: (
                len(text.encode()) / len(tokenizer.encode(text))
            ),
        ),
        Mistake(
            "That is characters per token: the inverse, and not in bytes.",
            lambda tokenizer, text: len(text) / len(tokenizer.encode(text)),
        ),
        Mistake(
            "That is the number of tokens. Divide it by the number of bytes.",
            lambda tokenizer, text: len(tokenizer.encode(text)),
        ),
        Mistake(
            "That is tokens per word. Words are counted differently in every "
            "language, bytes are not.",
            lambda tokenizer, text: (
                len(tokenizer.encode(text)) / len(text.split())
            ),
        ),
    ],
    praise="1 means that no merge ever helps; a story should be far below.",
)

explanation = choice(
    "C",
    {
        "A": "A cannot be it: all three texts are ASCII, one byte for every "
        "character. And per byte, long characters would not show.",
        "B": "B cannot be it: a byte-level tokenizer has a token for each of "
        "the 256 bytes, so nothing is unknown. Decode the ids: the text "
        "comes back.",
        "D": "D can be tried: train with a larger vocabulary. The stories get"
        " cheaper still, the digits stay at one token a byte, since no "
        "story holds a pair of digits to learn from.",
    },
    "Merges are learned from a text, and they pay on texts like it.",
)
