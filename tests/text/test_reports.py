"""Reports on a story: every truth is worth a point, all else costs one."""

from __future__ import annotations

import pytest

from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tinyworld.reports import (
    guessed_report,
    judge_report,
    truths,
)


@pytest.mark.parametrize("level", ["mini", "small", "full"])
def test_all_truths_together_are_a_perfect_report(level: str) -> None:
    for story in TinyWorld(level).stories(40, seed=3):
        told = truths(story.facts)
        assert len(set(told)) == len(told)
        n = len(told)
        assert judge_report(story.facts, " ".join(told)) == (n, n, n)


def test_what_is_false_or_told_twice_or_cut_off_costs() -> None:
    story = next(TinyWorld("mini").stories(1, seed=3))
    a, b, *_ = truths(story.facts)
    for text, wanted in {
        "": (0, 0, -1),
        a: (1, 1, 1),
        f"{a} {b}": (2, 2, 2),
        f"{a} {a}": (2, 1, 0),
        f"{a} The moon is red.": (2, 1, 0),
        f"{a} {b[:-3]}": (2, 1, 0),
        "Nobody knows. Who asks": (2, 0, -2),
    }.items():
        assert judge_report(story.facts, text) == wanted, text
    assert judge_report(story.facts, a, ended=False).points == 0


def test_a_guess_is_a_report_and_not_a_good_one() -> None:
    told = [
        judge_report(s.facts, guessed_report(s))
        for s in TinyWorld("mini").stories(200, seed=1)
    ]
    share = sum(r.true for r in told) / sum(r.sentences for r in told)
    assert 0.4 < share < 0.9
    assert min(r.sentences for r in told) >= 3
