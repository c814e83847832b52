"""Exercise 9 of chapter 1: WordPiece, the longest piece first.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.text.tokenizer import WordPiece

Vocab = Sequence[str]
UNK = "[UNK]"


def _pieces(word: str, vocab: Vocab) -> list[str]:
    tokenizer = WordPiece([UNK, *vocab], special_tokens=[UNK])
    return [tokenizer.vocab[i] for i in tokenizer.encode(word)]


def _cut(
    word: str,
    vocab: Vocab,
    ends: Callable[[int, int], Iterable[int]],
    mark: str = "##",
) -> tuple[list[str], str]:
    """(pieces, the rest that nothing fits), trying the ends in this order."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        prefix = mark if start else ""
        for end in ends(start, len(word)):
            if prefix + word[start:end] in vocab:
                break
        else:
            return pieces, word[start:]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces, ""


def _long(start: int, n: int) -> range:
    return range(n, start, -1)


def _short(start: int, n: int) -> range:
    return range(start + 1, n + 1)


def _shortest(word: str, vocab: Vocab) -> list[str]:
    pieces, rest = _cut(word, vocab, _short)
    return [UNK] if rest else pieces


def _no_mark(word: str, vocab: Vocab) -> list[str]:
    pieces, rest = _cut(word, vocab, _long, mark="")
    return [UNK] if rest else pieces


def _half_and_unk(word: str, vocab: Vocab) -> list[str]:
    pieces, rest = _cut(word, vocab, _long)
    return pieces + [UNK] * bool(rest)


def _half(word: str, vocab: Vocab) -> list[str]:
    return _cut(word, vocab, _long)[0]


def _unk_a_character(word: str, vocab: Vocab) -> list[str]:
    pieces, rest = _cut(word, vocab, _long)
    while rest:
        pieces.append(UNK)
        more, rest = _cut("_" + rest[1:], ["_", *vocab], _long)
        pieces += more[1:]
    return pieces


def _back_and_forth(word: str, vocab: Vocab, mark: str = "") -> list[str]:
    """Takes a piece back when the rest does not fit."""
    for end in range(len(word), 0, -1):
        if mark + word[:end] in vocab:
            rest = _back_and_forth(word[end:], vocab, "##")
            if end == len(word) or UNK not in rest:
                return [mark + word[:end], *rest]
    return [UNK] if word else []


wordpiece = Exercise(
    name="wordpiece",
    asks="write wordpiece(word, vocab), which cuts one word into the longest "
    "pieces from the left",
    reference=_pieces,
    cases=[
        ("cat", ["cat"]),
        ("cat", ["dog"]),
        ("cats", ["cat", "##s"]),
        ("cats", ["c", "cat", "##a", "##t", "##s"]),
        ("cats", ["cat", "s"]),
        ("catz", ["cat", "##s"]),
        ("catzs", ["cat", "##s"]),
        ("abc", ["ab", "a", "##bc"]),
        ("unlockable", ["un", "lock", "##lock", "##l", "##able"]),
        ("aaaa", ["a", "##a", "##aa"]),
    ],
    form=sequence,
    mistakes=[
        Mistake(
            "You take the shortest piece that fits. Try the longest end "
            "first: the whole rest of the word, then one letter less.",
            _shortest,
        ),
        Mistake(
            "Inside a word you look for pieces without ##. All but the "
            "first stand in the vocabulary as ##piece.",
            _no_mark,
        ),
        Mistake(
            "The pieces are right, but you return them without their ##. "
            "It is part of the token: 's' and '##s' have different ids.",
            lambda word, vocab: [
                piece.removeprefix("##") for piece in _pieces(word, vocab)
            ],
        ),
        Mistake(
            "You give one [UNK] per letter and go on. In WordPiece one "
            "missing letter makes the whole word a single [UNK].",
            _unk_a_character,
        ),
        Mistake(
            "You keep the pieces found before the [UNK]. When the rest of a "
            "word does not fit, the whole word is one [UNK].",
            _half_and_unk,
        ),
        Mistake(
            "What does not fit vanishes. A word that cannot be cut to its "
            "end is one [UNK].",
            _half,
        ),
        Mistake(
            "You take a piece back when the rest does not fit. WordPiece "
            "never does: after 'ab' of 'abc' it is too late for '##bc', and "
            "the word is [UNK].",
            _back_and_forth,
        ),
    ],
    praise="Greedy and quick, and it has one weak point that bytes do not "
    "have: [UNK].",
)
