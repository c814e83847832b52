"""Exercise 1 of chapter 1: one character as bytes, in UTF-8.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import byte_string


def _knobs(
    cp: int,
    lead: tuple[int, ...] = (0, 0xC0, 0xE0, 0xF0),
    mark: int = 0x80,
    mask: int = 0x3F,
) -> bytes:
    """UTF-8 with its parts as knobs, so that a mistake is one of them."""
    if 0xD800 <= cp <= 0xDFFF or cp > 0x10FFFF:
        raise ValueError(f"{cp} is not a character")
    tail = sum(cp > last for last in (0x7F, 0x7FF, 0xFFFF))
    rest = [mark | (cp >> 6 * i) & mask for i in reversed(range(tail))]
    return bytes([lead[tail] | cp >> 6 * tail, *rest])


def _surrogate(args: tuple[int, ...]) -> bool:
    return args[0] in range(0xD800, 0xE000)


def _off_by(extra: int, borders: tuple[int, ...]) -> Callable[..., bool]:
    """Wrong only at these code points, by this many bytes."""

    def when(args: tuple[Any, ...], value: bytes) -> bool:
        right = len(chr(args[0]).encode()) if args[0] in borders else 0
        return right > 0 and len(value) == right + extra

    return when


utf8 = Exercise(
    name="utf8",
    asks="write utf8(codepoint), which returns the bytes of one character",
    reference=lambda cp: chr(cp).encode("utf-8"),
    cases=[
        (cp,)
        for cp in (
            *(0x41, 0xE9, 0x20AC, 0x1F642, 0, 0x7F, 0x80, 0x7FF, 0x800),
            *(0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF),
            *(0xD800, 0xDFFF, 0x110000),
        )
    ],
    form=byte_string,
    show=lambda x: f"0x{x:X}" if isinstance(x, int) else ascii(x),
    mistakes=[
        Mistake(
            "The continuation bytes lack their mark. Every byte after the "
            "first starts with the bits 10: put 0b10_000000 | in front of "
            "its six bits.",
            lambda cp: _knobs(cp, mark=0),
        ),
        Mistake(
            "The first byte does not say how many bytes follow. It opens "
            "with 110, 1110 or 11110 for two, three or four bytes.",
            lambda cp: _knobs(cp, lead=(0, 0, 0, 0)),
        ),
        Mistake(
            "A continuation byte holds six bits and yours take more: keep "
            "the lowest six with & 0b111111 after the shift.",
            lambda cp: _knobs(cp, mask=0xFFFFFF),
        ),
        Mistake(
            "The bytes come in the wrong order. UTF-8 writes the first "
            "byte, which holds the highest bits, first.",
            lambda cp: _knobs(cp)[::-1],
        ),
        Mistake(
            "One byte too many at a border. 0x7F still fits into one byte, "
            "0x7FF into two and 0xFFFF into three: compare with <=, or with "
            "< 0x80, < 0x800, < 0x10000.",
            when=_off_by(1, (0x7F, 0x7FF, 0xFFFF)),
        ),
        Mistake(
            "One byte too few at a border. 0x80 is the first code point "
            "that needs two bytes, 0x800 the first with three, 0x10000 the "
            "first with four.",
            when=_off_by(-1, (0x80, 0x800, 0x10000)),
        ),
        Mistake(
            "All characters are right, but 0xD800 to 0xDFFF are surrogates, "
            "halves that only UTF-16 uses. UTF-8 has no bytes for them: "
            "raise ValueError.",
            when=lambda args, value: _surrogate(args),
        ),
        Mistake(
            "All characters are right. But not every number is one: raise "
            "ValueError for the surrogates, 0xD800 to 0xDFFF, and for "
            "everything above 0x10FFFF.",
            when=lambda args, value: _surrogate(args) or args[0] > 0x10FFFF,
        ),
    ],
    praise="You can now read any UTF-8 file byte by byte: the first byte "
    "says how many follow, and those that follow look like no first byte.",
)
