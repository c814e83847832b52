"""Chapter 2's explorer: two predictions of the next token, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import traitlets

from .base import Explorer
from .bpe import merge_ids

if TYPE_CHECKING:
    from ..text.next_token import Bigram
    from ..text.tinyworld.best import BestModel
    from ..text.tokenizer import Tokenizer


class NextToken(Explorer):
    """The widget that `next_token_explorer` returns."""

    module, title = "next_token", "Next token"
    story = traitlets.Int(0).tag(sync=True)  # -1: the text
    step = traitlets.Int(0).tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    merges = traitlets.Unicode("").tag(sync=True)  # "left right left right"
    end = traitlets.Int(0).tag(sync=True)
    alpha = traitlets.Float(1.0).tag(sync=True)
    counts = traitlets.Unicode("").tag(sync=True)  # "a b n a b n", n > 0
    # One string a story: its ids; "id p id p,id p" for each of its places.
    stories: traitlets.List[str] = traitlets.List().tag(sync=True)
    truths: traitlets.List[str] = traitlets.List().tag(sync=True)


def next_token_explorer(
    model: Bigram, best: BestModel, stories: Sequence[str], step: int = 0
) -> NextToken:
    """Step through stories: a bigram's prediction beside the world's own.

    best: the world with the tokenizer that the bigram was counted with.
    stories: those for which the true probabilities are stored with the page;
    for a text that the reader types they are known as far as it follows one
    of these. step: how many tokens are told. ValueError for a story that the
    world cannot tell, and for a model with another vocabulary. Chapter 2.
    """
    tokenizer, V = best.tokenizer, len(model.counts)
    if tokenizer.vocab_size != V:
        raise ValueError(
            f"{V} rows in the bigram, {tokenizer.vocab_size} entries in the "
            f"tokenizer: count with the same one"
        )
    if not stories or step < 0:
        raise ValueError(f"{len(stories)} stories, step={step}: give a story")
    rows = [[*tokenizer.encode(text), best.end] for text in stories]
    truths = []
    for row in rows:
        past = [best.end, *row]
        places = (best.next(past[: t + 1]) for t in range(len(row)))
        truths.append(",".join(map(_odds, places)))
    pairs = model.counts.nonzero().tolist()
    counted = (f"{a} {b} {int(model.counts[a, b])}" for a, b in pairs)
    return NextToken(
        step=step,
        text=stories[0],
        merges=_merges(tokenizer),
        end=best.end,
        alpha=float(model.alpha),
        counts=" ".join(counted),
        stories=[" ".join(map(str, row)) for row in rows],
        truths=truths,
    )


def _odds(table: dict[int, float]) -> str:
    return " ".join(f"{i} {p:.6g}" for i, p in sorted(table.items()))


def _merges(tokenizer: Tokenizer) -> str:
    """The merges as ids; ValueError for a tokenizer that is not plain BPE."""
    from ..text.bpe import GPT2_PATTERN, ByteBPE

    if not isinstance(tokenizer, ByteBPE) or tokenizer.pattern != GPT2_PATTERN:
        raise ValueError("the page cuts text by a ByteBPE and GPT-2's pattern")
    if tokenizer.byte_order != bytes(range(256)):
        raise ValueError("the page wants the 256 bytes in their order")
    return merge_ids(tokenizer)
