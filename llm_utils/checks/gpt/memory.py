"""Exercise 4 of chapter 6: how deep a model can be trained in this memory.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _fit(table: int, block: int, n_bytes: int, each: int = 16) -> int:
    return max(0, (n_bytes // each - table) // block)


layers_that_fit = Exercise(
    name="layers_that_fit",
    asks="write layers_that_fit(table, block, n_bytes), a whole number",
    reference=_fit,
    cases=[
        (10, 5, 16 * 25),
        (10, 5, 16 * 25 - 1),
        (10, 5, 16 * 41),
        (100, 5, 16 * 20),
        (39_385_344, 7_087_872, 8_000_000_000),
    ],
    form=number,
    show=lambda x: f"{x:,.0f}" if x == int(x) else f"{x:,.2f}",
    mistakes=[
        Mistake(
            "You count the weights only. Training keeps a gradient and two "
            "averages beside each of them: 16 bytes.",
            partial(_fit, each=4),
        ),
        Mistake(
            "You count weights and gradients, 8 bytes. AdamW keeps two more "
            "numbers for each parameter.",
            partial(_fit, each=8),
        ),
        Mistake(
            "You count 12 bytes a parameter. AdamW keeps two averages, of "
            "the gradient and of its square; with weight and gradient that "
            "is four numbers of 4 bytes.",
            partial(_fit, each=12),
        ),
        Mistake(
            "You take the table off as if it were bytes. Each of its "
            "parameters takes 16 of them, like all others.",
            lambda table, block, n_bytes: max(
                0, (n_bytes - table) // (16 * block)
            ),
        ),
        Mistake(
            "You count 4 bytes for each parameter of the table and 16 for "
            "the others. All of them are trained: 16 bytes each.",
            lambda table, block, n_bytes: max(
                0, (n_bytes - 4 * table) // (16 * block)
            ),
        ),
        Mistake(
            "Division comes before subtraction: you divide the table by the "
            "block. Put the difference in parentheses.",
            lambda table, block, n_bytes: max(
                0, n_bytes // 16 - table // block
            ),
        ),
        Mistake(
            "You compare bytes with parameters. Turn the bytes into a number "
            "of parameters first: how many bytes does each one take?",
            partial(_fit, each=1),
        ),
        Mistake(
            "You forget what stands outside the blocks. Those parameters "
            "take their bytes first.",
            lambda table, block, n_bytes: n_bytes // 16 // block,
        ),
        Mistake(
            "You count the tables once for each layer. A model has them "
            "once: take them off before you divide.",
            lambda table, block, n_bytes: n_bytes // 16 // (table + block),
        ),
        Mistake(
            "You round to the next whole number. Half a layer is none: "
            "round down.",
            lambda table, block, n_bytes: max(
                0, round((n_bytes / 16 - table) / block)
            ),
        ),
        Mistake(
            "You round up. The last layer would not fit any more.",
            lambda table, block, n_bytes: max(
                0, math.ceil((n_bytes / 16 - table) / block)
            ),
        ),
        Mistake(
            "A fraction of a layer is no layer: round down.",
            lambda table, block, n_bytes: max(
                0, (n_bytes / 16 - table) / block
            ),
        ),
        Mistake(
            "Where not even the tables fit, you return a negative number "
            "of layers. The answer is 0.",
            lambda table, block, n_bytes: (n_bytes // 16 - table) // block,
        ),
    ],
    praise="Activations come on top, and they grow with the batch: in "
    "practice you stop well before this number.",
)
