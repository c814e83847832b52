"""Chapter 1's explorer: a text, cut by one merge after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from .base import Explorer

if TYPE_CHECKING:
    from ..text.bpe import ByteBPE

MAX_MERGES = 20_000
"""More than this is too much for one page (about 10 bytes a merge)."""


class BPEStepper(Explorer):
    """The widget that `bpe_stepper` returns; `text` and `step` can be set."""

    module, title = "bpe_stepper", "BPE stepper"
    text = traitlets.Unicode("").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    merges = traitlets.Unicode("").tag(sync=True)  # "left right left right"
    byte_order = traitlets.Unicode("").tag(sync=True)  # hex; "": identity


def bpe_stepper(
    tokenizer: ByteBPE, text: str = "", step: int = 0
) -> BPEStepper:
    """Play with a tokenizer: type a text, step through its merges.

    text: what to begin with; the first 300 bytes of it are shown. step: how
    many merges are already applied (0: single bytes; a large number: all).
    The steps are those of `tokenizer.trace(text)`; special tokens are text.
    ValueError for a pattern other than GPT-2's, or over 20,000 merges.
    """
    from ..text.bpe import GPT2_PATTERN

    if tokenizer.pattern != GPT2_PATTERN:
        raise ValueError(
            f"the stepper cuts text as GPT-2 does, not by "
            f"{tokenizer.pattern!r}: train with pattern=GPT2_PATTERN"
        )
    if len(tokenizer.merges) > MAX_MERGES:
        raise ValueError(
            f"{len(tokenizer.merges)} merges are too many for a page: show "
            f"ByteBPE.from_merges(merges[:{MAX_MERGES}])"
        )
    if step < 0:
        raise ValueError(f"step={step}: count merges from 0 (single bytes)")
    order = tokenizer.byte_order
    return BPEStepper(
        text=text,
        step=step,
        merges=merge_ids(tokenizer),
        byte_order="" if order == bytes(range(256)) else order.hex(),
    )


def merge_ids(tokenizer: ByteBPE) -> str:
    """The merges as ids, "left right left right ...": what pages encode by."""
    order = tokenizer.byte_order
    ids = {order[i : i + 1]: i for i in range(256)}
    pairs: list[int] = []
    for rank, (a, b) in enumerate(tokenizer.merges):
        pairs += ids[a], ids[b]
        ids[a + b] = 256 + rank
    return " ".join(map(str, pairs))
