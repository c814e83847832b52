"""CharTokenizer, and what all tokenizers have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tokenizer import CharTokenizer, Tokenizer, WordPiece

TEXT = "the cat sat on the mat, and the dog sat on the cat\n"
TRAINED: list[Callable[[], Tokenizer]] = [
    lambda: CharTokenizer.train(TEXT),
    lambda: ByteBPE.train(TEXT, 280, ["<|end|>"]),
    lambda: WordPiece.train(TEXT, 60),
]


@pytest.mark.parametrize("train", TRAINED)
def test_one_protocol(train: Callable[[], Tokenizer], tmp_path: Path) -> None:
    tokenizer = train()
    assert isinstance(tokenizer, Tokenizer)
    ids = tokenizer.encode(TEXT)
    assert all(0 <= i < tokenizer.vocab_size for i in ids)
    assert tokenizer.decode(ids).split()[:3] == ["the", "cat", "sat"]
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    again = type(tokenizer).load(path)
    assert again.encode(TEXT) == ids
    assert again.decode(ids) == tokenizer.decode(ids)
    assert again.vocab_size == tokenizer.vocab_size
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="damaged"):
        type(tokenizer).load(path)


@pytest.mark.parametrize("train", TRAINED)
def test_common_refusals(train: Callable[[], Tokenizer]) -> None:
    tokenizer = train()
    for i in (-1, tokenizer.vocab_size):
        with pytest.raises(ValueError, match=f"{i} is no id"):
            tokenizer.decode([i])
    with pytest.raises(ValueError, match="bytes"):
        tokenizer.encode(b"the")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [b"the", [b"the"], ["the", 3]])
def test_training_text_must_be_text(text: Any) -> None:
    with pytest.raises(ValueError, match="must be str"):
        CharTokenizer.train(text)
    with pytest.raises(ValueError, match="must be str"):
        WordPiece.train(text, 99)
    with pytest.raises(ValueError, match="must be str"):
        ByteBPE.train(text, 300)


def test_characters_by_hand() -> None:
    tokenizer = CharTokenizer.train("hello")
    assert tokenizer.vocab == {0: "e", 1: "h", 2: "l", 3: "o"}
    assert tokenizer.encode("hole") == [1, 3, 2, 0]
    assert tokenizer.decode([1, 3, 2, 0]) == "hole"
    assert CharTokenizer.train(["hel", "lo"]).vocab == tokenizer.vocab


@given(text=st.text())
def test_characters_round_trip(text: str) -> None:
    tokenizer = CharTokenizer.train(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.vocab_size == len(set(text))


@given(chars=st.lists(st.characters(), unique=True))
def test_any_alphabet_is_saved(
    tmp_path_factory: pytest.TempPathFactory, chars: list[str]
) -> None:
    path = tmp_path_factory.mktemp("char") / "char.json"
    CharTokenizer(chars).save(path)
    assert CharTokenizer.load(path).vocab == dict(enumerate(chars))


def test_unknown_characters_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'x' \(U\+0078\) .* 4 characters"):
        CharTokenizer.train("hello").encode("hex")


@pytest.mark.parametrize(
    ("alphabet", "message"),
    [("abca", r"\['a'\] more than once"), (["ab"], "'ab'"), ([1], "1 in")],
)
def test_bad_alphabets_are_refused(alphabet: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CharTokenizer(alphabet)
