"""WordPiece: by hand, by definition, and against BertTokenizer."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_utils.text.bert_words import split_words
from llm_utils.text.saved import write_json
from llm_utils.text.wordpiece import BERT_SPECIALS, WordPiece, learn_pieces

TEXT = (
    "The unaffable giraffe was unaffected: $5.00 (five) dollars, na\u00efve "
    "caf\u00e9s, 3^2 = 9. \u4e2d\u6587 \u0395\u03bb\u03bb\u03b7\u03bd\u03b9"
    "\u03ba\u03ac \u0130stanbul Stra\u00dfe e\u0301t\u00e9 [x] #tag ##y\n"
)
PIECES = [*BERT_SPECIALS, "un", "una", "##aff", "##ffa", "##ble", "##a", "!"]
tricky = st.text(
    st.sampled_from(
        "aAtT uUnNfF'\u00e9\u0301\u0130\u03a3\u4e2d$^`~[]#\t\u00a0\u200b\x00"
    )
)
# Characters that this Python knows, so that both sides know them.
known = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=30)


# --- by hand -----------------------------------------------------------------


def test_the_longest_piece_goes_first() -> None:
    """una is longer than un, though un + ##aff would have fitted."""
    tokenizer = WordPiece(PIECES)

    def pieces(text: str) -> list[str]:
        return [tokenizer.vocab[i] for i in tokenizer.encode(text)]

    assert pieces("unaff!") == ["[UNK]", "!"]
    assert pieces("unaffable") == ["una", "##ffa", "##ble"]
    assert pieces("una UNA \u00dbna") == ["una", "una", "una"]
    assert pieces("unaa") == ["una", "##a"]
    assert pieces("una" + "a" * 97) == ["una"] + ["##a"] * 97
    assert pieces("una" + "a" * 98) == ["[UNK]"], "over 100 characters"
    assert pieces("") == []
    assert tokenizer.decode(tokenizer.encode("unaa !")) == "unaa !"


def test_training_by_hand() -> None:
    """hug 10, pug 5, pun 12, bun 4, hugs 5 (Hugging Face's course).

    ##g ##s has the highest score, 5 / (20 * 5). Then b, h and p all score
    1 / 36, as ##u follows them always: p is the greatest, then h.
    """
    words = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    text = " ".join(f"{word} " * n for word, n in words.items())
    tokenizer = WordPiece.train(text, 5 + 7 + 3)
    assert list(tokenizer.vocab.values())[5:12] == sorted(
        ["b", "h", "p", "##g", "##n", "##s", "##u"]
    )
    assert list(tokenizer.vocab.values())[12:] == ["##gs", "pu", "hu"]
    ids = tokenizer.encode("hugs bugs")
    assert [tokenizer.vocab[i] for i in ids] == [
        *["hu", "##gs"],
        *["b", "##u", "##gs"],
    ]


# --- training by definition --------------------------------------------------


def naive_pieces(words: dict[tuple[str, ...], int], n: int) -> list[str]:
    """Count everything again before each merge, with exact fractions."""
    learned: list[str] = []
    while len(learned) < n:
        pairs: Counter[tuple[str, str]] = Counter()
        pieces: Counter[str] = Counter()
        for word, times in words.items():
            for piece in word:
                pieces[piece] += times
            for i in range(len(word) - 1):
                pairs[word[i], word[i + 1]] += times
        if not pairs:
            break
        score = {
            (a, b): Fraction(times, pieces[a] * pieces[b])
            for (a, b), times in pairs.items()
        }
        best = max(score.values())
        a, b = sorted(pair for pair in score if score[pair] == best)[-1]
        joined = a + b[2:]
        learned.append(joined)
        merged = {}
        for word, times in words.items():
            out: list[str] = []
            for piece in word:
                out.append(piece)
                if out[-2:] == [a, b]:
                    out[-2:] = [joined]
            merged[tuple(out)] = times
        words = merged
    return learned


@given(
    counts=st.dictionaries(
        st.text("abc", min_size=1, max_size=8), st.integers(1, 5), max_size=8
    ),
    n=st.integers(0, 30),
)
@settings(max_examples=300)
def test_same_pieces_as_the_definition(counts: dict, n: int) -> None:
    words = {
        (word[0], *("##" + char for char in word[1:])): times
        for word, times in counts.items()
    }
    assert learn_pieces(words, n) == naive_pieces(words, n)


def test_train_refuses_and_ends_early() -> None:
    with pytest.raises(ValueError, match=r"5 special tokens and 3 .* need 8"):
        WordPiece.train("abc", 7)
    assert WordPiece.train("abc", 1000).vocab_size == 5 + 3 + 2
    with pytest.raises(ValueError, match=r"lacks \['\[UNK\]'\]"):
        WordPiece.train("abc", 100, special_tokens=["<unk>"])
    own = WordPiece.train("abc", 100, special_tokens=["<unk>"], unk="<unk>")
    assert own.encode("x") == [0]


# --- against BertTokenizer ---------------------------------------------------


def trained(lowercase: bool) -> WordPiece:
    return WordPiece.train(TEXT * 2, 200, lowercase=lowercase)


@pytest.fixture(scope="module", params=[True, False], ids=["lower", "cased"])
def both(request: pytest.FixtureRequest, tmp_path_factory):
    """Ours, and BertTokenizer reading the same vocabulary from vocab.txt."""
    transformers = pytest.importorskip("transformers")
    ours = trained(request.param)
    folder: Path = tmp_path_factory.mktemp("bert")
    vocab = "".join(piece + "\n" for piece in ours.vocab.values())
    (folder / "vocab.txt").write_text(vocab, encoding="utf-8")
    theirs = transformers.BertTokenizerFast.from_pretrained(
        folder, do_lower_case=request.param
    )
    assert theirs.vocab_size == ours.vocab_size
    return ours, theirs


@given(text=st.one_of(known, tricky, st.text(st.sampled_from(TEXT))))
@settings(max_examples=500)
@example(text=TEXT)
@example(text="e" * 100 + " " + "e" * 101)
@example(text="\u03a3\u0391\u03a3 \u0130I \u01c5 \ufb01 \u1e9e")
@example(text="tab\there\r\n\x1d\x85\u2028\ufffdz\u00adero\x00null")
def test_same_ids_as_bert_tokenizer(agrees, both: tuple, text: str) -> None:
    ours, theirs = both
    expected = theirs.encode(text, add_special_tokens=False)
    found = ours.encode(text, "all")
    agrees("transformers", "WordPiece ids of any text", found, expected)


def test_special_tokens_in_text(agrees, both: tuple) -> None:
    ours, theirs = both
    text = "the [MASK] giraffe[SEP]was[mask] [UNK]"
    expected = theirs.encode(text, add_special_tokens=False)
    found = ours.encode(text, "all")
    agrees("transformers", "WordPiece ids of any text", found, expected)
    assert ours.special_tokens["[MASK]"] in expected
    assert ours.special_tokens["[MASK]"] not in ours.encode(text)
    assert ours.special_tokens["[SEP]"] not in ours.encode(text, {"[MASK]"})


@pytest.mark.parametrize("lowercase", [True, False])
def test_every_character_is_cut_as_bert_cuts(agrees, lowercase: bool) -> None:
    """All of Unicode, apart from what came after this Python's edition."""
    tokenizers = pytest.importorskip("tokenizers")
    normalize = tokenizers.normalizers.BertNormalizer(lowercase=lowercase)
    split = tokenizers.pre_tokenizers.BertPreTokenizer()
    different = []
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in ("Cn", "Cs", "Co"):
            continue
        text = normalize.normalize_str(f"a{char}b")
        theirs = [word for word, _ in split.pre_tokenize_str(text)]
        if split_words(f"a{char}b", lowercase) != theirs:
            different.append(f"U+{code:04X}")
    # tokenizers does not take this one apart: its NFD tables are older.
    assert different == (["U+11938"] if lowercase else [])
    agrees.held(
        "tokenizers", "where BERT cuts words: each character but U+11938"
    )


def test_a_special_token_without_brackets_is_text_too() -> None:
    """A vocabulary entry that text could spell, were it not special."""
    tokenizer = WordPiece(["unk", "pad", "##a"], ["pad", "unk"], unk="unk")
    assert tokenizer.encode("pad") == [0]
    assert tokenizer.encode("pad", {"pad"}) == [1]


# --- files and refusals ------------------------------------------------------


@pytest.mark.parametrize("lowercase", [True, False])
def test_save_and_load_lose_nothing(lowercase: bool, tmp_path: Path) -> None:
    ours = WordPiece.train(
        TEXT, 150, ["<pad>", "<?>"], unk="<?>", lowercase=lowercase
    )
    ours.save(tmp_path / "wordpiece.json")
    again = WordPiece.load(tmp_path / "wordpiece.json")
    for name in ("vocab", "special_tokens", "unk", "lowercase"):
        assert getattr(again, name) == getattr(ours, name)
    assert again.encode(TEXT + "<pad>", "all") == ours.encode(
        TEXT + "<pad>", "all"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"vocab": ["a"]},
        {"vocab": ["[UNK]", "[UNK]"], "special_tokens": []},
        {"vocab": ["[UNK]", 3], "special_tokens": []},
        {"vocab": ["[UNK]"], "special_tokens": [], "more": 1},
        {},
        [],
    ],
)
def test_inconsistent_files_are_refused(body: object, tmp_path: Path) -> None:
    path = tmp_path / "wordpiece.json"
    write_json(path, "WordPiece", 1, body)
    with pytest.raises(ValueError, match="inconsistent"):
        WordPiece.load(path)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        WordPiece(PIECES).encode("a\ud800")
