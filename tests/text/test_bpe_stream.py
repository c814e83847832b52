"""encode_iterable: the ids of the whole text, however it arrives."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_utils.text import pretokenize
from llm_utils.text.bpe import ByteBPE

SPECIALS = ["<|end|>", "<|end|><|of|>", "<|of|>", "<|", "\n\n"]
ALLOWED = st.sampled_from(["all", (), {"<|end|>"}, {"<|of|>", "<|"}])

parts = st.sampled_from(
    [
        *SPECIALS,
        *"ab'1.<|> \n\t\u00a0",
        "  ",
        "'ll",
        "'re",
        "\u4e2d",
        "\U0001f642",
    ]
)
chunked = st.lists(
    st.one_of(st.lists(parts, max_size=4).map("".join), st.text(max_size=6)),
    max_size=12,
)


@pytest.fixture(scope="module")
def bpe() -> ByteBPE:
    return ByteBPE.train("we'll end  the end\n\n 'l 'll" * 3, 300, SPECIALS)


@given(chunks=chunked, allowed=ALLOWED, buffer=st.integers(0, 20))
@settings(max_examples=1000)
@example(chunks=["we'", "l", "l"], allowed="all", buffer=0)
@example(chunks=["a ", " ", "b"], allowed="all", buffer=0)
@example(chunks=["<|end|>", "<|of|>"], allowed="all", buffer=0)
@example(chunks=["<|end|><", "|of"], allowed="all", buffer=0)
def test_any_chunks_give_the_ids_of_the_whole(
    bpe: ByteBPE, chunks: list[str], allowed: str, buffer: int
) -> None:
    """A small buffer, so that short texts are cut many times."""
    whole = bpe.encode("".join(chunks), allowed)
    usual = pretokenize._BUFFER
    pretokenize._BUFFER = buffer
    try:
        assert list(bpe.encode_iterable(chunks, allowed)) == whole
    finally:
        pretokenize._BUFFER = usual


TEXT = "a a 'll  1.> b  <| a  a 1 1 . . > > b" * 9


@given(chunks=chunked)
@settings(max_examples=500)
@example(chunks=["a a ", "a a", " b"])
def test_other_patterns_too(chunks: list[str]) -> None:
    """[^b]*b|.+ needs to see all there is before its last piece is sure."""
    bpe = ByteBPE.train(TEXT, 300, ["<|"], pattern=r"(?s)[^b]*b|.+")
    usual = pretokenize._BUFFER
    pretokenize._BUFFER = 0
    try:
        ids = list(bpe.encode_iterable(chunks, "all"))
        assert ids == bpe.encode("".join(chunks), "all")
    finally:
        pretokenize._BUFFER = usual


def test_a_file_and_a_string_are_chunks_too(bpe: ByteBPE) -> None:
    text = "the end\n\n'll  we\n" * 9
    for chunks in (io.StringIO(text), text, iter([text, ""]), [text]):
        assert list(bpe.encode_iterable(chunks)) == bpe.encode(text)
    assert list(bpe.encode_iterable([])) == []


@pytest.mark.parametrize("unit", ["the end of 'll  it. ", "\u4e2d\uff0c"])
def test_memory_stays_flat(
    bpe: ByteBPE, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With spaces or without: ten times the text, the same memory.

    20 chunks are already several buffers full.
    """
    monkeypatch.setattr(pretokenize, "_BUFFER", 4096)

    def peak(n_chunks: int) -> int:
        chunks = (unit * 300 for _ in range(n_chunks))
        tracemalloc.start()
        n = sum(1 for _ in bpe.encode_iterable(chunks))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert n > 300 * n_chunks
        return size

    peak(20)
    assert peak(200) < 1.3 * peak(20)


def test_ids_come_before_the_text_ends(bpe: ByteBPE) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "the end "

    ids = bpe.encode_iterable(endless())
    for _ in range(100_000):
        next(ids)
    assert taken < 100_000


def test_a_long_word_in_tiny_chunks_is_linear(bpe: ByteBPE) -> None:
    """One letter at a time: recutting at each would take minutes."""
    word = "a" * 300_000
    assert bpe.decode(bpe.encode_iterable(word)) == word
