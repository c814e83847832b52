"""Our ByteBPE as tokenizer.json: the same ids from AutoTokenizer.

Chapter 6 writes it with a model; plain JSON, no other library.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llm_utils.text.bpe import GPT2_PATTERN, ByteBPE
from llm_utils.text.saved import PathLike


def byte_letters() -> list[str]:
    """A printable character for each byte: how the files spell bytes.

    Printable ASCII and Latin-1 stand for themselves, the 68 others for the
    characters from U+0100 on. Radford et al. (2019), in their code.
    """
    letters, spare = [], 256
    for byte in range(256):
        shown = 33 <= byte <= 126 or (161 <= byte <= 255 and byte != 173)
        letters.append(chr(byte) if shown else chr(spare))
        spare += not shown
    return letters


def tokenizer_json(tokenizer: ByteBPE) -> dict[str, Any]:
    """The content of tokenizer.json.

    Text that spells a special token becomes it, as in
    tokenizer.encode(text, "all").
    """
    letters = byte_letters()

    def spell(token: bytes) -> str:
        return "".join([letters[byte] for byte in token])

    specials = tokenizer.special_tokens
    ordinary = len(tokenizer.vocab) - len(specials)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": i, "content": name, "single_word": False,
                "lstrip": False, "rstrip": False, "normalized": False,
                "special": True,
            }
            for name, i in specials.items()
        ],
        "normalizer": None,
        "pre_tokenizer": _pre_tokenizer(tokenizer.pattern),
        "post_processor": None,
        "decoder": _byte_level(use_regex=True),
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None,
            "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {spell(tokenizer.vocab[i]): i for i in range(ordinary)},
            "merges": [[spell(a), spell(b)] for a, b in tokenizer.merges],
        },
    }  # fmt: skip


def write_tokenizer(
    tokenizer: ByteBPE, folder: PathLike, end: str, max_len: int
) -> None:
    """Write tokenizer.json and tokenizer_config.json."""
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": max_len,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    if end in tokenizer.special_tokens:
        config |= {"bos_token": end, "eos_token": end}
    for name, record in (
        ("tokenizer.json", tokenizer_json(tokenizer)),
        ("tokenizer_config.json", config),
    ):
        text = json.dumps(record, indent=1, ensure_ascii=False)
        (Path(folder) / name).write_text(text + "\n", encoding="utf-8")


def special_ids(
    tokenizer: ByteBPE | None, end: str, vocab_size: int
) -> dict[str, int | None]:
    """The ids that begin and end a text; ValueError for what cannot be said."""
    if tokenizer is None:
        return {"bos_token_id": None, "eos_token_id": None}
    if not isinstance(tokenizer, ByteBPE):
        raise ValueError(
            f"a {type(tokenizer).__name__} has no tokenizer.json here: use a "
            "ByteBPE, or tokenizer=None for the model alone"
        )
    if tokenizer.vocab_size > vocab_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} ids, the model only "
            f"vocab_size={vocab_size}: wrong tokenizer?"
        )
    i = tokenizer.special_tokens.get(end)
    return {"bos_token_id": i, "eos_token_id": i}


def _byte_level(use_regex: bool) -> dict[str, Any]:
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": use_regex,
    }


def _pre_tokenizer(pattern: str) -> dict[str, Any]:
    """GPT-2's pattern is built in there; any other is cut out by itself."""
    if pattern == GPT2_PATTERN:
        return _byte_level(use_regex=True)
    split = {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }
    parts = [split, _byte_level(use_regex=False)]
    return {"type": "Sequence", "pretokenizers": parts}
