"""Text while it is being written: whole characters, and where to stop.

Chapter 10 derives it. A token may be half a character, and half a stop string.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

import torch

from llm_utils.infer.filters import Filter, chosen
from llm_utils.infer.sample import Model, Rng, device_of, generate
from llm_utils.model.attention import Cache
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tokenizer import Tokenizer

END = "<|endoftext|>"  # begins and ends texts, if the tokenizer has it


def pieces(tokenizer: Tokenizer, ids: Iterable[int]) -> Iterator[str]:
    """ids -> the text that each of them completes, which may be "".

    Joined they are tokenizer.decode(ids); none ends within a character.
    Chapter 10.
    """
    if isinstance(tokenizer, ByteBPE):
        chars = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for i in ids:
            yield chars.decode(tokenizer.decode_bytes([i]))
        yield chars.decode(b"", final=True)  # half a character at the end
    else:
        seen, text = list[int](), ""
        for i in ids:
            seen.append(i)
            longer = tokenizer.decode(seen)
            yield longer[len(text) :]
            text = longer


def until(parts: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    """Text as it comes, up to the first stop string, which is left out.

    The first is the one that is complete first, however the text is cut. What
    may be the beginning of one waits; nothing empty is yielded. Chapter 10.
    """
    if isinstance(stop, str) or not all(stop):
        raise ValueError(f"stop={stop!r}: give a list of strings, none empty")
    return _until(parts, stop)


def _until(parts: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    held = ""
    for part in parts:
        held += part
        begins = [(held.find(s) + len(s), held.find(s)) for s in stop]
        ends = [both for both in begins if both[1] >= 0]
        if ends:
            _, begin = min(ends)
            if begin:
                yield held[:begin]
            return
        free = len(held) - max((_begun(held, s) for s in stop), default=0)
        if free:
            yield held[:free]
            held = held[free:]
    if held:
        yield held


def _begun(text: str, stop: str) -> int:
    """How many characters of `stop`, but not all, `text` ends with."""
    sizes = range(min(len(stop) - 1, len(text)), 0, -1)
    return next((k for k in sizes if text.endswith(stop[:k])), 0)


def complete(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str,
    n: int,
    filters: Sequence[Filter] = (),
    rng: Rng = None,
    stop: Sequence[str] = (),
    cache: Sequence[Cache] | None = None,
    end: str = END,
) -> Iterator[str]:
    """prompt -> the text after it, in pieces, of at most n tokens.

    No piece ends within a character or holds a part of a stop string. `end`
    begins the prompt and ends the text, if the tokenizer has it; it is never
    shown. Special tokens in the prompt are text. rng, cache: see `generate`.
    Chapter 10.
    """
    own = tokenizer.special_tokens if isinstance(tokenizer, ByteBPE) else {}
    ends = [own[end]] if end in own else []
    ids = torch.tensor([ends + tokenizer.encode(prompt)], dtype=torch.int64)
    ids = ids.to(device_of(model))
    steps = generate(model, ids, n, filters, rng, cache, ends)
    new = takewhile(lambda i: i not in ends, (int(i) for i in steps))
    return until(pieces(tokenizer, new), stop)


def write(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str = "",
    n: int = 300,
    *,
    seed: int = 0,
    stop: Sequence[str] = (),
    cache: Sequence[Cache] | None = None,
    **knobs: float | None,
) -> Iterator[str]:
    """`complete`, set by plain values: for a command line or a page.

    knobs: see `chosen`. The same seed gives the same text. Chapter 10.
    """
    rng = torch.Generator().manual_seed(seed)
    filters = chosen(**knobs)
    return complete(model, tokenizer, prompt, n, filters, rng, stop, cache)
