"""What may come in: texts, and special tokens such as <|endoftext|>.

Chapter 1 explains why a special token's text stays text unless the caller
allows it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence


def split_specials(text: str, specials: Collection[str]) -> list[str]:
    """text -> [text, special, text, special, ..., text], longest first.

    Odd places hold special tokens, even ones the text between them.
    """
    check_text(text)
    return any_of(specials).split(text) if specials else [text]


def any_of(specials: Collection[str]) -> re.Pattern[str]:
    """A pattern for any of the specials: where two fit, the longer."""
    longest_first = sorted(specials, key=len, reverse=True)
    return re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")


def check_specials(specials: Sequence[str]) -> list[str]:
    """The names as a list; ValueError unless they are distinct texts."""
    if isinstance(specials, str):
        raise ValueError(f"special_tokens={specials!r}: give a list of strings")
    names = list(specials)
    for i, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise ValueError(f"special token {name!r} is no text")
        if name in names[:i]:
            raise ValueError(f"special token {name!r} is listed twice")
        utf8(name)
    return names


def check_allowed(
    allowed: Collection[str], specials: Mapping[str, int]
) -> Collection[str]:
    """ "all" or names -> names; ValueError for one that is no special token."""
    if allowed == "all":
        return specials
    if isinstance(allowed, str):
        raise ValueError(
            f'allowed_special={allowed!r}: give a set of names, or "all"'
        )
    unknown = sorted(set(allowed) - set(specials))
    if unknown:
        raise ValueError(
            f"allowed_special names {unknown}, but the special tokens here are "
            f"{list(specials)}"
        )
    return set(allowed)


def check_text(text: str) -> str:
    """The text; ValueError when it is bytes or anything else."""
    if not isinstance(text, str):
        raise ValueError(
            f"text must be str, not {type(text).__name__}: decode bytes, and "
            'open files as text, open(path, encoding="utf-8")'
        )
    return text


def documents(text: str | Iterable[str]) -> Iterator[str]:
    """One text, or an iterable of texts, as texts one at a time."""
    if isinstance(text, (str, bytes)):
        text = [check_text(text)]
    yield from map(check_text, text)


def utf8(text: str) -> bytes:
    """text -> its UTF-8 bytes; ValueError for half a surrogate pair."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise ValueError(
            f"the text holds half a surrogate pair, U+{code:04X}, which is no "
            'character: decode its bytes with errors="replace"'
        ) from error


def unknown_id(error: KeyError, vocab_size: int) -> ValueError:
    """What to raise when a vocabulary lacks the id that `error` names."""
    return ValueError(
        f"{error.args[0]!r} is no id here: ids are the ints 0 to "
        f"{vocab_size - 1} (for a tensor, pass ids.tolist())"
    )
