"""An exercise: a reference, cases, and mistakes that have names.

Nothing here knows a chapter; `watch` runs the reader's code, `forms` reads
what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llm_utils.checks.forms import anything
from llm_utils.checks.result import UNSTARTED, Result
from llm_utils.checks.watch import Endless, Outcome, WrongForm, observe

HINTS = {  # what usually lies behind an exception
    IndexError: "Does a loop look one place past the end?",
    KeyError: "A plain dict knows no new keys: dict.get(key, 0) does.",
    NameError: "Was the cell that defines this name run?",
    RecursionError: "Does the function call itself on the same input?",
}


@dataclass(frozen=True)
class Mistake:
    """A classic mistake: a sentence for the reader, and how it is recognized.

    By `does`, a small function that makes the mistake: wherever its outputs
    are wrong, the reader's are the same. Or by `when(args, value)`, which is
    true of every wrong value that came.
    """

    says: str
    does: Callable[..., Any] | None = None
    when: Callable[[tuple[Any, ...], Any], bool] | None = None


@dataclass(frozen=True)
class Exercise:
    """Compares a reader's function with a reference, and explains the rest.

    name       what messages call the function
    asks       what to write: "write utf8(codepoint): the bytes of ..."
    reference  a right function; where it raises ValueError, that is asked
    cases      tuples of arguments, the smallest first
    mistakes   the classic ones
    form       reads a right answer of any form; WrongForm where it has none
    same       equality of two such values (tensors will want allclose)
    adapt      wraps every function before it runs (to watch a generator, say)
    show       prints an argument or a value, in ASCII
    praise     what to remember, said with a right answer
    """

    name: str
    asks: str
    reference: Callable[..., Any]
    cases: Sequence[tuple[Any, ...]] = ((),)
    mistakes: Sequence[Mistake] = ()
    form: Callable[[Any], Any] = anything
    same: Callable[[Any, Any], Any] = lambda a, b: a == b
    adapt: Callable[[Any], Callable[..., Any]] = anything
    show: Callable[[Any], str] = ascii
    praise: str = ""

    def __call__(self, answer: Any) -> Result:
        """Check a function, or the value that answers a question."""
        if answer is None or answer is ...:
            return self._unstarted()
        if not callable(answer):
            if any(self.cases):
                says = "Hand over the function itself, without calling it:"
                return Result(False, f"{says} check.{self.name}(your_function)")
            value, answer = answer, lambda: value
        got = self._run(answer)
        if any(isinstance(x.error, NotImplementedError) for x in got):
            return self._unstarted()
        want = self._run(self.reference)
        wrong = [i for i, x in enumerate(got) if not self._agree(x, want[i])]
        shows, says = self._diagnose(got, want, wrong)
        if shows:
            return Result(False, says + self._compare(shows[0], got, want))
        mutated = [i for i, x in enumerate(got) if x.mutated]
        if mutated:
            says = "Your function changes its input: leave it as it was and "
            says += "build a new value." + self._call(mutated[0])
            return Result(False, says)
        if wrong:
            return Result(False, self._unnamed(wrong[0], got, want))
        count = f"All {len(want)} cases agree. " if any(self.cases) else ""
        return Result(True, count + self.praise)

    def _unstarted(self) -> Result:
        return Result(False, f"{UNSTARTED}: {self.asks}.")

    def _run(self, function: Callable[..., Any]) -> list[Outcome]:
        """One outcome a case, up to the first that does not end."""
        function, outcomes = self.adapt(function), []
        for args in self.cases:
            outcomes.append(observe(function, args, self.form))
            if isinstance(outcomes[-1].error, Endless):
                break
        return outcomes

    def _agree(self, a: Outcome, b: Outcome) -> bool:
        if a.error is None and b.error is None:
            return bool(self.same(a.value, b.value))
        return _kind(a.error) is _kind(b.error)

    def _diagnose(
        self, got: list[Outcome], want: list[Outcome], wrong: list[int]
    ) -> tuple[list[int], str]:
        """The mistake that explains most of what is wrong: where it shows."""
        best: tuple[list[int], str] = ([], "")
        for mistake in self.mistakes if len(got) == len(want) else ():
            shows = self._explained(mistake, got, want, wrong)
            if len(shows) > len(best[0]):
                best = shows, mistake.says
        return best

    def _explained(
        self,
        mistake: Mistake,
        got: list[Outcome],
        want: list[Outcome],
        wrong: list[int],
    ) -> list[int]:
        """The cases that this mistake explains; none if it is not this one."""
        if mistake.when is not None:
            fits = [
                got[i].error is None
                and mistake.when(self.cases[i], got[i].value)
                for i in wrong
            ]
            return wrong if all(fits) else []
        assert mistake.does is not None, mistake.says
        theirs = self._run(mistake.does)
        shows = [i for i, x in enumerate(want) if not self._agree(theirs[i], x)]
        same = all(self._agree(got[i], theirs[i]) for i in shows)
        return shows if same else []

    def _unnamed(
        self, case: int, got: list[Outcome], want: list[Outcome]
    ) -> str:
        """A sentence for what no mistake explains, at its smallest case."""
        error = got[case].error
        if isinstance(error, WrongForm):
            what = "function returns" if self.cases[case] else "answer is"
            return f"Your {what} {error}.{self._call(case)}"
        if isinstance(error, Endless):
            says = "Your function was still running after half a million "
            return f"{says}lines: does its loop move on?{self._call(case)}"
        if error is not None:
            says = f"Your function stops with {_first_line(error)}."
            hints = [h for k, h in HINTS.items() if isinstance(error, k)]
            return " ".join([says, *hints]) + self._call(case)
        says = "This is the smallest case where yours differs:"
        return says + self._compare(case, got, want)

    def _call(self, case: int) -> str:
        """The call of one case, on a line of its own."""
        if not self.cases[case]:
            return ""
        args = ", ".join(self.show(x) for x in self.cases[case])
        return f"\n    {self.name}({args})"

    def _compare(
        self, case: int, got: list[Outcome], want: list[Outcome]
    ) -> str:
        """The call with what was expected of it and what came."""
        if not self.cases[case]:
            return ""
        wants, came = want[case], got[case]
        if wants.error is not None:
            ours = f"a {_kind(wants.error).__name__}"
        else:
            ours = self.show(wants.value)
        if came.error is not None:
            yours = _first_line(came.error)
        else:
            yours = self.show(came.value)
        call = self._call(case)
        return f"{call}\n      should be  {ours}\n      yours      {yours}"


def _first_line(error: BaseException) -> str:
    """`ValueError: what it says`; torch's own errors go on for a page."""
    said = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {said[0]}".rstrip(": .")


def _kind(error: BaseException | None) -> type:
    """The class of an error; all kinds of ValueError are one."""
    return ValueError if isinstance(error, ValueError) else type(error)
