"""Merges to tiktoken's ranks and back: the same tokenizer in Rust.

Chapter 1 hands its own merges over and takes GPT-2's in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tiktoken

from .merges import apply_merges

if TYPE_CHECKING:
    from .bpe import ByteBPE


def to_encoding(tokenizer: ByteBPE, name: str) -> tiktoken.Encoding:
    """The tiktoken.Encoding with the same ids.

    tiktoken keeps no pairs: it joins any two neighbors that make a token. So
    ids agree if each token's own bytes come out as that token, which `train`
    ensures; ValueError for merges that do not.
    """
    made: dict[tuple[int, int], int] = {}
    ids = {token: i for i, token in tokenizer.vocab.items() if i < 256}
    byte_ids = [ids[bytes([byte])] for byte in range(256)]
    for rank, (a, b) in enumerate(tokenizer.merges):
        pair = apply_merges([byte_ids[byte] for byte in a + b], made)
        if pair != [ids[a], ids[b]]:
            raise ValueError(
                f"merge {rank} can never give {a + b!r}: earlier merges split "
                "these bytes another way, and tiktoken would join them"
            )
        made[ids[a], ids[b]] = ids[a + b] = 256 + rank
    return tiktoken.Encoding(
        name,
        pat_str=tokenizer.pattern,
        mergeable_ranks=ids,
        special_tokens=tokenizer.special_tokens,
    )


def gpt2_merges() -> tuple[list[tuple[bytes, bytes]], bytes]:
    """GPT-2's 50,000 merges and the byte that each of ids 0 to 255 stands for.

    tiktoken's file lists tokens, not pairs: merging a token's bytes with all
    earlier merges leaves the pair it was made of.
    """
    try:
        encoding = tiktoken.get_encoding("gpt2")
    except OSError as error:
        raise OSError(
            "GPT-2's vocabulary could not be fetched: go online once, or set "
            "TIKTOKEN_CACHE_DIR to a folder that holds tiktoken's files"
        ) from error
    tokens = [encoding.decode_single_token_bytes(i) for i in range(50_256)]
    byte_order = b"".join(tokens[:256])
    id_of_byte = {byte: i for i, byte in enumerate(byte_order)}
    made: dict[tuple[int, int], int] = {}
    merges: list[tuple[bytes, bytes]] = []
    for i, token in enumerate(tokens[256:], start=256):
        a, b = apply_merges([id_of_byte[byte] for byte in token], made)
        made[a, b] = i
        merges.append((tokens[a], tokens[b]))
    return merges, byte_order
