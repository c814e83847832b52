"""A ring of ranks in one process, for exercise 10 of chapter 9.

A rank is a generator: what it yields goes to its right neighbor, and `yield`
gives back what came from the left. All ranks move at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from llm_utils.checks.forms import number, sequence
from llm_utils.checks.watch import WrongForm, copy

TURNS = 40  # more than any program needs here
Program = Generator[Any, Any, Any]


class Played(NamedTuple):
    """What each rank holds at the end, and how many numbers it has sent.

    stuck: what holds the ring up, "" if nothing does.
    """

    held: tuple[tuple[float, ...], ...] = ()
    sent: tuple[int, ...] = ()
    turns: int = 0
    stuck: str = ""


def ring_of(write: Callable[[int, int, list[float]], Any]) -> Callable:
    """The ring in which each rank runs this program."""

    def run(grads: Sequence[Sequence[float]]) -> Played:
        n = len(grads)
        ranks = [write(r, n, list(g)) for r, g in enumerate(grads)]
        for rank in ranks:
            if not isinstance(rank, Generator):
                kind = type(rank).__name__
                raise WrongForm(
                    f"a {kind} at once; a rank has to pass messages, with "
                    "`got = yield message`"
                )
        return _play(ranks)

    return run


def _play(ranks: list[Program]) -> Played:
    n, sent = len(ranks), [0] * len(ranks)
    came: list[Any] = [None] * n
    for turn in range(TURNS):
        done: dict[int, Any] = {}
        said: dict[int, Any] = {}
        for r, rank in enumerate(ranks):
            try:
                said[r] = copy(rank.send(came[r]))
            except StopIteration as end:
                done[r] = end.value
        if not said:
            held = tuple(_read(done[r]) for r in range(n))
            return Played(held, tuple(sent), turn)
        if done:
            return Played(turns=turn, stuck=_late(min(done), min(said), turn))
        for r, message in said.items():
            sent[r] += _length(message)
        came = [said[(r - 1) % n] for r in range(n)]
    return Played(turns=TURNS, stuck="the messages never end")


def _late(gone: int, waiting: int, turn: int) -> str:
    return (
        f"after {turn} turns rank {gone} has returned and rank {waiting} "
        "still wants to pass a message"
    )


def _length(message: Any) -> int:
    """How many numbers a message has."""
    if message is None:
        raise WrongForm("a program that yields nothing; a message is asked for")
    if isinstance(message, (int, float)):
        return 1
    flat = 0
    for part in sequence(message):
        flat += _length(part)
    return flat


def _read(x: Any) -> tuple[float, ...]:
    if x is None:
        raise WrongForm("a program that returns nothing at its end")
    return tuple(map(number, sequence(x)))
