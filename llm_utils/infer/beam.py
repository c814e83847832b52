"""Beam search: the likeliest continuation, looked for instead of drawn.

Chapter 10 derives it and shows why a likely text is a dull one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from llm_utils.infer.filters import Filter, filtered
from llm_utils.infer.sample import Model, check_prompts, device_of


class Beam(NamedTuple):
    """A continuation: its new ids, log p in nats, and the score it ranks by."""

    ids: list[int]
    log_prob: float
    score: float


@torch.no_grad()
def beam_search(
    model: Model,
    prompt: Sequence[int],
    n: int,
    width: int,
    stop_ids: Iterable[int] = (),
    length_penalty: float = 0.0,
    filters: Sequence[Filter] = (),
) -> list[Beam]:
    """-> up to `width` continuations of at most n ids, the best first.

    After each token the `width` likeliest prefixes live on; one that ends in
    a stop id, or has n ids, is ranked by log p / length ** length_penalty: 0
    ranks by probability, which favors short texts. width 1 is greedy. Filters
    change log p. As transformers with early_stopping="never". Chapter 10;
    Wu et al. (2016), section 7.
    """
    if width < 1 or n < 1:
        raise ValueError(f"width={width} and n={n} must be 1 or more")
    check_prompts(model, torch.tensor([len(prompt)]), n, None)
    stop = {*stop_ids}
    ids = torch.tensor([[*prompt]], device=device_of(model))  # (W, T)
    log_probs = torch.zeros(1, dtype=torch.float64, device=ids.device)
    done: list[Beam] = []
    for length in range(1, n + 1):
        total = log_probs[:, None] + _log_probs(model, ids, filters)  # (W, V)
        most = min(max(2, 1 + len(stop)) * width, total.numel())
        best, where = total.flatten().topk(most)
        row, new = where // total.shape[1], where % total.shape[1]
        longer = torch.cat((ids[row], new[:, None]), 1)
        ended = torch.tensor([i in stop or length == n for i in new.tolist()])
        ended = ended.to(ids.device) | best.isinf()
        for i in ended[:width].nonzero().flatten().tolist():
            if best[i].isfinite():
                told, log_p = longer[i, len(prompt) :], float(best[i])
                score = log_p / length**length_penalty
                done.append(Beam(told.tolist(), log_p, score))
        done = sorted(done, key=lambda beam: -beam.score)[:width]
        live = (~ended).nonzero().flatten()[:width]
        ids, log_probs = longer[live], best[live]
        if not len(live):
            break
        far = n if length_penalty > 0 else length  # where a score is highest
        hope = float(log_probs[0]) / far**length_penalty
        if len(done) == width and hope <= done[-1].score:
            break
    if not done:
        raise ValueError("no token may come: loosen a filter")
    return done


def _log_probs(model: Model, ids: Tensor, filters: Sequence[Filter]) -> Tensor:
    """(W, T) -> (W, V): log p of each next id, after the filters."""
    logits = model(ids)[:, -1].double()
    if not logits.amax(-1).isfinite().all():
        raise ValueError("the scores hold NaN or inf: look at the weights")
    return filtered(logits.log_softmax(-1), ids, filters)
