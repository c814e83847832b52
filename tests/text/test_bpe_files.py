"""ByteBPE saved and loaded, and handed to tiktoken and back."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_utils.text.bpe import ByteBPE
from llm_utils.text.saved import write_json

TEXT = (
    "It's the first of these; they're short, we'll see 10, 100: na\u00efve. "
    * 5
)
SPECIALS = ["<|end|>", "\u2603 \n"]
# tiktoken and Python know different editions of Unicode: characters that are
# not assigned in ours may be letters in theirs.
assigned = st.characters(exclude_categories=["Cs", "Cn"])
texts = st.one_of(
    st.text(assigned, max_size=40),
    st.text(
        st.sampled_from("ab tT'slre\n\t<|end>\u00a0\u2003\x1c\x85\u4e2d\u2603")
    ),
)


@pytest.fixture(scope="module")
def bpe() -> ByteBPE:
    return ByteBPE.train(TEXT, 330, SPECIALS)


@pytest.fixture(scope="module")
def encoding(bpe: ByteBPE) -> tiktoken.Encoding:
    return bpe.to_tiktoken()


@pytest.fixture(scope="module")
def gpt2() -> ByteBPE:
    try:
        return ByteBPE.gpt2()
    except OSError as error:
        pytest.skip(f"GPT-2's files are not to be had: {error}")


# --- tiktoken ----------------------------------------------------------------


@given(text=texts)
@settings(max_examples=500)
def test_same_ids_as_tiktoken(
    agrees, bpe: ByteBPE, encoding: tiktoken.Encoding, text: str
) -> None:
    theirs = encoding.encode(text, disallowed_special=())
    agrees("tiktoken", "ids of any text", bpe.encode(text), theirs)
    ids = bpe.encode(text, "all")
    theirs = encoding.encode(text, allowed_special="all")
    agrees("tiktoken", "ids of text with special tokens", ids, theirs)
    theirs = encoding.decode(ids)
    agrees("tiktoken", "the text of ids", bpe.decode(ids), theirs)
    assert theirs == text


def test_tiktoken_knows_every_token(agrees, bpe: ByteBPE) -> None:
    encoding = bpe.to_tiktoken("mine")
    assert encoding.name == "mine"
    assert encoding.n_vocab == bpe.vocab_size
    theirs = {i: encoding.decode_single_token_bytes(i) for i in bpe.vocab}
    agrees("tiktoken", "the bytes of every token", bpe.vocab, theirs)


def test_random_merges_agree_or_are_refused(agrees) -> None:
    """Hand-made merges need not be what training would give."""
    rng = random.Random(0)
    refused = 0
    for _ in range(300):
        tokens = [b"a", b"b", b"c"]
        merges: list[tuple[bytes, bytes]] = []
        while len(merges) < 8:
            pair = rng.choice(tokens), rng.choice(tokens)
            if pair[0] + pair[1] not in tokens:
                tokens.append(pair[0] + pair[1])
                merges.append(pair)
        bpe = ByteBPE.from_merges(merges)
        try:
            encoding = bpe.to_tiktoken()
        except ValueError as error:
            refused += 1
            assert "can never give" in str(error)
            continue
        words = ["".join(rng.choices("abc", k=12)) for _ in range(50)]
        theirs = [encoding.encode(word) for word in words]
        ours = [bpe.encode(word) for word in words]
        agrees("tiktoken", "ids under merges drawn at random", ours, theirs)
    assert 0 < refused < 300


def test_merges_that_tiktoken_cannot_express() -> None:
    """bc is merged before ab, so ab never meets a c."""
    bpe = ByteBPE.from_merges([(b"b", b"c"), (b"a", b"b"), (b"ab", b"c")])
    assert bpe.encode("abc") == [97, 256]
    with pytest.raises(ValueError, match=r"merge 2 .*b'abc'"):
        bpe.to_tiktoken()


@given(text=texts)
@settings(max_examples=300)
def test_same_ids_as_gpt2(agrees, gpt2: ByteBPE, text: str) -> None:
    what, encoding = "ids of GPT-2's vocabulary", tiktoken.get_encoding("gpt2")
    theirs = encoding.encode(text, disallowed_special=())
    agrees("tiktoken", what, gpt2.encode(text), theirs)
    text += "<|endoftext|>"
    theirs = encoding.encode(text, allowed_special="all")
    agrees("tiktoken", what, gpt2.encode(text, "all"), theirs)


def test_gpt2_is_the_one(gpt2: ByteBPE) -> None:
    assert gpt2.vocab_size == 50_257
    assert gpt2.special_tokens == {"<|endoftext|>": 50_256}
    assert gpt2.encode("Hello, world!") == [15496, 11, 995, 0]
    assert gpt2.merges[:2] == [(b" ", b"t"), (b" ", b"a")]
    encoding = gpt2.to_tiktoken()
    assert encoding.encode(TEXT) == gpt2.encode(TEXT)


def test_gpt2_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(OSError, match="TIKTOKEN_CACHE_DIR"):
        ByteBPE.gpt2()


# --- files -------------------------------------------------------------------


def state(bpe: ByteBPE) -> tuple[object, ...]:
    return (
        bpe.merges,
        bpe.vocab,
        bpe.special_tokens,
        bpe.pattern,
        bpe.byte_order,
    )


@given(
    special=st.lists(st.text(min_size=1, max_size=9), unique=True, max_size=3),
    text=st.text(max_size=60),
    shuffle=st.permutations(range(256)),
)
def test_save_and_load_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    special: list[str],
    text: str,
    shuffle: list[int],
) -> None:
    path = tmp_path_factory.mktemp("bpe") / "bpe.json"
    learned = ByteBPE.train(text, 256 + 20 + len(special), special)
    bpe = ByteBPE(learned.merges, special, r"(?s).{1,7}", bytes(shuffle))
    bpe.save(path)
    again = ByteBPE.load(str(path))
    assert state(again) == state(bpe)
    assert again.encode(text, "all") == bpe.encode(text, "all")
    assert again.decode(again.encode(text)) == text


def test_the_file_says_what_it_is(bpe: ByteBPE, tmp_path: Path) -> None:
    bpe.save(tmp_path / "bpe.json")
    record = json.loads((tmp_path / "bpe.json").read_text())
    assert (record["format"], record["version"]) == ("ByteBPE", 1)
    assert len(record["body"]["merges"]) == len(bpe.merges)
    assert [p.name for p in tmp_path.iterdir()] == ["bpe.json"], "drafts left"


def test_a_file_cut_short_anywhere_is_refused(
    bpe: ByteBPE, tmp_path: Path
) -> None:
    path = tmp_path / "bpe.json"
    bpe.save(path)
    whole = path.read_bytes()
    for size in [0, 1, *range(2, len(whole) - 2, 97), len(whole) - 2]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="damaged"):
            ByteBPE.load(path)


def test_any_changed_letter_is_refused(bpe: ByteBPE, tmp_path: Path) -> None:
    """Any letter of the file but the white space between its parts."""
    path = tmp_path / "bpe.json"
    bpe.save(path)
    whole = path.read_text()
    rng = random.Random(0)
    for _ in range(200):
        i = rng.randrange(len(whole))
        if whole[i].isspace():
            continue
        changed = whole[:i] + ("x" if whole[i] != "x" else "y") + whole[i + 1 :]
        path.write_text(changed)
        with pytest.raises(ValueError, match=r"damaged|changed|holds|version"):
            ByteBPE.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"merges": [["a", "b"], ["abc", "d"]]}, "merge 1 joins b'abc'"),
        ({"merges": [["a"]]}, "inconsistent"),
        ({"merges": [["\u4e2d", "a"]]}, "inconsistent"),
        ({"byte_order": "abc"}, "byte_order"),
        ({"pattern": "("}, "pattern"),
        ({"special_tokens": ["<s>", "<s>"]}, "twice"),
        ({"special_tokens": None}, "inconsistent"),
        ({"pattern": None}, "pattern"),
    ],
)
def test_an_inconsistent_file_is_refused(
    bpe: ByteBPE, tmp_path: Path, change: dict, message: str
) -> None:
    """Even when its checksum is right."""
    path = tmp_path / "bpe.json"
    bpe.save(path)
    body = json.loads(path.read_text())["body"] | change
    write_json(path, "ByteBPE", 1, body)
    with pytest.raises(ValueError, match=message):
        ByteBPE.load(path)


def test_a_missing_part_is_refused(bpe: ByteBPE, tmp_path: Path) -> None:
    path = tmp_path / "bpe.json"
    bpe.save(path)
    whole = json.loads(path.read_text())["body"]
    for part in whole:
        body = {key: value for key, value in whole.items() if key != part}
        write_json(path, "ByteBPE", 1, body)
        with pytest.raises(ValueError, match=part):
            ByteBPE.load(path)


def test_another_kind_or_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    write_json(path, "WordPiece", 1, {})
    with pytest.raises(ValueError, match="no saved ByteBPE"):
        ByteBPE.load(path)
    write_json(path, "ByteBPE", 2, {})
    with pytest.raises(ValueError, match="version 2"):
        ByteBPE.load(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="no saved ByteBPE"):
        ByteBPE.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="damaged"):
        ByteBPE.load(path)
