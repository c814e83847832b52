"""What exercise 10 of chapter 7 tries on a class of loaders.

Any order will do, so what is compared is what a loader does, in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm

N, B, SEED = 16, 4, 5
Make = Callable[..., Any]
Rows = list[int]


def _next(loader: Any) -> Rows:
    rows = [int(row) for row in sequence(next(loader))]
    if len(rows) != B:
        raise WrongForm(
            f"{len(rows)} rows from next(loader); B = {B} are asked for"
        )
    return rows


def _take(loader: Any, steps: int) -> Rows:
    return [row for _ in range(steps) for row in _next(loader)]


def _visits(rows: Iterable[int]) -> str:
    """Whether rows are those of one epoch."""
    found = sorted(rows)
    if found == list(range(N)):
        return "each row once"
    outside = not set(found) <= set(range(N))
    return "rows that are not there" if outside else "some twice, some never"


def _one_epoch(make: Make) -> str:
    rows = _take(make(N, B, SEED), N // B)
    straight = rows == list(range(N))
    return f"{_visits(rows)}{', not shuffled' if straight else ''}"


def _two_epochs(make: Make) -> str:
    loader = make(N, B, SEED)
    first, second = _take(loader, N // B), _take(loader, N // B)
    same = "in the same order" if first == second else "in another order"
    return f"{_visits(second)}, {same}"


def _seeds(make: Make) -> str:
    a, b = (_take(make(N, B, seed), N // B) for seed in (1, 2))
    again = _take(make(N, B, 1), N // B)
    if a != again:
        return "one seed, two orders"
    return "the same order" if a == b else "another order"


def _workers(make: Make) -> str:
    """Two workers who share the rows of each of two epochs."""
    both = [make(N, B, SEED, rank=rank, world=2) for rank in (0, 1)]
    steps = N // B  # of each worker; two epochs, since there are two
    a, b = (_take(worker, steps) for worker in both)
    if a == b:
        return "both get the same rows"
    if a[B:] == b[:-B]:
        return "one reads a step later what the other has read"
    half = len(a) // 2
    found = {_visits(x[:half] + y[:half]) for x, y in [(a, b)]}
    found.add(_visits(a[half:] + b[half:]))
    return max(found, key=len)


def _resumed(make: Make, before: int, used: int = 0, **ranks: int) -> str:
    """What comes after a stop is what would have come without one."""
    whole = make(N, B, SEED, **ranks)
    read = _take(whole, before)
    state = whole.state_dict()
    try:
        text = json.dumps(state)
    except (TypeError, ValueError):
        return "a state that JSON cannot hold"
    due = _take(whole, 2 * N // B)
    fresh = make(N, B, SEED, **ranks)
    _take(fresh, used)
    fresh.load_state_dict(json.loads(text))
    got = _take(fresh, 2 * N // B)
    steps = N // B // ranks.get("world", 1)  # in an epoch
    rest = B * (steps - before % steps)
    epoch = read[before // steps * steps * B :] + due
    first = _take(make(N, B, SEED, **ranks), 2 * N // B)
    if got == due:
        return "the rows that were due"
    if got == first:
        return "starts again from the beginning"
    if got[:-B] == due[B:]:
        return "one batch is skipped"
    if got[B:] == due[:-B]:
        return "one batch comes again"
    if got == epoch[: len(got)]:
        return "begins the epoch again"
    if got[:rest] == due[:rest]:
        return "other rows from the next epoch on"
    return "other rows at once"


def trial_of(make: Make) -> Callable[[str], str]:
    """What loaders of this class do, by the name of a trial."""
    return lambda trial: TRIALS[trial](make)


TRIALS: dict[str, Callable[[Make], str]] = {
    "one epoch": _one_epoch,
    "two epochs": _two_epochs,
    "two seeds": _seeds,
    "two workers": _workers,
    "stopped in epoch 1": lambda make: _resumed(make, 2),
    "stopped in epoch 2": lambda make: _resumed(make, 6),
    "stopped between epochs": lambda make: _resumed(make, 4),
    "resumed by a used loader": lambda make: _resumed(make, 6, used=7),
    "worker 1 of 2 stopped": lambda make: _resumed(make, 3, rank=1, world=2),
}
