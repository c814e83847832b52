"""Running a reader's function: what it gave, raised, changed or never ended.

Used by the exercises of every chapter; knows nothing about any of them.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

LINES = 500_000  # lines of Python that one case may run: about half a second
INSTALLED = tuple(
    sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")
)


class WrongForm(Exception):
    """A value of the wrong type: "an int; a list is asked for"."""


class Endless(BaseException):
    """A function that is still running after `LINES` lines."""


@dataclass
class Outcome:
    """What one call came to: a value or an error."""

    value: Any = None
    error: BaseException | None = None
    mutated: bool = False  # did the call change its arguments?


class Watch:
    """Keeps what the code under `with` raises, and ends what never ends.

    Lines are counted with `sys.settrace`, on every system and without a
    thread. A debugger that is already tracing is left alone. Those of installed
    libraries do not count: torch imports parts of itself when they are first
    used, which is many lines, and half of an import breaks it for good.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.lines = 0

    def __enter__(self) -> Watch:
        self.traces = sys.gettrace() is None
        if self.traces:
            sys.settrace(self._count)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if self.traces:
            sys.settrace(None)
        self.error = error
        return isinstance(error, (Exception, Endless))

    def _count(self, frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith((*INSTALLED, "<frozen ")):
            return None
        self.lines += event == "line"
        if self.lines > LINES:
            raise Endless
        return self._count


def observe(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    form: Callable[[Any], Any],
) -> Outcome:
    """Call the function on a copy of the arguments and read what it returns."""
    given, outcome = copy(args), Outcome()
    with Watch() as watch:
        value = function(*given)
        if value is None:
            raise WrongForm(
                "nothing (None): did you forget `return`? Printing "
                "a value does not return it"
            )
        outcome.value = form(value)
    outcome.error = watch.error
    outcome.mutated = not unchanged(given, args)
    return outcome


def copy(x: Any) -> Any:
    """Containers and arrays are copied to the bottom; the rest is shared."""
    if isinstance(x, (list, tuple)):
        return type(x)(copy(y) for y in x)
    if isinstance(x, dict):
        return type(x)((copy(k), copy(v)) for k, v in x.items())
    for method in ("clone", "copy"):  # tensors; sets, arrays, byte arrays
        if hasattr(x, method):
            return getattr(x, method)()
    return x


def unchanged(x: Any, y: Any) -> bool:
    """Equality of two copies, tensors and arrays included."""
    if isinstance(x, (list, tuple)):
        return len(x) == len(y) and all(map(unchanged, x, y))
    if isinstance(x, dict):
        same = list(x) == list(y)
        return same and all(map(unchanged, x.values(), y.values()))
    equal = x == y
    return bool(equal.all() if hasattr(equal, "all") else equal)
