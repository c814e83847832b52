"""tokenizer.json read back: the ids of AutoTokenizer, or a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.model.hf_tokenizer import write_tokenizer
from llm_utils.model.hf_tokenizer_read import tokenizer_from_hf
from llm_utils.text.bpe import ByteBPE

tokenizers = pytest.importorskip("tokenizers")
TEXT = "It's the first of these; they're short, we'll see 10, 100 times. " * 5
SPECIALS = ["<|endoftext|>", "<|user|>"]
ORDER = bytes([*range(255, -1, -1)])
PATTERN = r"\s|\S+"
TOKENIZERS = {
    "plain": ByteBPE.train(TEXT, 300),
    "special": ByteBPE.train(TEXT, 320, SPECIALS),
    "pattern": ByteBPE.train(TEXT, 290, pattern=PATTERN),
    "order": ByteBPE([(b"a", b"b")], SPECIALS, PATTERN, ORDER),
}


def same(a: ByteBPE, b: ByteBPE) -> bool:
    names = ("merges", "special_tokens", "pattern", "byte_order", "vocab")
    return all(getattr(a, name) == getattr(b, name) for name in names)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_what_was_written_comes_back(name: str, tmp_path: Path) -> None:
    bpe = TOKENIZERS[name]
    write_tokenizer(bpe, tmp_path, "<|endoftext|>", 64)
    assert same(tokenizer_from_hf(tmp_path), bpe)
    others = [other for other in TOKENIZERS if other != name]
    assert not any(same(bpe, TOKENIZERS[other]) for other in others)


def test_gpt2s_own_tokenizer(tmp_path: Path) -> None:
    try:
        bpe = ByteBPE.gpt2()
    except OSError as error:
        pytest.skip(f"GPT-2's files are not to be had: {error}")
    write_tokenizer(bpe, tmp_path, "<|endoftext|>", 1024)
    assert same(tokenizer_from_hf(tmp_path), bpe)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A tokenizer that the library trained, and its folder."""
    made = tokenizers.ByteLevelBPETokenizer()
    made.train_from_iterator([TEXT], 300, 1, False, [])
    folder = tmp_path_factory.mktemp("theirs")
    made.save(str(folder / "tokenizer.json"))
    return made, folder


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_tokenizer_of_the_library(agrees, theirs, text: str) -> None:
    made, folder = theirs
    ours = tokenizer_from_hf(folder).encode(text)
    what = "ids of a tokenizer.json of theirs"
    agrees("tokenizers", what, ours, made.encode(text).ids)


def test_old_files_write_a_merge_as_one_text(theirs, tmp_path: Path) -> None:
    record = json.loads((theirs[1] / "tokenizer.json").read_text())
    merges = record["model"]["merges"]
    joined = [m if isinstance(m, str) else " ".join(m) for m in merges]
    split = [m.split(" ") if isinstance(m, str) else m for m in merges]
    found = []
    for form in (joined, split):
        record["model"]["merges"] = form
        (tmp_path / "tokenizer.json").write_text(json.dumps(record))
        found.append(tokenizer_from_hf(tmp_path))
    assert same(*found)


def broken(folder: Path, path: str, value: Any) -> Path:
    """A folder whose tokenizer.json differs in one place."""
    write_tokenizer(TOKENIZERS["special"], folder, "<|endoftext|>", 64)
    file = folder / "tokenizer.json"
    record = json.loads(file.read_text())
    *outer, last = path.split(".")
    here = record
    for key in outer:
        here = here[int(key) if isinstance(here, list) else key]
    here[last] = value
    file.write_text(json.dumps(record))
    return folder


BREAKS = [
    ("normalizer", {"type": "NFC"}, "normalizer .NFC."),
    ("model.type", "WordPiece", "WordPiece model is no byte-level"),
    ("model.ignore_merges", True, "ignore_merges"),
    ("model.vocab.a", 7, "do not follow the order"),
    ("model.merges", [["a", "b"]], "do not follow the order"),
    ("model.merges", [["ab", "c"]], "no earlier merge"),
    ("added_tokens.0.id", 999, "do not follow the order"),
    ("pre_tokenizer.add_prefix_space", True, "not bytes as they stand"),
    ("pre_tokenizer.type", "Whitespace", "not bytes as they stand"),
    ("pre_tokenizer.use_regex", False, "not cut by one regular"),
    ("model", {}, "vocab"),
]


@pytest.mark.parametrize(("path", "value", "said"), BREAKS)
def test_what_a_byte_bpe_cannot_say_is_refused(
    tmp_path: Path, path: str, value: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        tokenizer_from_hf(broken(tmp_path, path, value))


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no tokenizer\.json"):
        tokenizer_from_hf(tmp_path)
