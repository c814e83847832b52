"""Cutting text into the pieces that merges never cross.

Chapter 1 reads the pattern piece by piece; `settled` is what lets a text of
any length be cut while it is still arriving.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

import regex

from .special import any_of, check_text

GPT2_PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)"  # 's 't 'll: the ends of English contractions
    r"| ?\p{L}+"  # letters, with the space before them
    r"| ?\p{N}+"  # digits and other numbers
    r"| ?[^\s\p{L}\p{N}]+"  # anything else that is not a space
    r"|\s+(?!\S)"  # spaces, but the last one belongs to the next word
    r"|\s+"
)

# GPT-2's pieces never go on from a non-space to a space, so this is a border
# in any text. Behind it only the last two pieces of a text can change when
# more arrives: the last may grow, and "'" + "l" may still become "'ll".
_LAST_BORDER = regex.compile(r"(?r)(?<=\S)(?=\s)")
_BUFFER = 1 << 16  # characters gathered before they are cut


class Pretokenizer:
    """A pattern that cuts text into pieces: "".join(pieces) == text."""

    def __init__(self, pattern: str = GPT2_PATTERN) -> None:
        try:
            self._regex = regex.compile(pattern)
        except (regex.error, TypeError) as error:
            raise ValueError(f"not a pattern: {pattern!r}: {error}") from error
        if self._regex.groups:
            raise ValueError(
                f"the pattern {pattern!r} captures groups: write (?:...)"
            )
        self.pattern = pattern

    def __call__(self, text: str) -> list[str]:
        """text -> pieces. ValueError where the pattern skips characters."""
        pieces: list[str] = self._regex.findall(text)
        if sum(map(len, pieces)) != len(text):
            skipped = self._regex.sub("", text)[:20]
            raise ValueError(
                f"the pattern {self.pattern!r} skips {skipped!r}, which would "
                "be lost: add an alternative that matches it"
            )
        return pieces

    def settled(
        self, chunks: Iterable[str], specials: Collection[str] = ()
    ) -> Iterator[str]:
        """Chunks of a text, cut anywhere -> parts of it, cut where it is safe.

        Cutting each part alone gives the pieces of the whole text, whatever
        the chunks. What could still change with the next chunk waits, so
        memory is flat but for a piece that is long itself. With a pattern
        other than GPT2_PATTERN the text between specials is gathered first.
        """
        tail, fresh, length = "", [], 0
        for chunk in map(check_text, chunks):
            fresh.append(chunk)
            length += len(chunk)
            if length > max(_BUFFER, len(tail)):  # doubling keeps it linear
                text = tail + "".join(fresh)
                cut = self._safe_cut(text, specials)
                yield text[:cut]
                tail, fresh, length = text[cut:], [], 0
        yield tail + "".join(fresh)

    def _safe_cut(self, text: str, specials: Collection[str]) -> int:
        """Where `text` can be cut, whatever may follow it."""
        longest = max(map(len, specials), default=1)
        known = len(text) - longest + 1  # no special begins before, unseen
        start = 0
        for special in any_of(specials).finditer(text) if specials else ():
            if special.start() < known:
                start = special.end()
        known = max(known, start)
        if self.pattern != GPT2_PATTERN:
            return start
        if border := _LAST_BORDER.search(text, start, known):
            start = border.start()
        last_two = self(text[start:known])[-2:]
        return known - sum(map(len, last_two))


class WordCache(dict[str, list[int]]):
    """{word: ids}, filled as words are met and emptied when full.

    Most words of a text come again and again: looking one up is many times
    faster than encoding it. Long words, which seldom return, are not kept.
    """

    max_words, max_chars = 1 << 16, 64

    def __init__(self, encode_word: Callable[[str], list[int]]) -> None:
        super().__init__()
        self._encode_word = encode_word

    def __missing__(self, word: str) -> list[int]:
        ids = self._encode_word(word)
        if len(word) <= self.max_chars:
            if len(self) >= self.max_words:
                self.clear()
            self[word] = ids
        return ids
