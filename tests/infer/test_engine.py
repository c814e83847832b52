"""The engine: turns, limits, and readers who leave."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from llm_utils.infer.engine import Busy, Engine


def counting(name, n, log, closed=None):
    """n pieces; notes each step, and its end."""
    try:
        for i in range(n):
            log.append((name, i))
            yield f"{name}{i}"
    finally:
        if closed is not None:
            closed.append(name)


async def read(engine, work):
    return [piece async for piece in engine.run(work)]


@pytest.fixture
def engine():
    made = Engine(slots=3, waiting=2)
    yield made
    made.close()


def test_everybody_gets_all_and_only_their_own(engine):
    async def all_at_once():
        works = [counting(x, 5, []) for x in "abc"]
        return await asyncio.gather(*(read(engine, w) for w in works))

    got = asyncio.run(all_at_once())
    assert got == [[f"{x}{i}" for i in range(5)] for x in "abc"]
    assert engine.readers == 0 and engine.steps == 15


def test_readers_take_turns(engine):
    log = []

    async def all_at_once():
        works = [counting(x, 6, log) for x in "abc"]
        await asyncio.gather(*(read(engine, w) for w in works))

    asyncio.run(all_at_once())
    for turn in range(6):
        names = {name for name, _ in log[3 * turn : 3 * turn + 3]}
        assert names == set("abc"), log


def test_a_waiting_reader_starts_when_one_is_done(engine):
    log = []

    async def all_at_once():
        works = [counting(x, 2 + 4 * (x != "a"), log) for x in "abcd"]
        await asyncio.gather(*(read(engine, w) for w in works))

    asyncio.run(all_at_once())
    at = {name: log.index((name, 0)) for name in "abcd"}
    assert at["d"] > log.index(("a", 1))
    assert at["d"] < log.index(("b", 5)), "it waited for the whole batch"


def test_one_too_many_is_refused_and_the_others_are_served(engine):
    async def all_at_once():
        works = [counting(str(x), 3, []) for x in range(7)]
        tasks = (read(engine, w) for w in works)
        return await asyncio.gather(*tasks, return_exceptions=True)

    got = asyncio.run(all_at_once())
    assert sum(isinstance(x, Busy) for x in got) == 2
    assert [len(x) for x in got if isinstance(x, list)] == [3] * 5
    assert engine.readers == 0


def test_who_stops_reading_stops_the_work(engine):
    log, closed = [], []

    async def leave():
        pieces = engine.run(counting("a", 1000, log, closed))
        async with aclosing(pieces):
            async for _ in pieces:
                break
        await read(engine, counting("b", 2, []))

    asyncio.run(leave())
    assert log == [("a", 0)] and closed == ["a"]


def test_a_canceled_task_stops_the_work_even_while_it_waits(engine):
    log, closed = [], []

    async def cancel():
        long = [counting(x, 10**9, log, closed) for x in "abcd"]
        tasks = [asyncio.create_task(read(engine, w)) for w in long]
        while len(log) < 30:
            await asyncio.sleep(0.001)
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        n = len(log)
        await asyncio.sleep(0.05)
        assert len(log) <= n + 3

    asyncio.run(cancel())
    assert engine.readers == 0 and "d" not in dict(log)
    assert sorted(closed) == ["a", "b", "c"]  # d had not begun


def test_an_error_reaches_its_own_reader_only(engine):
    def failing():
        yield "one"
        raise ArithmeticError("no logits")

    async def both():
        works = failing(), counting("b", 4, [])
        tasks = (read(engine, w) for w in works)
        return await asyncio.gather(*tasks, return_exceptions=True)

    failed, fine = asyncio.run(both())
    assert isinstance(failed, ArithmeticError)
    assert fine == ["b0", "b1", "b2", "b3"] and engine.readers == 0


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="slots=0"):
        Engine(slots=0)
