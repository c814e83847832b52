"""ByteBPE: by hand, against tiktoken, and on any text there is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_utils.text.bpe import GPT2_PATTERN, ByteBPE, count_pairs, merge
from llm_utils.text.tokenizer import Tokenizer

TEXT = (
    """It's the first of the chapters, and they're short; we'll count 1, 2,
  10, 100 and 2026.  Naïve cafés, 中文字, Ελληνικά, emoji \U0001f642\U0001f642!
\tdon't stop: the theme of the thesis -- there's the thing... \n\n\nTHE END
"""
    * 3
)
SPECIALS = ["<|end|>", "<|end|><|of|>", "<|of|>", "<|"]

# Letters, spaces, contractions and pieces of special tokens: where it is hard.
tricky = st.text(
    st.sampled_from("ab tT'slre\n\t<|endof>\u00a0\u20031\u0301é中\U0001f642"),
    max_size=60,
)
any_text = st.one_of(tricky, st.text(max_size=40))


@pytest.fixture(scope="module")
def bpe() -> ByteBPE:
    return ByteBPE.train(TEXT, 360, SPECIALS)


# --- one example by hand -----------------------------------------------------


def test_count_pairs_by_hand() -> None:
    words = {("l", "o", "w"): 5, ("l", "o", "l", "o"): 2}
    assert count_pairs(words) == {
        ("l", "o"): 5 + 2 + 2,
        ("o", "w"): 5,
        ("o", "l"): 2,
    }


def test_merge_goes_from_the_left() -> None:
    assert merge([1, 1, 1, 2], (1, 1), 9) == [9, 1, 2]
    assert merge([1, 2, 1, 2, 1], (1, 2), 9) == [9, 9, 1]
    assert merge([], (1, 2), 9) == []
    assert merge([1], (1, 1), 9) == [1]


def test_wikipedias_example() -> None:
    """aa is most frequent; then (aa, a) and (a, b) tie, and aa > a."""
    bpe = ByteBPE.train("aaabdaaabac", 256 + 3)
    assert bpe.merges == [(b"a", b"a"), (b"aa", b"a"), (b"aaa", b"b")]
    assert bpe.encode("aaabdaaabac") == [258, 100, 258, 97, 99]
    assert bpe.decode([258, 100, 258, 97, 99]) == "aaabdaaabac"


def test_trace_shows_each_merge() -> None:
    bpe = ByteBPE.from_merges([(b"h", b"e"), (b" ", b"t"), (b" t", b"he")])
    steps = bpe.trace(" the he")
    assert [step.rank for step in steps] == [None, 0, 1, 2]
    assert steps[1].words == [[b" ", b"t", b"he"], [b" ", b"he"]]
    assert steps[-1].pieces == [b" the", b" ", b"he"]


# --- properties --------------------------------------------------------------


def test_it_is_a_tokenizer(bpe: ByteBPE) -> None:
    assert isinstance(bpe, Tokenizer)
    assert bpe.vocab_size == 360 == len(bpe.vocab) == 256 + 100 + 4
    assert sorted(bpe.vocab) == list(range(360))
    assert list(bpe.special_tokens.values()) == [356, 357, 358, 359]


@given(text=any_text)
def test_any_text_round_trips(bpe: ByteBPE, text: str) -> None:
    assert bpe.decode(bpe.encode(text), errors="strict") == text
    assert bpe.decode(bpe.encode(text, "all"), errors="strict") == text


@given(data=st.binary(max_size=50))
def test_any_bytes_round_trip(bpe: ByteBPE, data: bytes) -> None:
    """Bytes come from ids, UTF-8 or not; decode marks what is not text."""
    assert bpe.decode_bytes(list(data)) == data
    assert bpe.decode(list(data)) == data.decode("utf-8", "replace")


@given(text=any_text)
def test_trace_ends_where_encode_does(bpe: ByteBPE, text: str) -> None:
    steps = bpe.trace(text)
    assert b"".join(steps[0].pieces) == text.encode()
    assert [p for p in steps[-1].pieces] == [
        bpe.vocab[i] for i in bpe.encode(text)
    ]
    ranks = [step.rank for step in steps if step.rank is not None]
    assert len(ranks) == len(steps) - 1
    assert ranks == sorted(set(ranks)), "earlier merges go first, each once"


@given(text=any_text)
def test_each_word_takes_the_earliest_merge(bpe: ByteBPE, text: str) -> None:
    """The definition, without heap, links or cache."""
    expected = []
    for word in bpe._pieces(text):
        pieces = [bytes([byte]) for byte in word.encode()]
        for a, b in bpe.merges:
            pieces = merge(pieces, (a, b), a + b)
        expected += pieces
    assert [bpe.vocab[i] for i in bpe.encode(text)] == expected


@given(text=any_text)
def test_tokens_stay_inside_their_pre_token(bpe: ByteBPE, text: str) -> None:
    whole = bpe.encode(text)
    apart = [i for piece in bpe._pieces(text) for i in bpe.encode(piece)]
    assert whole == apart


def test_the_word_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    bpe = ByteBPE.train(TEXT, 300)
    cache = bpe._ids_of_word
    monkeypatch.setattr(type(cache), "max_words", 5)
    words = [f" {'abc' * n}" for n in range(1, 40)]
    expected = [i for word in words for i in bpe._encode_word(word)]
    assert bpe.encode("".join(words)) == expected
    assert 0 < len(cache) <= 5
    assert max(map(len, cache)) <= cache.max_chars


@pytest.mark.parametrize("text", ["a" * 100_000, "acgt" * 25_000])
def test_one_very_long_word(bpe: ByteBPE, text: str) -> None:
    """100,000 letters without a space: seconds would mean quadratic time."""
    assert bpe.decode(bpe.encode(text)) == text


# --- special tokens ----------------------------------------------------------


def test_special_tokens_are_text_unless_allowed(bpe: ByteBPE) -> None:
    text = "the<|end|>the"
    assert 356 not in bpe.encode(text)
    assert bpe.encode(text, {"<|of|>"}) == bpe.encode(text)
    the = bpe.encode("the")
    assert bpe.encode(text, {"<|end|>"}) == [*the, 356, *the]


def test_the_longest_special_token_wins(bpe: ByteBPE) -> None:
    assert bpe.encode("<|end|><|of|>", "all") == [357]
    of = bpe.encode("of")
    assert bpe.encode("<|of|><|end|><|of", "all") == [358, 356, 359, *of]
    allowed = {"<|end|>", "<|of|>"}
    assert bpe.encode("<|end|><|of|>", allowed) == [356, 358]


def test_merges_do_not_cross_special_tokens() -> None:
    """Take the special tokens away and z y is the most frequent pair."""
    texts = ["z<s>y"] * 50 + ["ab"] * 3
    assert ByteBPE.train(texts, 258, ["<s>"]).merges == [(b"a", b"b")]
    apart = [text.replace("<s>", "") for text in texts]
    assert ByteBPE.train(apart, 257).merges == [(b"z", b"y")]


def test_merges_do_not_cross_documents() -> None:
    assert ByteBPE.train(["ab", "ab"], 999).merges == [(b"a", b"b")]
    assert len(ByteBPE.train("abab", 999).merges) == 2


@pytest.mark.parametrize(
    ("allowed", "message"),
    [({"<|no|>"}, r"\['<\|no\|>'\]"), ("<|end|>", "set of names")],
)
def test_unknown_allowed_special(
    bpe: ByteBPE, allowed: set[str] | str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        bpe.encode("x", allowed)
    with pytest.raises(ValueError, match=message):
        list(bpe.encode_iterable(["x"], allowed))


# --- refusals ----------------------------------------------------------------


def test_lone_surrogates_are_refused(bpe: ByteBPE) -> None:
    for text in ("a\ud83d b", "\ude00"):
        with pytest.raises(ValueError, match="surrogate"):
            bpe.encode(text)
        with pytest.raises(ValueError, match="surrogate"):
            ByteBPE.train(text, 256)
        with pytest.raises(ValueError, match="surrogate"):
            ByteBPE(special_tokens=[text])


def test_bytes_are_refused(bpe: ByteBPE) -> None:
    data: Any = b"text"
    with pytest.raises(ValueError, match="bytes"):
        bpe.encode(data)
    with pytest.raises(ValueError, match="bytes"):
        list(bpe.encode_iterable([data]))


def test_unknown_ids_are_refused(bpe: ByteBPE) -> None:
    for i in (360, -1):
        with pytest.raises(ValueError, match=rf"{i} .* 0 to 359"):
            bpe.decode([i])


def test_vocab_size_too_small() -> None:
    with pytest.raises(ValueError, match="need 257"):
        ByteBPE.train("text", 256, ["<s>"])
    assert ByteBPE.train("text", 257, ["<s>"]).merges == []


def test_training_ends_when_no_pair_is_left() -> None:
    bpe = ByteBPE.train("abc", 1000, ["<s>"])
    assert bpe.vocab_size == 256 + 2 + 1
    assert bpe.encode("abc<s>", "all") == [257, 258]
    assert ByteBPE.train("", 1000).vocab_size == 256


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"merges": [(b"ab", b"c")]}, "merge 0 .*b'ab'"),
        ({"merges": [(b"a", b"b"), (b"a", b"b")]}, "merge 1 .* already"),
        ({"merges": [(b"", b"a")]}, "merge 0"),
        ({"special_tokens": "<s>"}, "list of strings"),
        ({"special_tokens": ["<s>", "<s>"]}, "twice"),
        ({"special_tokens": [""]}, "no text"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": "(a)|."}, r"\(\?:"),
        ({"byte_order": bytes(256)}, "byte_order"),
    ],
)
def test_nonsense_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ByteBPE(**arguments)


def test_a_pattern_that_skips_text_is_refused() -> None:
    bpe = ByteBPE(pattern=r"\p{L}+")
    assert bpe.decode(bpe.encode("abc")) == "abc"
    with pytest.raises(ValueError, match="skips ' ! '"):
        bpe.encode("abc ! d")


def test_the_pattern_is_used() -> None:
    """Under a pattern of whole lines a merge may cross a space."""
    assert (b"a", b" ") in ByteBPE.train("a a a", 258, pattern=".+").merges
    assert (b"a", b" ") not in ByteBPE.train("a a a", 258).merges


@given(text=any_text)
@settings(max_examples=300)
@example(text="he's can't we'd I'm you'll they've we're o'clock 'S 'LL")
@example(text="a  b\n\n c \u2003 1\u00b2\u0663 _!? \t")
def test_gpt2s_own_pattern_cuts_the_same(text: str) -> None:
    """GPT-2's file writes it differently and lists fewer alternatives."""
    import regex

    original = (
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
        r"|\s+(?!\S)|\s+"
    )
    assert regex.findall(GPT2_PATTERN, text) == regex.findall(original, text)
