"""Both schedules against a simulation that goes tick by tick."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.infer.schedule import Turn, continuous, static, utilization

lengths = st.lists(st.integers(1, 9), min_size=1, max_size=20)
places = st.integers(1, 5)


def ticking(readers, n_places, came, at_once):
    """Step by step; at_once: an empty place is filled before the others end."""
    waiting, at = list(enumerate(readers)), [None] * n_places
    turns, tick = [], 0
    while waiting or any(at):
        if at_once or not any(at):
            for place in range(n_places):
                if not at[place] and waiting and came[waiting[0][0]] <= tick:
                    reader, n = waiting.pop(0)
                    at[place] = [reader, tick, n]
        tick += 1
        for place, here in enumerate(at):
            if here:
                here[2] -= 1
                if not here[2]:
                    turns.append((here[0], here[1], tick))
                    at[place] = None
    return sorted(turns)


def times(turns):
    return sorted((t.reader, t.start, t.stop) for t in turns)


@given(lengths, places)
def test_static_is_what_ticks_give(readers, n):
    came = [0] * len(readers)
    assert times(static(readers, n)) == ticking(readers, n, came, False)


@given(lengths, places, st.data())
def test_continuous_is_what_ticks_give(readers, n, data):
    came = sorted(data.draw(st.integers(0, 30)) for _ in readers)
    turns = continuous(readers, n, came)
    assert times(turns) == ticking(readers, n, came, True)


@given(lengths, places)
def test_no_two_in_one_place_and_never_slower(readers, n):
    for turns in (static(readers, n), continuous(readers, n)):
        cells = {(t.place, s) for t in turns for s in range(t.start, t.stop)}
        assert len(cells) == sum(readers)
        assert {t.place for t in turns} <= set(range(n))
        assert 0 < utilization(turns, n) <= 1
    last = max(t.stop for t in continuous(readers, n))
    assert last <= max(t.stop for t in static(readers, n))


def test_the_example_of_the_chapter():
    assert static([4, 2, 3], 2) == [
        Turn(0, 0, 0, 4), Turn(1, 1, 0, 2), Turn(2, 0, 4, 7)
    ]  # fmt: skip
    assert continuous([4, 2, 3], 2)[2] == Turn(2, 1, 2, 5)
    assert utilization(static([4, 2, 3], 2), 2) == 9 / 14
    assert utilization(continuous([4, 2, 3], 2), 2) == 0.9


@pytest.mark.parametrize("wrong", [([], 1), ([1], 0), ([0], 1)])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError):
        continuous(*wrong)
    with pytest.raises(ValueError):
        static(*wrong)


def test_arrivals_out_of_order_are_refused():
    with pytest.raises(ValueError, match="in order"):
        continuous([1, 1], 1, [3, 2])
