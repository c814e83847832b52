"""Text in pieces: whole characters, and nothing of a stop string."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from bugs import with_bug
from hypothesis import given
from hypothesis import strategies as st
from tiny import ListCache

from llm_utils.infer import stream
from llm_utils.infer.stream import complete, pieces, until, write
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tokenizer import CharTokenizer, WordPiece
from llm_utils.train.base import load_base

END = "<|endoftext|>"
BYTES = ByteBPE(special_tokens=[END])  # a byte, an id; 256 ends
TEXT = "Zoë: 猫 👩‍🚀 e\u0301!"


class Parrot:
    """A model that goes on with a script, whatever the prompt."""

    def __init__(self, script, prompt: int, vocab_size: int = 257) -> None:
        self.script, self.prompt, self.V = script, prompt, vocab_size
        self.asked = 0

    def __call__(self, ids, cache=None):
        self.asked += 1
        logits = torch.zeros(*ids.shape, self.V)
        logits[:, -1, self.script[ids.shape[1] - self.prompt]] = 1.0
        return logits


def saying(text: str, prompt: str = "", end: bool = True) -> Parrot:
    script = BYTES.encode(text) + [256] * end
    return Parrot(script, 1 + len(prompt.encode()))


# --- characters --------------------------------------------------------------


def assert_whole(module) -> None:
    said = list(module.pieces(BYTES, BYTES.encode(TEXT)))
    assert "".join(said) == TEXT
    assert all(char in TEXT for piece in said for char in piece)
    assert len(said) > len(TEXT)  # many bytes complete nothing


def test_no_half_character_is_shown(tmp_path) -> None:
    assert_whole(stream)
    broken = with_bug(
        tmp_path, stream,
        "chars.decode(tokenizer.decode_bytes([i]))", "tokenizer.decode([i])",
    )  # fmt: skip
    with pytest.raises(AssertionError):
        assert_whole(broken)


@given(st.lists(st.integers(0, 255), max_size=20))
def test_any_bytes_are_shown_as_the_tokenizer_decodes_them(ids) -> None:
    assert "".join(pieces(BYTES, ids)) == BYTES.decode(ids)


def test_a_character_comes_with_its_last_byte() -> None:
    said = list(pieces(BYTES, BYTES.encode("a猫b")))
    assert said == ["a", "", "", "猫", "b", ""]
    cut = list(pieces(BYTES, BYTES.encode("a猫")[:-1]))
    assert cut == ["a", "", "", "\ufffd"]  # the end must say so


def test_other_tokenizers_too() -> None:
    chars = CharTokenizer.train(TEXT)
    assert "".join(pieces(chars, chars.encode(TEXT))) == TEXT
    words = WordPiece.train("low lower lowest slow slowest " * 9, 20)
    ids = words.encode("slow lowest low")
    assert len(ids) > 3, "vacuous test"
    assert "".join(pieces(words, ids)) == "slow lowest low"


# --- stop strings ------------------------------------------------------------


def first_complete(text: str, stop: list[str]) -> str:
    """By definition: grow the text until it ends in a stop string."""
    for n in range(len(text) + 1):
        longest = max(
            (s for s in stop if text[:n].endswith(s)), default="", key=len
        )
        if longest:
            return text[: n - len(longest)]
    return text


WORDS = st.text("ab\n", min_size=1, max_size=4)


def cut(text: str, borders) -> list[str]:
    at = [0, *sorted(b % (len(text) + 1) for b in borders), len(text)]
    return [text[i:j] for i, j in pairwise(at)]


@given(
    text=st.text("ab\n", max_size=24),
    stop=st.lists(WORDS, max_size=3),
    borders=st.lists(st.integers(0, 99), max_size=12),
)
def test_where_the_text_is_cut_does_not_matter(text, stop, borders) -> None:
    said = list(until(cut(text, borders), stop))
    assert "".join(said) == first_complete(text, stop)
    assert all(said)  # nothing empty


STOPS = [(list("one\n\ntwo"), ["\n\n"], "one"),
         (["us", "Us", "er", ": hi"], ["User:"], "us"),
         (["aab", "aac"], ["aabaac"], ""),
         (["a", "aab"], ["aab"], "a"),
    (["aa", "b"], ["aab"], ""),
         (["abc"], ["b", "abc"], "a")]  # fmt: skip


def assert_stops(module) -> None:
    for parts, stop, expected in STOPS:
        assert "".join(module.until(parts, stop)) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("range(min(len(stop) - 1, len(text)), 0, -1)", "range(0)"),
        ("range(min(len(stop) - 1, len(text)), 0, -1)", "range(1, len(stop))"),
        ("min(ends)", "max(ends)"),
        ("held += part", "held = part"),
    ],
)
def test_a_stop_string_across_borders_is_found(old, new, tmp_path) -> None:
    assert_stops(stream)
    with pytest.raises(AssertionError):
        assert_stops(with_bug(tmp_path, stream, old, new))


def test_only_what_may_be_a_beginning_waits() -> None:
    def spoken():
        for part in ["Hello.", " U", "s. ", "Us", "er", ": no", "never"]:
            log.append(part)
            yield part

    log: list[str] = []
    said = []
    for piece in until(spoken(), ["User:"]):
        said.append((piece, len(log)))
    assert said == [("Hello.", 1), (" ", 2), ("Us. ", 3)]
    assert log[-1] == ": no"  # and nothing after it was asked for


@pytest.mark.parametrize("stop", ["\n", [""], ["a", ""]])
def test_stops_that_are_none(stop) -> None:
    with pytest.raises(ValueError, match="give a list of strings, none empty"):
        until(["a"], stop)


# --- all together ------------------------------------------------------------


def test_a_text_ends_at_its_end_token() -> None:
    for text in (TEXT, ""):
        model = saying(text, "Hi 猫")
        assert "".join(complete(model, BYTES, "Hi 猫", 99)) == text
        assert model.asked == len(text.encode()) + 1


def test_a_stop_string_ends_the_work() -> None:
    model = saying("one\n\ntwo")
    assert "".join(complete(model, BYTES, "", 99, stop=["\n\n"])) == "one"
    assert model.asked == len("one\n\n")


def test_a_limit_ends_it_too() -> None:
    assert "".join(complete(saying("猫猫"), BYTES, "", 4)) == "猫\ufffd"
    assert list(complete(saying("abc"), BYTES, "", 0)) == []
    held = complete(saying("one\n", end=False), BYTES, "", 4, stop=["\n\n"])
    assert "".join(held) == "one\n"  # it was no stop string after all


def test_a_special_token_in_a_prompt_is_text() -> None:
    model = saying("ok", END)
    assert "".join(complete(model, BYTES, END, 9)) == "ok"


def test_a_prompt_with_nothing_to_begin_with() -> None:
    plain = ByteBPE()
    with pytest.raises(ValueError, match="an empty prompt"):
        complete(Parrot([1], 0), plain, "", 3)
    assert list(complete(Parrot([65, 66], 1), plain, "x", 2)) == ["A", "B"]


def test_the_base_model_tells_a_story() -> None:
    model, tokenizer = load_base()

    def told(seed, **knobs):
        cache = [ListCache() for _ in model.blocks]
        return "".join(
            write(
                model,
                tokenizer,
                "It was a",
                40,
                seed=seed,
                cache=cache,
                **knobs,
            )
        )

    assert told(1) == told(1) != told(2)
    assert told(1, temperature=0) == told(2, temperature=0)
    assert told(1, top_k=1, temperature=None) == told(2, temperature=0)
    assert told(1).isascii() and len(told(1)) > 80
    with pytest.raises(ValueError, match="no filters"):
        told(1, topp=0.9)
