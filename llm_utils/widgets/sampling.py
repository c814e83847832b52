"""Chapter 10's explorer: one step's distribution, before and after filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import traitlets

from .base import Explorer
from .bpe import merge_ids

if TYPE_CHECKING:
    from ..infer.sample import Model
    from ..text.bpe import ByteBPE


class Sampling(Explorer):
    """The widget that `sampling_explorer` returns; its knobs can be set."""

    module, title = "sampling", "Filters of one step"
    at = traitlets.Int(0).tag(sync=True)  # which text
    knobs = traitlets.Dict().tag(sync=True)  # as in filters.KNOBS; top_k 0: all
    texts: traitlets.List[str] = traitlets.List().tag(sync=True)
    # The tokenizer: "left right left right", hex; special tokens by name.
    merges = traitlets.Unicode("").tag(sync=True)
    byte_order = traitlets.Unicode("").tag(sync=True)
    specials: traitlets.List[str] = traitlets.List().tag(sync=True)
    # One string a text: its ids; the scores of all tokens.
    past: traitlets.List[str] = traitlets.List().tag(sync=True)
    scores: traitlets.List[str] = traitlets.List().tag(sync=True)


OFF = {
    "repetition_penalty": 1, "temperature": 1, "top_k": 0, "top_p": 1,
    "min_p": 0,
}  # fmt: skip


def sampling_explorer(
    model: Model,
    tokenizer: ByteBPE,
    prompts: Sequence[Sequence[int]],
    **knobs: float,
) -> Sampling:
    """Turn the knobs, and see what one step's distribution becomes.

    prompts: ids, one or more texts that end where the next token is wanted.
    knobs: where the sliders begin, by the names of `filters.KNOBS`.
    ValueError for other names, and without a prompt. Chapter 10.
    """
    import torch

    if not prompts or not all(map(len, prompts)):
        raise ValueError("give one prompt of ids or more, none empty")
    unknown = sorted(knobs.keys() - OFF.keys())
    if unknown:
        raise ValueError(f"no knobs {unknown}: there are {list(OFF)}")
    with torch.no_grad():
        rows = [model(torch.tensor([[*ids]]))[0, -1] for ids in prompts]
    order = tokenizer.byte_order
    return Sampling(
        knobs={**OFF, **knobs},
        texts=[tokenizer.decode(ids[1:]) for ids in prompts],
        merges=merge_ids(tokenizer),
        byte_order="" if order == bytes(range(256)) else order.hex(),
        specials=list(tokenizer.special_tokens),
        past=[" ".join(map(str, ids)) for ids in prompts],
        scores=[" ".join(f"{z:.3f}" for z in row.tolist()) for row in rows],
    )
