"""What a chapter's checks must do with its right and wrong answers.

A test module of a chapter holds the answers, written as readers write them,
and asks these four of every exercise.
"""

from llm_utils.checks import Exercise


def one_line(result):
    return " ".join(repr(result).split())


def accepts(exercise: Exercise, answer) -> None:
    result = exercise(answer)
    assert result.ok, result
    assert repr(result).startswith("Right. ")


def meets_the_stub_kindly(exercise: Exercise) -> None:
    def stub(*args):
        raise NotImplementedError()

    result = exercise(stub)
    assert not result.ok
    assert repr(result).startswith("Not started yet: ")
    assert "Error" not in repr(result)


def names(exercise: Exercise, answer, says: str) -> None:
    """The sentence for a wrong answer has these words, and fits a page."""
    result = exercise(answer)
    assert not result.ok
    assert says in one_line(result), one_line(result)
    assert repr(result).isascii()
    assert "Traceback" not in repr(result)
    assert max(map(len, repr(result).splitlines())) <= 80, result


def tells_its_mistakes_apart(exercise: Exercise) -> None:
    """Each mistake differs from the reference and from the others."""
    for mistake in exercise.mistakes:
        assert mistake.does or mistake.when
        if mistake.does:
            said = exercise(mistake.does).message
            assert said.startswith(mistake.says), f"{mistake.says}\n{said}"


def can_be_done(exercise: Exercise) -> None:
    """Its own reference passes, and no case raises an error by itself."""
    accepts(exercise, exercise.reference)
    for args in exercise.cases:
        exercise.adapt(exercise.reference)(*args)
