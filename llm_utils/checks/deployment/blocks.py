"""Exercises 4 and 5 of chapter 13: where a token lies, and who fits.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number, sequence
from llm_utils.checks.watch import WrongForm


def _pair(x: Any) -> tuple[float, float]:
    if isinstance(x, int):
        raise WrongForm("one number; a pair (block, place) is asked for")
    values = [number(value) for value in sequence(x)]
    if len(values) != 2:
        raise WrongForm(f"{len(values)} values; (block, place) is asked for")
    return values[0], values[1]


Table = Sequence[int]

locate = Exercise(
    name="locate",
    asks="write locate(table, size, t), a pair (block, place)",
    reference=lambda table, size, t: (table[t // size], t % size),
    cases=[
        ([7], 4, 0),
        ([7], 4, 3),
        ([7, 2], 4, 4),
        ([5, 9, 0], 2, 5),
        ([3, 8, 1, 6], 16, 40),
        ([4, 2, 0], 1, 1),
    ],
    form=_pair,
    mistakes=[
        Mistake(
            "That is the number of the block in the text. The table says "
            "which block of the memory it is.",
            lambda table, size, t: (t // size, t % size),
        ),
        Mistake(
            "The pair is the wrong way round: the block first.",
            lambda table, size, t: (t % size, table[t // size]),
        ),
        Mistake(
            "The place is counted within the block: what is left of t after "
            "the full blocks, t % size.",
            lambda table, size, t: (table[t // size], t),
        ),
        Mistake(
            "You exchange division and remainder: t // size says which "
            "block, t % size which place in it.",
            lambda table, size, t: (
                table[(t % size) % len(table)], t // size
            ),
        ),
        Mistake(
            "You divide by the number of blocks. What counts is how many "
            "tokens a block holds, size.",
            lambda table, size, t: (
                table[t // size % len(table)], t % len(table)
            ),
        ),
        Mistake(
            "That is the place in the whole memory. Divide it again: a pair "
            "(block, place within the block) is asked for.",
            lambda table, size, t: (
                table[t // size], table[t // size] * size + t % size
            ),
        ),
    ],
    praise="This line runs in hardware for every load of every program.",
)  # fmt: skip


def _fit(
    lengths: Sequence[int], blocks: int, size: int, kind: str = "up"
) -> int:
    """How many fit, with its mistakes as knobs."""
    taken: float = 0
    for i, n in enumerate(lengths):
        need = {
            "up": -(-n // size), "down": n // size, "one more": n // size + 1,
            "tokens": n / size, "longest": -(-max(lengths) // size),
        }[kind]  # fmt: skip
        if taken + need > blocks:
            return i
        taken += need
    return len(lengths)


def _skipping(lengths: Sequence[int], blocks: int, size: int) -> int:
    taken = found = 0
    for n in lengths:
        need = -(-n // size)
        if taken + need <= blocks:
            taken, found = taken + need, found + 1
    return found


def _strict(lengths: Sequence[int], blocks: int, size: int) -> int:
    return _fit(lengths, blocks - 1, size) if blocks else 0


fit = Exercise(
    name="fit",
    asks="write fit(lengths, blocks, size), how many readers fit",
    reference=_fit,
    cases=[
        ([4], 1, 4),
        ([5], 1, 4),
        ([5, 3], 3, 4),
        ([5, 3, 1], 3, 4),
        ([8, 8, 8], 4, 4),
        ([20, 1, 1], 4, 4),
        ([3, 1, 9, 2, 2], 6, 3),
        ([1, 9, 1, 1, 1], 4, 3),
        ([1, 1, 1], 2, 4),
    ],
    form=number,
    mistakes=[
        Mistake(
            "You count tokens, as if two texts could share a block. A text "
            "takes whole blocks, the last one as well.",
            partial(_fit, kind="tokens"),
        ),
        Mistake(
            "You round down. A last block that is not full is a block.",
            partial(_fit, kind="down"),
        ),
        Mistake(
            "A text that fills its last block exactly needs no further one: "
            "round up, do not add 1.",
            partial(_fit, kind="one more"),
        ),
        Mistake(
            "You reserve for the longest text. In pages a text takes what "
            "it needs.",
            partial(_fit, kind="longest"),
        ),
        Mistake(
            "You go on with those behind one that does not fit. The line "
            "keeps its order: stop at the first.",
            _skipping,
        ),
        Mistake(
            "The last block may be used as well: more than `blocks` is too "
            "many, `blocks` is not.",
            _strict,
        ),
    ],
    praise="Letting small ones pass would fill the memory better, and the "
    "large one would wait for ever.",
)
