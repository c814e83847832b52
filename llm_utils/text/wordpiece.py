"""WordPiece, BERT's tokenizer: words cut greedily into the longest pieces.

Chapter 1 compares it with BPE: the same counts, another score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from .bert_words import split_words
from .merges import PairTable
from .pretokenize import WordCache
from .saved import PathLike, read_json, write_json
from .special import (
    check_allowed,
    check_specials,
    documents,
    split_specials,
    unknown_id,
)

BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class WordPiece:
    """Words cut into pieces; all but a word's first are written ##piece.

    A word that cannot be cut, or is longer than 100 characters, is [UNK].
    Spaces, and with lowercase=True case and accents, are lost: decode gives
    readable text, not the original. Derived in chapter 1; Schuster and
    Nakajima (2012), Devlin et al. (2019).
    """

    max_chars = 100

    def __init__(
        self,
        vocab: Sequence[str],
        special_tokens: Sequence[str] = BERT_SPECIALS,
        unk: str = "[UNK]",
        lowercase: bool = True,
    ) -> None:
        """vocab: the pieces, special tokens included, in the order of ids."""
        self.vocab = dict(enumerate(check_specials(vocab)))
        id_of = {piece: i for i, piece in self.vocab.items()}
        missing = [t for t in (unk, *special_tokens) if t not in id_of]
        if missing:
            raise ValueError(f"the vocabulary of {len(id_of)} lacks {missing}")
        names = check_specials(special_tokens)
        self.special_tokens = {name: id_of[name] for name in names}
        self.unk, self.lowercase = unk, lowercase
        self._unk_id = id_of[unk]
        for name in {unk, *names}:  # no text can spell them
            del id_of[name]
        self._id_of = id_of
        self._ids_of_word = WordCache(self._encode_word)

    @property
    def vocab_size(self) -> int:
        """How many pieces there are, special tokens included."""
        return len(self.vocab)

    def __repr__(self) -> str:
        return f"WordPiece({self.vocab_size} pieces)"

    @classmethod
    def train(
        cls,
        text: str | Iterable[str],
        vocab_size: int,
        special_tokens: Sequence[str] = BERT_SPECIALS,
        unk: str = "[UNK]",
        lowercase: bool = True,
    ) -> WordPiece:
        """Special tokens, then characters, then merges up to vocab_size.

        Each step merges the pair with the highest n(ab) / (n(a) * n(b)), of
        equals the greatest pair of strings: the pair that is together more
        often than its parts would be by chance. With no pair left training
        ends early, with fewer pieces.
        """
        names = check_specials(special_tokens)
        n_of_word = Counter(
            word
            for document in documents(text)
            for part in split_specials(document, names)[::2]
            for word in split_words(part, lowercase)
        )
        words = {spell(word): n for word, n in n_of_word.items()}
        alphabet = sorted(set(chain.from_iterable(words)))
        n_merges = vocab_size - len(names) - len(alphabet)
        if n_merges < 0:
            raise ValueError(
                f"vocab_size={vocab_size} is too small: {len(names)} special "
                f"tokens and {len(alphabet)} characters (with and without ##) "
                f"need {len(names) + len(alphabet)}"
            )
        learned = learn_pieces(words, n_merges)
        return cls(names + alphabet + learned, names, unk, lowercase)

    def encode(
        self, text: str, allowed_special: Collection[str] = ()
    ) -> list[int]:
        """text -> ids, as BertTokenizer without [CLS] and [SEP] around.

        A special token's text is text unless allowed_special names it or is
        "all"; BertTokenizer's default is "all".
        """
        allowed = check_allowed(allowed_special, self.special_tokens)
        ids: list[int] = []
        for n, part in enumerate(split_specials(text, allowed)):
            if n % 2:
                ids.append(self.special_tokens[part])
            else:
                for word in split_words(part, self.lowercase):
                    ids.extend(self._ids_of_word[word])
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """ids -> text: pieces joined, words set apart by one space."""
        try:
            pieces = [self.vocab[i] for i in ids]
        except KeyError as error:
            raise unknown_id(error, self.vocab_size) from None
        return " ".join(pieces).replace(" ##", "")

    def save(self, path: PathLike) -> None:
        """Write everything to one JSON file."""
        body = {
            "vocab": list(self.vocab.values()),
            "special_tokens": list(self.special_tokens),
            "unk": self.unk,
            "lowercase": self.lowercase,
        }
        write_json(path, "WordPiece", 1, body)

    @classmethod
    def load(cls, path: PathLike) -> WordPiece:
        """Read what `save` wrote; ValueError for a damaged file."""
        body = read_json(path, "WordPiece", 1)
        try:
            return cls(**body)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is inconsistent: {error}") from error

    def _encode_word(self, word: str) -> list[int]:
        if len(word) > self.max_chars:
            return [self._unk_id]
        ids: list[int] = []
        start, prefix = 0, ""
        while start < len(word):
            for end in range(len(word), start, -1):  # the longest that fits
                piece = self._id_of.get(prefix + word[start:end])
                if piece is not None:
                    break
            else:
                return [self._unk_id]
            ids.append(piece)
            start, prefix = end, "##"
        return ids


def spell(word: str) -> tuple[str, ...]:
    """ "cat" -> ("c", "##a", "##t"): all but the first character continue."""
    return (word[:1], *("##" + char for char in word[1:]))


def learn_pieces(words: dict[tuple[str, ...], int], n_merges: int) -> list[str]:
    """The pieces of the first `n_merges` merges, fewer when no pair is left.

    Derived in chapter 1.
    """
    table = PairTable(words)
    n_of: Counter[str] = Counter()
    for word, n in words.items():
        for piece in word:
            n_of[piece] += n

    def score(pair: tuple[str, str]) -> tuple[float, tuple[str, str]]:
        a, b = pair
        return table.counts[pair] / (n_of[a] * n_of[b]), pair

    learned: list[str] = []
    while len(learned) < n_merges:
        pairs = [pair for pair, n in table.counts.items() if n]
        if not pairs:
            break
        a, b = max(pairs, key=score)
        piece = a + b.removeprefix("##")
        _, times = table.merge((a, b), piece)
        n_of[a] -= times
        n_of[b] -= times
        n_of[piece] = times
        learned.append(piece)
    return learned
