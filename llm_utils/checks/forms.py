"""Any form of a right answer, read into one: what a check compares.

A form takes what a reader's function returned and gives the plain value, or
raises `WrongForm` with what follows "Your function returns ...".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llm_utils.checks.watch import WrongForm


def _refuse(x: Any, wants: str) -> WrongForm:
    kind = type(x).__name__
    an = "an" if kind[0] in "aeiou" else "a"
    return WrongForm(f"{an} {kind}; {wants} is asked for")


def anything(x: Any) -> Any:
    """The value as it came."""
    return x


def sequence(x: Any) -> list[Any]:
    """A list from a list, tuple, generator, array: anything with an order."""
    x = x.tolist() if hasattr(x, "tolist") else x
    unordered = isinstance(x, (str, bytes, Mapping, set, frozenset))
    if unordered or not isinstance(x, Iterable):
        raise _refuse(x, "a list")
    return list(x)


def counts(x: Any) -> dict[Any, Any]:
    """{thing: how often} from any mapping; what never occurs is left out."""
    if not isinstance(x, Mapping):
        raise _refuse(x, "a dictionary {pair: count}")
    return {key: n for key, n in x.items() if n != 0}


def byte_string(x: Any) -> bytes:
    """bytes from bytes, a bytearray, or a list of numbers from 0 to 255."""
    if isinstance(x, (bytes, bytearray)):
        return bytes(x)
    if isinstance(x, (str, int, Mapping)) or not isinstance(x, Iterable):
        raise _refuse(x, "a bytes object")
    numbers = list(x)
    if not all(isinstance(n, int) and 0 <= n < 256 for n in numbers):
        raise WrongForm(f"{numbers!a}; a byte is from 0 to 255")
    return bytes(numbers)


def number(x: Any) -> float:
    """A float from any number, array scalars included."""
    if getattr(x, "shape", ()) and x.shape.count(1) != len(x.shape):
        raise WrongForm(
            f"an array of shape {tuple(x.shape)}; one number is asked for"
        )
    x = x.item() if hasattr(x, "item") else x
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        raise _refuse(x, "a number")
    return float(x)


def letter(x: Any) -> str:
    """The one capital letter that answers a question with choices."""
    if not isinstance(x, str):
        raise _refuse(x, "a letter such as 'A'")
    return x.strip(" ().").upper()
