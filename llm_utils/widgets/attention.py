"""Chapter 3's explorer: where each head looks from a word, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import traitlets

from .base import Explorer

if TYPE_CHECKING:
    from torch import Tensor

MAX_TOKENS = 48
"""More than this is too much for one page: the map has a cell a pair."""


class AttentionExplorer(Explorer):
    """What `attention_explorer` returns; head, query and switches can be set.

    head and query count from 0.
    """

    module, title = "attention_explorer", "Attention explorer"
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    q = traitlets.Unicode("").tag(sync=True)  # head by head, row by row
    k = traitlets.Unicode("").tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    query = traitlets.Int(0).tag(sync=True)
    scaled = traitlets.Bool(True).tag(sync=True)
    masked = traitlets.Bool(True).tag(sync=True)


def attention_explorer(
    tokens: Sequence[str],
    q: Tensor,
    k: Tensor,
    names: Sequence[str] = (),
    head: int = 0,
    query: int = -1,
) -> AttentionExplorer:
    """Play with trained heads: choose a token and a head, see the weights.

    q, k: (N, T, D), queries and keys of N heads over the T tokens; the page
    computes softmax(q . k / sqrt(D)) itself, with and without scale and mask.
    names: one a head. head, query: what is chosen at first; -1 is the last.
    ValueError for shapes that do not fit, or over 48 tokens.
    """
    T = len(tokens)
    if q.ndim != 3 or q.shape != k.shape or q.shape[1] != T:
        raise ValueError(
            f"q {tuple(q.shape)} and k {tuple(k.shape)} should both be "
            f"(heads, T={T}, D): one row for each of the tokens"
        )
    if T > MAX_TOKENS:
        raise ValueError(f"{T} tokens > {MAX_TOKENS}: show a shorter text")
    N = q.shape[0]
    if names and len(names) != N:
        raise ValueError(f"{len(names)} names for {N} heads: one each")
    if not -N <= head < N or not -T <= query < T:
        raise ValueError(
            f"head={head}, query={query}: there are {N} heads and {T} tokens"
        )
    return AttentionExplorer(
        tokens=list(tokens),
        names=list(names) or [f"head {h + 1}" for h in range(N)],
        q=as_text(q),
        k=as_text(k),
        head=head % N,
        query=query % T,
    )


def as_text(x: Tensor) -> str:
    """All numbers of a tensor, three decimals, in one line."""
    return " ".join(f"{value:.3f}" for value in x.flatten().tolist())
