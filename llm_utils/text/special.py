"""Special tokens: named ids such as <|endoftext|> that no text can spell.

Chapter 1 explains why their text stays text unless the caller allows it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence


def split_specials(text: str, specials: Collection[str]) -> list[str]:
    """text -> [text, special, text, special, ..., text], longest first.

    Odd places hold special tokens, even ones the text between them.
    """
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
