"""Exercise 8 of chapter 13: turns for readers who lose patience.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence


def _deal(
    lengths: Sequence[int],
    patience: Sequence[int],
    places: int,
    leave: str = "late",
    turns: bool = True,
    lifo: bool = False,
) -> list[int]:
    """Who gets each piece, with the mistakes as knobs."""
    line = deque(enumerate(lengths))
    here: deque[list[int]] = deque()
    dealt: list[int] = []
    while line or here:
        while line and len(here) < places:
            reader, n = line.pop() if lifo else line.popleft()
            waited = len(dealt)
            gone = {
                "late": waited > patience[reader],
                "early": waited >= patience[reader],
                "never": False,
            }[leave]
            if not gone:
                here.append([reader, n])
        if not here:
            continue
        now = here.popleft()
        count = 1 if turns else now[1]
        dealt += [now[0]] * count
        now[1] -= count
        if now[1]:
            here.append(now)
    return dealt


def _stays(
    lengths: Sequence[int], patience: Sequence[int], places: int
) -> list[int]:
    """One whose reply has begun is sent away as well."""
    left, dealt = dict(enumerate(lengths)), list[int]()
    line, here = deque(left), deque[int]()
    while line or here:
        while line and len(here) < places:
            here.append(line.popleft())
        reader = here.popleft()
        if len(dealt) > patience[reader]:
            continue
        dealt.append(reader)
        left[reader] -= 1
        if left[reader]:
            here.append(reader)
    return dealt


deal = Exercise(
    name="deal",
    asks="write deal(lengths, patience, places), who gets each piece",
    reference=_deal,
    cases=[
        ([2], [0], 1),
        ([2, 1], [9, 9], 2),
        ([2, 1], [9, 9], 1),
        ([2, 1], [9, 1], 1),
        ([2, 1], [9, 2], 1),
        ([3, 1, 2], [9, 9, 9], 2),
        ([3, 2, 1, 2], [0, 0, 1, 9], 2),
        ([2, 2, 2, 2], [9, 9, 2, 9], 2),
        ([4, 1, 1, 1], [9, 0, 0, 9], 1),
    ],
    form=sequence,
    mistakes=[
        Mistake(
            "Nobody leaves in yours. Who has waited for more pieces than "
            "her patience is gone when her turn comes.",
            partial(_deal, leave="never"),
        ),
        Mistake(
            "A reader with patience 2 still stays when 2 pieces have been "
            "dealt. She leaves when it is more: > and not >=.",
            partial(_deal, leave="early"),
        ),
        Mistake(
            "You write each reply to its end. Deal one piece, then the "
            "reader goes to the end of those who are here.",
            partial(_deal, turns=False),
        ),
        Mistake(
            "Who came first is served first: take from the left of the line.",
            partial(_deal, lifo=True),
        ),
        Mistake(
            "You send readers away whose reply has begun. Patience is for "
            "the first piece only.",
            _stays,
        ),
        Mistake(
            "All are here at once in yours. Only so many are as there are "
            "places; the others wait in the line.",
            lambda lengths, patience, places: _deal(lengths, patience, 99),
        ),
    ],
    praise="A server that does not ask whether a reader is still there "
    "writes for the dead.",
)
