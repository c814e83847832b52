"""The framework of the checks, on an exercise of its own."""

import sys

import numpy as np
import pytest
import torch

from llm_utils.checks import Exercise, Mistake, Result, watch
from llm_utils.checks.forms import byte_string, counts, number, sequence
from llm_utils.checks.watch import WrongForm, copy, unchanged

double = Exercise(
    name="double",
    asks="write double(xs)",
    reference=lambda xs: [2 * x for x in xs],
    cases=[([],), ([3],), ([1, 2],), ([2, 2],)],
    mistakes=[
        Mistake("You square.", lambda xs: [x * x for x in xs]),
        Mistake("You add one.", lambda xs: [x + 1 for x in xs]),
        Mistake("Too short.", when=lambda args, value: len(value) < 2),
    ],
    form=sequence,
    praise="Twice as good.",
)


def test_a_right_answer_in_any_form():
    for answer in (
        lambda xs: [x + x for x in xs],
        lambda xs: tuple(2 * x for x in xs),
        lambda xs: (2 * x for x in xs),
        lambda xs: 2 * np.array(xs, dtype=int),
        lambda xs: 2 * torch.tensor(xs),
    ):
        result = double(answer)
        assert result.ok
        assert result
        assert repr(result) == "Right. All 4 cases agree. Twice as good."


def test_what_was_not_started():
    def stub(xs):
        raise NotImplementedError()

    for answer in (stub, None, ...):
        result = double(answer)
        assert not result.ok
        assert repr(result) == "Not started yet: write double(xs)."


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda xs: [x**2 for x in xs], "You square."),
        (lambda xs: [1 + x for x in xs], "You add one."),
        (lambda xs: xs[:1], "Too short."),
        (lambda xs: [3 * x for x in xs], "smallest case where yours differs"),
        (lambda xs: print(end=""), "did you forget `return`"),
        (lambda xs: {x: 2 * x for x in xs}, "returns a dict; a list is"),
        (lambda xs: 7, "returns an int; a list is asked for"),
        (lambda xs: [xs[0] * 2], "stops with IndexError: list index out"),
        (lambda xs: [2 * x for x in undefined], "Was the cell that defines"),  # noqa: F821
        (lambda: [], "stops with TypeError"),
        ([2, 4], "without calling it: check.double(your_function)"),
    ],
)
def test_the_sentence_for_a_wrong_answer(answer, says):
    result = double(answer)
    assert not result.ok
    assert says in repr(result).replace("\n", " ")


def test_the_smallest_case_is_shown():
    result = double(lambda xs: [3 * x for x in xs])
    assert result.message.splitlines()[1:] == [
        "    double([3])",
        "      should be  [6]",
        "      yours      [9]",
    ]


def test_the_mistake_that_explains_more_is_named():
    """[2, 2] squared is doubled: squaring shows in two cases, not three."""

    def square_but_short(xs):
        return [x * x for x in xs][:1]

    assert double(lambda xs: [x * x for x in xs]).message.startswith("You sq")
    assert double(square_but_short).message.startswith("Too short.")


def test_changing_the_input_is_noticed():
    def in_place(xs):
        for i in range(len(xs)):
            xs[i] *= 2
        return xs

    result = double(in_place)
    assert not result.ok
    assert "changes its input" in result.message
    assert "double([3])" in result.message
    assert double(lambda xs: in_place(list(xs))).ok


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger traces")
def test_an_endless_loop_is_ended():
    def endless(xs):
        while True:
            try:
                xs = list(xs)
            except Exception:
                return xs

    def endless_generator(xs):
        while True:
            yield 0

    for answer in (endless, endless_generator):
        result = double(answer)
        assert not result.ok
        assert "does its loop move on?" in result.message
    assert sys.gettrace() is None


def test_stopping_the_notebook_still_works():
    def interrupted(xs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        double(interrupted)
    assert sys.gettrace() is None


def test_a_reference_that_raises_wants_that():
    root = Exercise(
        name="root",
        asks="write root(x)",
        reference=lambda x: x**0.5 if x >= 0 else int("refused"),
        cases=[(4,), (-1,)],
        form=number,
    )

    def right(x):
        if x < 0:
            raise UnicodeError("a kind of ValueError")
        return x**0.5

    def other(x):
        return {4: 2}[x]

    assert root(right).ok
    assert not root(lambda x: abs(x) ** 0.5).ok
    assert "should be  a ValueError" in root(lambda x: abs(x) ** 0.5).message
    assert "stops with KeyError" in root(other).message


def test_equality_can_be_replaced():
    softly = Exercise(
        name="third",
        asks="write third(x)",
        reference=lambda x: x / 3,
        cases=[(torch.ones(2),)],
        same=torch.allclose,
        show=lambda x: str(x.tolist()),
    )
    assert softly(lambda x: x * (1 / 3)).ok
    assert not softly(lambda x: x * 0.3).ok
    assert "changes its input" in softly(lambda x: x.div_(3)).message


def test_a_value_answers_a_question():
    answer = Exercise(
        name="answer",
        asks="pick a number",
        reference=lambda: 42,
        mistakes=[Mistake("Too small.", when=lambda args, value: value < 42)],
        form=number,
        praise="That is it.",
    )
    assert repr(answer(42)) == repr(answer(lambda: 42)) == "Right. That is it."
    assert repr(answer(1)) == "Not yet. Too small."
    assert (
        repr(answer("7"))
        == "Not yet. Your answer is a str; a number is asked for."
    )
    assert "42" not in repr(answer(50))


def test_messages_are_ascii_and_narrow():
    text = repr(Result(False, "caf\u00e9 " * 30 + "\n    f('\u20ac')"))
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_an_error_is_shown_where_a_mistake_makes_it():
    total = Exercise(
        name="total",
        asks="write total(xs)",
        reference=sum,
        cases=[([1],), ([],)],
        mistakes=[Mistake("Nothing is 0.", lambda xs: xs[0] + sum(xs[1:]))],
        show=lambda x: str(x + 0) if isinstance(x, int) else ascii(x),
    )
    message = total(lambda xs: xs.pop() + sum(xs)).message
    assert message.startswith("Nothing is 0.")
    assert message.endswith("IndexError: pop from empty list")


def test_forms_refuse_what_they_cannot_read():
    assert byte_string([1, 2]) == byte_string(bytearray([1, 2])) == b"\1\2"
    assert counts({"a": 1, "b": 0}) == {"a": 1}
    assert number(np.float64(2)) == number(torch.tensor([[2]])) == 2.0
    for form, value in (
        (byte_string, "ab"),
        (byte_string, [256]),
        (counts, [("a", 1)]),
        (number, "2"),
        (number, True),
        (number, torch.ones(2)),
        (sequence, "ab"),
        (sequence, {1, 2}),
    ):
        with pytest.raises(WrongForm):
            form(value)


@pytest.mark.parametrize(
    "x",
    [[1, [2]], {"a": [1]}, ({1}, [b"x"]), [np.arange(3)], [torch.ones(2, 2)]],
)
def test_a_copy_is_equal_and_apart(x):
    y = copy(x)
    assert unchanged(x, y)
    inner = y["a"] if isinstance(y, dict) else y[-1]
    inner[0] = 9
    assert not unchanged(x, y)


def test_lines_of_libraries_do_not_count(tmp_path, monkeypatch):
    """torch imports a part of itself at the first step of an optimizer."""
    module = tmp_path / "large.py"
    module.write_text("n = 0\nfor _ in range(1000):\n    n += 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(watch, "LINES", 500)

    def answer(x):
        import large

        return large.n

    assert isinstance(watch.observe(answer, (1,), lambda x: x).error,
                      watch.Endless)  # fmt: skip
    sys.modules.pop("large", None)
    monkeypatch.setattr(watch, "INSTALLED", (str(tmp_path),))
    assert watch.observe(answer, (1,), lambda x: x).value == 1000
    sys.modules.pop("large", None)
