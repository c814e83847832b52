"""Appendix D's checks: every bug is known by its name, every other is told."""

import pytest
from held import held_to

from llm_utils.appendix.bugs import EXHIBITS
from llm_utils.checks import bug_museum as check
from llm_utils.checks.bug_museum.exhibits import NUMBERED
from llm_utils.checks.bug_museum.marks import CONFUSED, LOOK, PRAISE, SHOWS

RIGHT = {
    f"exhibit_{n}": [bug, bug.replace("_", " ").title()]
    for n, bug in NUMBERED.items()
}
SPEAKS = {  # what a wrong guess is told
    "counted_padding": "loss stays above the floor, so something",
    "double_softmax": "But here the training loss hardly leaves its start",
    "kept_gradients": "the first steps are the sound run's own",
    "open_mask": "both are far too good: it is in the model",
    "other_ids": "the sound one to the last digit",
    "other_weights": "Here neither moves",
    "rate_too_high": "Here they are not, they are faster",
    "rows_apart": "near the level of single words",
    "same_batch": "something had to be learned by heart",
    "shifted_twice": "held-out loss falls at first",
    "unshifted_targets": "the first loss was below ln V already",
    "wide_table": "This curve is wrong before the first one",
}
TAKEN_FOR = {
    "counted_padding": "open_mask",
    "double_softmax": "shifted_twice",
    "kept_gradients": "rate_too_high",
    "open_mask": "unshifted_targets",
    "other_ids": "shifted_twice",
    "other_weights": "double_softmax",
    "rate_too_high": "kept_gradients",
    "rows_apart": "rate_too_high",
    "same_batch": "unshifted_targets",
    "shifted_twice": "other_ids",
    "unshifted_targets": "same_batch",
    "wide_table": "rate_too_high",
}


def unlikely(bug: str) -> str:
    """A guess that nobody would confuse with it."""
    return next(
        guess for guess in EXHIBITS
        if guess != bug and (bug, guess) not in CONFUSED
    )  # fmt: skip


WRONG = {
    f"exhibit_{n}": [
        (TAKEN_FOR[bug], SPEAKS[bug]),
        (unlikely(bug), f"{unlikely(bug)} would show"),
        ("a cosmic ray", "no name on the list"),
    ]
    for n, bug in NUMBERED.items()
}

globals().update(held_to(check, RIGHT, WRONG))


def test_everything_is_said_of_every_bug() -> None:
    for table in (SHOWS, LOOK, PRAISE):
        assert sorted(table) == sorted(EXHIBITS)
    assert {name for pair in CONFUSED for name in pair} == set(EXHIBITS)


@pytest.mark.parametrize("number", NUMBERED)
def test_no_wrong_guess_gives_the_name_away(number: int) -> None:
    bug = NUMBERED[number]
    for guess in EXHIBITS:
        result = check.diagnose(number, guess)
        assert result.ok == (guess == bug)
        assert result.ok or bug not in result.message


def test_a_number_that_is_not_there() -> None:
    assert "no exhibit 13" in check.diagnose(13, "open_mask").message


def test_a_guess_that_was_not_made() -> None:
    assert "Not started yet" in check.diagnose(1, ...).message
