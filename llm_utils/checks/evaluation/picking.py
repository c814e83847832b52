"""Exercise 1 of chapter 12: the likeliest choice, by the byte.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number

Size = Callable[[str], float]


def _pick(
    nats: Sequence[float],
    texts: Sequence[str],
    size: Size = lambda text: len(text.encode()),
    best: Callable[..., float] = max,
) -> int:
    scores = [x / size(t) for x, t in zip(nats, texts, strict=True)]
    return scores.index(best(scores))


likeliest = Exercise(
    name="likeliest",
    asks="write likeliest(nats, texts), which returns the number of the "
    "choice with the most nats for each byte",
    reference=_pick,
    cases=[
        ([-3.0, -5.0], ["in the shed", "by the old pond in the park"]),
        ([-6.0, -3.0, -4.0], ["aaaaaaaa bbbb", "cc", "dd ee ff"]),
        ([-4.0, -4.5], ["\u00fc\u00fc\u00fc\u00fc", "over it"]),
        ([-2.0, -9.0, -2.5], ["a b c d", "one two three", "abcdefghij"]),
        ([-1.0, -2.0], ["ab", "abcd"]),
    ],
    form=lambda x: int(number(x)),
    mistakes=[
        Mistake(
            "You take the likeliest whole text. A long answer pays for its "
            "length: divide the nats by the bytes first.",
            lambda nats, texts: _pick(nats, texts, lambda text: 1),
        ),
        Mistake(
            "You pick the least likely one. Nats are negative here: the best "
            "is the largest, the one nearest to zero.",
            lambda nats, texts: _pick(nats, texts, best=min),
        ),
        Mistake(
            "You divide by characters. In UTF-8 some characters have more "
            "bytes than one: len(text.encode()).",
            lambda nats, texts: _pick(nats, texts, len),
        ),
        Mistake(
            "You divide by words. Bytes are asked for: a word may be long or "
            "short.",
            lambda nats, texts: _pick(nats, texts, lambda t: len(t.split())),
        ),
        Mistake(
            "You multiply by the bytes. That punishes long answers twice.",
            lambda nats, texts: _pick(
                nats, texts, lambda text: 1 / len(text.encode())
            ),
        ),
        Mistake(
            "You number the choices from 1. The first one is 0.",
            lambda nats, texts: _pick(nats, texts) + 1,
        ),
    ],
    praise="lm-eval calls this acc_bytes, and acc_norm where it counts "
    "characters.",
)
