"""Byte-level byte-pair encoding, trained, applied and saved.

Chapter 1 derives it from `count_pairs` and `merge`. The ids are tiktoken's for
the same merges; Hugging Face's files come in chapter 13.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from .merges import apply_merges, count_pairs, learn_merges, merge
from .pretokenize import GPT2_PATTERN, Pretokenizer, WordCache
from .saved import PathLike, read_json, write_json
from .special import (
    check_allowed,
    check_specials,
    documents,
    split_specials,
    unknown_id,
    utf8,
)

if TYPE_CHECKING:
    import tiktoken

__all__ = ["GPT2_PATTERN", "ByteBPE", "MergeStep", "count_pairs", "merge"]

_BYTES = [bytes([value]) for value in range(256)]


class MergeStep(NamedTuple):
    """One step of `ByteBPE.trace`: the pieces of each pre-token after it."""

    rank: int | None  # index in `merges` of what was applied; None: the start
    words: list[list[bytes]]

    @property
    def pieces(self) -> list[bytes]:
        """All pieces in a row, pre-token borders forgotten."""
        return list(chain.from_iterable(self.words))


class ByteBPE:
    """A tokenizer whose tokens are byte strings, built up pair by pair.

    Ids: 256 bytes, then one per merge, in the order learned, then the special
    tokens. Any text round-trips. Derived in chapter 1; Sennrich et al. (2016),
    Radford et al. (2019), section 2.2.
    """

    def __init__(
        self,
        merges: Iterable[tuple[bytes, bytes]] = (),
        special_tokens: Sequence[str] = (),
        pattern: str = GPT2_PATTERN,
        byte_order: bytes = bytes(range(256)),
    ) -> None:
        """byte_order[i] is the byte with id i (GPT-2 shuffles them)."""
        if sorted(byte_order) != list(range(256)):
            raise ValueError("byte_order must hold each of the 256 bytes once")
        self.merges = [(bytes(a), bytes(b)) for a, b in merges]
        self.pattern = pattern
        self.byte_order = bytes(byte_order)
        self._pieces = Pretokenizer(pattern)
        id_of = {_BYTES[byte]: i for i, byte in enumerate(byte_order)}
        self._made: dict[tuple[int, int], int] = {}  # pair -> what it becomes
        for rank, (a, b) in enumerate(self.merges):
            _check_merge(rank, a, b, id_of)
            self._made[id_of[a], id_of[b]] = id_of[a + b] = 256 + rank
        self.vocab = {i: token for token, i in id_of.items()}
        self.special_tokens = {
            token: len(id_of) + i
            for i, token in enumerate(check_specials(special_tokens))
        }
        for token, i in self.special_tokens.items():
            self.vocab[i] = token.encode("utf-8")
        self._id_of_byte = [id_of[byte] for byte in _BYTES]
        self._ids_of_word = WordCache(self._encode_word)

    @property
    def vocab_size(self) -> int:
        """256 + len(merges) + len(special_tokens)."""
        return len(self.vocab)

    def __repr__(self) -> str:
        return (
            f"ByteBPE({len(self.merges)} merges, "
            f"{len(self.special_tokens)} special tokens)"
        )

    @classmethod
    def train(
        cls,
        text: str | Iterable[str],
        vocab_size: int,
        special_tokens: Sequence[str] = (),
        pattern: str = GPT2_PATTERN,
    ) -> ByteBPE:
        """Learn vocab_size - 256 - len(special_tokens) merges from `text`.

        text: one string, or documents, read one at a time (an open file gives
        its lines). Merges cross neither documents, nor the pieces of the
        pattern, nor special tokens, whose own text is not learned from. Of
        equally frequent pairs the greatest pair of byte strings is merged.
        With no pair left to merge training ends early, with fewer tokens.
        """
        specials = check_specials(special_tokens)
        n_merges = vocab_size - 256 - len(specials)
        if n_merges < 0:
            raise ValueError(
                f"vocab_size={vocab_size} is too small: 256 bytes and "
                f"{len(specials)} special tokens need {256 + len(specials)}"
            )
        pieces = Pretokenizer(pattern)
        n_of_piece: Counter[str] = Counter()
        for document in documents(text):
            for part in split_specials(document, specials)[::2]:
                n_of_piece.update(pieces(part))
        words = {
            tuple([_BYTES[byte] for byte in utf8(piece)]): n
            for piece, n in n_of_piece.items()
        }
        return cls(learn_merges(words, n_merges), specials, pattern)

    @classmethod
    def from_merges(
        cls,
        merges: Iterable[tuple[bytes, bytes]],
        special_tokens: Sequence[str] = (),
        pattern: str = GPT2_PATTERN,
    ) -> ByteBPE:
        """The tokenizer with these merges, the first learned first."""
        return cls(merges, special_tokens, pattern)

    def encode(
        self, text: str, allowed_special: Collection[str] = ()
    ) -> list[int]:
        """text -> ids. A special token's text is text unless it is allowed.

        allowed_special: names of special tokens that become their one id, or
        "all". Allow none in text from users: it could forge a message's end.
        """
        return self._encode(
            text, check_allowed(allowed_special, self.special_tokens)
        )

    def encode_iterable(
        self, chunks: Iterable[str], allowed_special: Collection[str] = ()
    ) -> Iterator[int]:
        """The ids of "".join(chunks), however it is cut, in flat memory."""
        allowed = check_allowed(allowed_special, self.special_tokens)
        for part in self._pieces.settled(chunks, allowed):
            yield from self._encode(part, allowed)

    def decode(self, ids: Iterable[int], errors: str = "replace") -> str:
        """ids -> text. Bytes that are not UTF-8 become U+FFFD.

        errors: as in bytes.decode; "strict" raises UnicodeDecodeError.
        """
        return self.decode_bytes(ids).decode("utf-8", errors)

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """ids -> bytes: the exact inverse of encode, before UTF-8."""
        try:
            return b"".join([self.vocab[i] for i in ids])
        except KeyError as error:
            raise unknown_id(error, self.vocab_size) from None

    def trace(self, text: str) -> list[MergeStep]:
        """How encode goes about `text`: its pieces after each merge."""
        words = [
            [self._id_of_byte[byte] for byte in utf8(piece)]
            for piece in self._pieces(text)
        ]
        steps, rank = [], None
        while True:
            steps.append(
                MergeStep(rank, [[self.vocab[i] for i in w] for w in words])
            )
            pairs = chain.from_iterable(map(pairwise, words))
            fits = {self._made[p]: p for p in pairs if p in self._made}
            if not fits:
                return steps
            new = min(fits)
            rank = new - 256
            words = [merge(word, fits[new], new) for word in words]

    def save(self, path: PathLike) -> None:
        """Write everything to one JSON file, bytes as latin-1 characters."""
        body = {
            "pattern": self.pattern,
            "byte_order": self.byte_order.decode("latin-1"),
            "merges": [
                [a.decode("latin-1"), b.decode("latin-1")]
                for a, b in self.merges
            ],
            "special_tokens": list(self.special_tokens),
        }
        write_json(path, "ByteBPE", 1, body)

    @classmethod
    def load(cls, path: PathLike) -> ByteBPE:
        """Read what `save` wrote. ValueError says what is wrong with a file."""
        body = read_json(path, "ByteBPE", 1)
        try:
            return cls(
                [
                    (a.encode("latin-1"), b.encode("latin-1"))
                    for a, b in body["merges"]
                ],
                body["special_tokens"],
                body["pattern"],
                body["byte_order"].encode("latin-1"),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path} is inconsistent: {error!r}") from error

    def to_tiktoken(self, name: str = "llm_utils") -> tiktoken.Encoding:
        """The same tokenizer in Rust: the same ids, at tiktoken's speed.

        Its encode_ordinary is our encode. Of special tokens that overlap it
        need not take the longest. ValueError for hand-made merges that it
        cannot express.
        """
        from .tiktoken_bridge import to_encoding

        return to_encoding(self, name)

    @classmethod
    def gpt2(cls) -> ByteBPE:
        """GPT-2's own 50,257 tokens, from the files that tiktoken fetches.

        OSError when they are neither in tiktoken's cache nor to be had.
        """
        from .tiktoken_bridge import gpt2_merges

        merges, byte_order = gpt2_merges()
        return cls(merges, ["<|endoftext|>"], GPT2_PATTERN, byte_order)

    def _encode(self, text: str, allowed: Collection[str]) -> list[int]:
        ids: list[int] = []
        for n, part in enumerate(split_specials(text, allowed)):
            if n % 2:
                ids.append(self.special_tokens[part])
            else:
                words = map(self._ids_of_word.__getitem__, self._pieces(part))
                ids.extend(chain.from_iterable(words))
        return ids

    def _encode_word(self, word: str) -> list[int]:
        ids = [self._id_of_byte[byte] for byte in utf8(word)]
        return apply_merges(ids, self._made)


def _check_merge(
    rank: int, a: bytes, b: bytes, known: Collection[bytes]
) -> None:
    for part in (a, b):
        if part not in known:
            raise ValueError(
                f"merge {rank} joins {a!r} and {b!r}, but no byte and no "
                f"earlier merge gives {part!r}: list merges in learned order"
            )
    if a + b in known:
        raise ValueError(f"merge {rank} gives {a + b!r}, already a token")
