"""Exercise 1 of chapter 14: the targets of an example, by its mask.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number, sequence

NO_TARGET = -100


def _targets(
    ids: Sequence[int],
    mask: Sequence[bool],
    ahead: int = 1,
    seen: int = 1,
    empty: int = NO_TARGET,
    turned: bool = False,
) -> list[int]:
    """The targets, with the mistakes as knobs."""
    return [
        ids[t + ahead] if bool(mask[t + seen]) != turned else empty
        for t in range(len(ids) - 1)
    ]


targets = Exercise(
    name="targets",
    asks="write targets(ids, mask), which returns the n - 1 targets",
    reference=_targets,
    cases=[
        ([7, 8, 9], [False, False, True]),
        ([5, 6, 7, 8], [False, False, True, True]),
        ([4, 3, 9, 2, 8, 1], [False, True, True, False, False, True]),
        ([1, 2], [False, True]),
        ([6, 6, 7, 7, 8], [0, 0, 1, 0, 1]),
    ],
    form=lambda x: [int(number(v)) for v in sequence(x)],
    mistakes=[
        Mistake(
            "These are the inputs, not the targets: what is to be predicted "
            "at place t is the token at t + 1.",
            partial(_targets, ahead=0),
        ),
        Mistake(
            "The mask is one place off. The target at place t is ids[t + 1], "
            "so it is mask[t + 1] that says whether it counts.",
            partial(_targets, seen=0),
        ),
        Mistake(
            "Neither ids nor mask has moved. At place t the target is "
            "ids[t + 1], and mask[t + 1] says whether it counts.",
            partial(_targets, ahead=0, seen=0),
        ),
        Mistake(
            "0 is the id of a token, and the loss would count it. Where "
            "nothing is learned the target is -100.",
            partial(_targets, empty=0),
        ),
        Mistake(
            "Turned round: True in the mask means that a token is learned.",
            partial(_targets, turned=True),
        ),
        Mistake(
            "That is one target too many: behind the last token nothing "
            "comes, so n ids have n - 1 targets.",
            when=lambda args, value: len(value) == len(args[0]),
        ),
    ],
    praise="One line, and every library for fine-tuning has it somewhere.",
)
