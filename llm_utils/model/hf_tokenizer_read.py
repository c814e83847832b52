"""tokenizer.json as our ByteBPE: the same ids as AutoTokenizer.

The way back of `hf_tokenizer`. What a ByteBPE cannot say (a normalizer, ids in
another order) is refused, so that no id changes in silence. Chapter 6.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llm_utils.model.hf_files import find_folder, read_json, some
from llm_utils.model.hf_tokenizer import byte_letters
from llm_utils.text.bpe import GPT2_PATTERN, ByteBPE
from llm_utils.text.saved import PathLike

Merge = tuple[bytes, bytes]


def tokenizer_from_hf(folder_or_name: PathLike) -> ByteBPE:
    """A folder, or a name on the Hub -> its byte-level BPE.

    `encode` leaves special tokens alone, as ever; encode(text, "all") gives
    the ids of AutoTokenizer. ValueError says what a ByteBPE cannot do.
    """
    folder = find_folder(folder_or_name)
    record = read_json(Path(folder) / "tokenizer.json")
    try:
        return _tokenizer(record)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{folder}/tokenizer.json: {error}") from error


def _tokenizer(record: dict[str, Any]) -> ByteBPE:
    model = record["model"]
    if model.get("type", "BPE") != "BPE":
        raise ValueError(f"a {model['type']} model is no byte-level BPE")
    if record.get("normalizer") is not None:
        raise ValueError(
            f"its normalizer ({record['normalizer'].get('type')}) changes the "
            "text before it is cut; a ByteBPE keeps every byte"
        )
    if model.get("ignore_merges"):
        raise ValueError(
            "it has ignore_merges: a piece that is a token skips its merges, "
            "which a ByteBPE never does"
        )
    byte_of = {letter: byte for byte, letter in enumerate(byte_letters())}
    vocab: dict[str, int] = model["vocab"]
    merges = [_merge(merge, byte_of) for merge in model["merges"]]
    alphabet = sorted(byte_of, key=lambda letter: vocab.get(letter, -1))
    byte_order = bytes(byte_of[letter] for letter in alphabet)
    names = sorted(record["added_tokens"], key=lambda token: token["id"])
    specials = [token["content"] for token in names]
    pattern = _pattern(record["pre_tokenizer"])
    made = ByteBPE(merges, specials, pattern, byte_order)
    _check_ids(made, vocab, {t["content"]: t["id"] for t in names})
    return made


def _merge(merge: str | list[str], byte_of: dict[str, int]) -> Merge:
    """Older files write "a b", newer ones ["a", "b"]."""
    parts = merge.split(" ") if isinstance(merge, str) else merge
    a, b = (bytes(byte_of[letter] for letter in part) for part in parts)
    return a, b


def _pattern(pre_tokenizer: dict[str, Any]) -> str:
    """The regular expression that cuts text into pieces."""
    parts = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    *splits, last = parts
    cuts = [part.get("pattern", {}).get("Regex") for part in splits]
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space"):
        raise ValueError("its pieces are not bytes as they stand in the text")
    if last.get("use_regex", True):
        cuts.append(GPT2_PATTERN)
    if len(cuts) != 1 or cuts[0] is None or any(
        part.get("behavior") != "Isolated" or part.get("invert")
        for part in splits
    ):  # fmt: skip
        raise ValueError("its pieces are not cut by one regular expression")
    return cuts[0]


def _check_ids(
    made: ByteBPE, vocab: dict[str, int], specials: dict[str, int]
) -> None:
    """Every token has the id that the file gives it."""
    letters = byte_letters()
    ours = {
        "".join(letters[byte] for byte in token): i
        for i, token in made.vocab.items()
        if i not in made.special_tokens.values()
    }
    theirs = {name: i for name, i in vocab.items() if name not in specials}
    both = ours | theirs
    wrong = [name for name in both if ours.get(name) != theirs.get(name)]
    wrong += [n for n, i in made.special_tokens.items() if specials[n] != i]
    if wrong:
        raise ValueError(
            f"the ids of {some(sorted(wrong))} do not follow the order: bytes, "
            "merges, special tokens"
        )
