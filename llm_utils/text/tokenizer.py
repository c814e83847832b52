"""What every tokenizer can do, and the smallest one: a character, an id.

Chapter 1 starts here; `WordPiece` and `ByteBPE` follow the same protocol.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from .saved import PathLike, read_json, write_json
from .special import check_text, documents, unknown_id
from .wordpiece import WordPiece

__all__ = ["CharTokenizer", "Tokenizer", "WordPiece"]


@runtime_checkable
class Tokenizer(Protocol):
    """Text to ids in range(vocab_size) and back."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special tokens included."""

    def encode(self, text: str) -> list[int]:
        """text -> ids."""

    def decode(self, ids: Iterable[int]) -> str:
        """ids -> text; ValueError for an id outside the vocabulary."""

    def save(self, path: PathLike) -> None:
        """Write everything that `load` needs to one JSON file."""

    @classmethod
    def load(cls, path: PathLike) -> Tokenizer:
        """Read what `save` wrote; ValueError for a damaged file."""


class CharTokenizer:
    """One id per character of an alphabet, in the alphabet's order.

    Characters outside the alphabet have no id: encoding one is a ValueError.
    Derived in chapter 1.
    """

    def __init__(self, alphabet: Iterable[str]) -> None:
        chars = list(alphabet)
        for char in chars:
            if not isinstance(char, str) or len(char) != 1:
                raise ValueError(f"{char!r} in the alphabet is no character")
        self.vocab = dict(enumerate(chars))
        self._id_of = {char: i for i, char in self.vocab.items()}
        if len(self._id_of) < len(chars):
            twice = sorted({c for c in chars if chars.count(c) > 1})
            raise ValueError(f"the alphabet lists {twice} more than once")

    @classmethod
    def train(cls, text: str | Iterable[str]) -> CharTokenizer:
        """The characters of a text, or of documents, in code point order."""
        chars: set[str] = set()
        for document in documents(text):
            chars.update(document)
        return cls(sorted(chars))

    @property
    def vocab_size(self) -> int:
        """How many characters there are."""
        return len(self.vocab)

    def __repr__(self) -> str:
        return f"CharTokenizer({self.vocab_size} characters)"

    def encode(self, text: str) -> list[int]:
        """text -> ids, one per character."""
        try:
            return [self._id_of[char] for char in check_text(text)]
        except KeyError as error:
            char = error.args[0]
            raise ValueError(
                f"{char!r} (U+{ord(char):04X}) is not among the "
                f"{self.vocab_size} characters of this tokenizer: train it on "
                "a text that has it"
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """ids -> text: the exact inverse of encode."""
        try:
            return "".join([self.vocab[i] for i in ids])
        except KeyError as error:
            raise unknown_id(error, self.vocab_size) from None

    def save(self, path: PathLike) -> None:
        """Write the alphabet to a JSON file."""
        write_json(path, "CharTokenizer", 1, list(self.vocab.values()))

    @classmethod
    def load(cls, path: PathLike) -> CharTokenizer:
        """Read what `save` wrote; ValueError for a damaged file."""
        return cls(read_json(path, "CharTokenizer", 1))
