"""Exercise 8 of chapter 1: text from tokens, never half a character.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm


def _timeline(function: Callable[..., Any]) -> Callable[..., Any]:
    """The text that comes after each token, and after the last one ends.

    However a generator cuts its pieces, this is the same if it gives the same
    text at the same time.
    """

    def watched(tokens: list[bytes]) -> list[str]:
        spans: list[list[str]] = [[]]  # what came before the first token

        def source() -> Iterator[bytes]:
            for token in tokens:
                spans.append([])
                yield token
            spans.append([])

        pieces = function(source())
        if isinstance(pieces, str):
            raise WrongForm(
                "one string; a generator that yields pieces as they "
                "come is asked for"
            )
        for piece in _texts(pieces):
            spans[-1].append(piece)
        first, *rest = ["".join(span) for span in spans]
        return [first, *rest] if first else rest

    return watched


def _show(x: Any) -> str:
    """Tokens as they are; a timeline as "text | text | end: text"."""
    if all(isinstance(piece, str) for piece in x) and x:
        *parts, end = map(ascii, x)
        return " | ".join([*parts, f"end: {end}"])
    return ascii(x)


def _texts(pieces: Any) -> Iterator[str]:
    """The pieces, one at a time, refused as soon as one is not a str."""
    if not isinstance(pieces, Iterable):
        sequence(pieces)  # says what came
    for piece in pieces:
        if not isinstance(piece, str):
            kind = type(piece).__name__
            raise WrongForm(f"pieces of type {kind}; text (str) is asked for")
        yield piece


def _stream(tokens: Iterable[bytes], errors: str = "replace") -> Iterator[str]:
    decoder = getincrementaldecoder("utf-8")(errors)
    for token in tokens:
        yield decoder.decode(token)
    yield decoder.decode(b"", final=True)


def _alone(tokens: Iterable[bytes]) -> Iterator[str]:
    return (token.decode("utf-8", "replace") for token in tokens)


def _at_the_end(tokens: Iterable[bytes]) -> Iterator[str]:
    yield b"".join(tokens).decode("utf-8", "replace")


def _one_late(tokens: Iterable[bytes]) -> Iterator[str]:
    last = ""
    for piece in _stream(tokens):
        yield last
        last = piece
    yield last


def _no_flush(tokens: Iterable[bytes]) -> Iterator[str]:
    decoder = getincrementaldecoder("utf-8")("replace")
    return (decoder.decode(token) for token in tokens)


def _stuck(tokens: Iterable[bytes], at_end: str = "replace") -> Iterator[str]:
    """Waits for bytes that decode; an invalid one never will."""
    held = b""
    for token in tokens:
        held += token
        try:
            text = held.decode()
        except UnicodeDecodeError:
            continue
        yield text
        held = b""
    yield held.decode("utf-8", at_end)


stream = Exercise(
    name="stream",
    asks="write stream(tokens), a generator that takes the bytes of one token "
    "after another and yields text, never half a character",
    reference=_stream,
    cases=[
        ([b"Hi", b"!"],),
        ([b"\xe2", b"\x82", b"\xac", b"5"],),
        ([b"caf\xc3", b"\xa9 ", b"\xf0\x9f", b"\x99\x82!"],),
        ([b"a\xffb", b"c", b"d"],),
        ([b"ab\x80c", b"\xc3", b"\xa9", b"d"],),
        ([b"ok \xe2\x82"],),
        ([],),
    ],
    form=sequence,
    adapt=_timeline,
    show=_show,
    mistakes=[
        Mistake(
            "You decode each token alone, so a character whose bytes lie in "
            "two tokens comes out as U+FFFD twice. Keep the unfinished bytes "
            "and put them in front of the next token.",
            _alone,
        ),
        Mistake(
            "The text is right but it all comes at the end. Yield what is "
            "finished after every token: a reader is watching it appear.",
            _at_the_end,
        ),
        Mistake(
            "You ask for the next token before you give what is ready, so "
            "every piece comes one token late.",
            _one_late,
        ),
        Mistake(
            "You wait until all that you hold decodes. So finished text "
            "waits for an unfinished character, and after an invalid byte "
            "nothing comes until the end. Hold back only the beginning of a "
            "character (three bytes at most) and decode the rest with "
            "errors='replace'.",
            _stuck,
        ),
        Mistake(
            "You wait until all that you hold decodes, so after an invalid "
            "byte nothing comes any more, not even at the end. Hold back "
            "only the beginning of a character (three bytes at most) and "
            "decode the rest with errors='replace'.",
            lambda tokens: _stuck(tokens, "ignore"),
        ),
        Mistake(
            "Invalid bytes vanish without a trace. Show each as U+FFFD, as "
            "errors='replace' does, so that the reader sees that something "
            "was there.",
            lambda tokens: _stream(tokens, "ignore"),
        ),
        Mistake(
            "When the tokens end in the middle of a character, what you "
            "hold is lost. After the loop, decode it with errors='replace'.",
            _no_flush,
        ),
    ],
    praise="This is what every chat window does: Python's own is "
    "codecs.getincrementaldecoder('utf-8').",
)
