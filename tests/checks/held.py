"""All the tests of a chapter's checks, made from its right and wrong answers.

`globals().update(held_to(check, RIGHT, WRONG))` puts them into a module of
tests, where pytest finds them. `answers` says what each of them asks.
"""

import answers
import pytest


def held_to(check, right, wrong):
    """right {name: answers}, wrong {name: [(answer, what the check says)]}."""
    exercises = {name: getattr(check, name) for name in check.__all__}
    each = pytest.mark.parametrize("name", exercises)

    @each
    def test_every_exercise_has_its_tests(name):
        assert len(right[name]) >= 2
        assert len(wrong[name]) >= 3

    @each
    def test_right_answers_are_accepted(name):
        for answer in right[name]:
            answers.accepts(exercises[name], answer)

    @each
    def test_the_untouched_stub_is_met_kindly(name):
        answers.meets_the_stub_kindly(exercises[name])

    @pytest.mark.parametrize(
        ("name", "answer", "says"),
        [(name, *plant) for name, plants in wrong.items() for plant in plants],
    )
    def test_a_planted_mistake_is_named(name, answer, says):
        answers.names(exercises[name], answer, says)

    @each
    def test_every_named_mistake_can_be_met(name):
        """Also one that is known by its outputs: a planted answer makes it."""
        answers.tells_its_mistakes_apart(exercises[name])
        met = [exercises[name](answer).message for answer, _ in wrong[name]]
        for mistake in exercises[name].mistakes:
            if mistake.when:
                assert any(m.startswith(mistake.says) for m in met), mistake

    @each
    def test_its_own_reference_is_right(name):
        answers.can_be_done(exercises[name])

    return {k: f for k, f in locals().items() if k.startswith("test_")}
