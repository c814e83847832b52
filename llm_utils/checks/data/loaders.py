"""Exercise 10 of chapter 7: a loader that goes on where it was stopped.

Each `Mistake` is recognized by what a loader does in the trials.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.data.loader_trial import TRIALS, trial_of


class Loader:
    """The right loader."""

    def __init__(
        self, n: int, B: int, seed: int, rank: int = 0, world: int = 1
    ) -> None:
        self.n, self.B, self.seed = n, B, seed
        self.rank, self.world = rank, world
        self.taken = 0  # rows, by all workers together

    def __next__(self) -> list[int]:
        epoch, first = divmod(self.taken, self.n)
        first += self.rank * self.B
        self.taken += self.B * self.world
        order = np.random.default_rng([self.seed, epoch]).permutation(self.n)
        return [int(row) for row in order[first : first + self.B]]

    def state_dict(self) -> dict[str, int]:
        return {"taken": self.taken}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.taken = state["taken"]


When = Callable[[tuple[Any, ...], Any], bool]
USED, WORKER = "resumed by a used loader", "worker 1 of 2 stopped"
RESUMED = list(TRIALS)[4:]
AT_ONCE, LATER = "other rows at once", "other rows from the next epoch on"
AGAIN = "starts again from the beginning"


def _says(*words: str, free: tuple[str, ...] = ()) -> When:
    """True of what begins with one of these words; some trials are free."""

    def when(args: tuple[Any, ...], value: str) -> bool:
        return args[0] in free or value.startswith(words)

    return when


def _lost_epoch(args: tuple[Any, ...], value: str) -> bool:
    """All is well in the first epoch, and only there."""
    later = args[0] in RESUMED[1:]
    return later and value in (AT_ONCE, LATER, AGAIN)


def _only(trial: str, words: str) -> When:
    def when(args: tuple[Any, ...], value: str) -> bool:
        return args[0] == trial and value.startswith(words)

    return when


def _overlap(args: tuple[Any, ...], value: str) -> bool:
    late = "one reads a step later"
    return args[0] == WORKER or value.startswith(late)


def _both(args: tuple[Any, ...], value: str) -> bool:
    return _overlap(args, value) or _lost_epoch(args, value)


loader = Exercise(
    name="loader",
    asks="write the class Loader, which goes on where it was stopped",
    reference=Loader,
    cases=[(trial,) for trial in TRIALS],
    adapt=trial_of,
    mistakes=[
        Mistake(
            "The state holds something that JSON cannot: a set, a tensor, a "
            "generator. Plain numbers, texts and lists can be saved with any "
            "checkpoint.",
            when=_says("a state that JSON"),
        ),
        Mistake(
            "Loading does not bring the loader back: it goes on from the "
            "beginning, or from wherever it was. Take place and epoch from "
            "the state.",
            when=_says(AGAIN, free=(USED,)),
        ),
        Mistake(
            "The state says in which epoch you are, and not where. The epoch "
            "begins again.",
            when=_says("begins the epoch again", AGAIN, free=(WORKER,)),
        ),
        Mistake(
            "After a stop one batch is skipped: the state is a step ahead.",
            when=_says("one batch is skipped"),
        ),
        Mistake(
            "After a stop the last batch comes again: the state is a step "
            "behind.",
            when=_says("one batch comes again"),
        ),
        Mistake(
            "Worker 1 reads a step later what worker 0 has read. Together "
            "they take B * world rows in a step, so every one of them has "
            "to step over that many.",
            when=_overlap,
        ),
        Mistake(
            "In the first epoch a stop does no harm, but in a later one the "
            "rows after it are not the ones that were due. The state has to "
            "say in which epoch it was taken, and loading has to go there, to "
            "the order of that epoch.",
            when=_lost_epoch,
        ),
        Mistake(
            "Both bugs are still there: the state does not say which epoch "
            "it is, and a worker steps over its own rows only.",
            when=_both,
        ),
        Mistake(
            "The epoch at hand is finished as it should be, but the next one "
            "has another order than without the stop: what draws the orders "
            "is not where it was. Make an order depend on seed and epoch "
            "alone.",
            when=_says(LATER, free=("stopped between epochs",)),
        ),
        Mistake(
            "Loading draws a new order for an epoch that is half read. Make "
            "the order depend on seed and epoch alone, and it comes back by "
            "itself.",
            when=_says(AT_ONCE, LATER),
        ),
        Mistake(
            "All workers get the same rows, so that the second one teaches "
            "nothing. Worker `rank` takes the rows from rank * B on.",
            when=_says("both get the same rows"),
        ),
        Mistake(
            "Each worker shuffles all rows for itself, so some are read "
            "twice in an epoch and others never. All workers need one order, "
            "of which each takes its part.",
            when=_only("two workers", "some twice, some never"),
        ),
        Mistake(
            "Every epoch has the same order. Let it depend on the epoch, too.",
            when=_only("two epochs", "each row once, in the same order"),
        ),
        Mistake(
            "The seed makes no difference. The order should follow from seed "
            "and epoch.",
            when=_only("two seeds", "the same order"),
        ),
        Mistake(
            "The rows are not shuffled.",
            when=_says(
                "each row once, not shuffled",
                "each row once, in the same order",
                "the same order",
            ),
        ),
        Mistake(
            "Rows are drawn with replacement: in an epoch some come twice "
            "and others never. Shuffle them.",
            when=_says("some twice, some never"),
        ),
    ],
    praise="Where to go on is one number, because an order that follows "
    "from seed and epoch need not be saved.",
)
