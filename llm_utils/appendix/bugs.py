"""The bugs of the museum: each spoils a sound `Setup` in its own way.

Appendix D shows their curves first and this file last. The loop of chapter 8
takes everything from outside, so every bug goes in at one of its seams.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_utils.appendix.bug_museum import (
    PEAK,
    STEPS,
    Setup,
    optimizer,
    tiny,
)
from llm_utils.model.attention import Attention, causal_mask, merge_heads
from llm_utils.train.packing import NO_TARGET
from llm_utils.train.schedules import warmup_cosine

Bug = Callable[[Setup], Setup]


class Around(nn.Module):
    """A model with something around its forward pass."""

    def __init__(self, model: nn.Module, forward: Callable[..., Tensor]):
        super().__init__()
        self.model, self.around = model, forward

    def forward(self, ids: Tensor) -> Tensor:
        return self.around(self, ids)


def around(s: Setup, forward: Callable[..., Tensor]) -> Setup:
    return replace(s, model=Around(s.model, forward))


# -- on show


def unshifted_targets(s: Setup) -> Setup:
    """The target of each position is its own word, not the next."""
    same = ((x, torch.where(y == NO_TARGET, y, x)) for x, y in s.batches)
    return replace(s, batches=same)


def shifted_twice(s: Setup) -> Setup:
    """The data are shifted by one, and then the loss shifts them again."""
    return replace(s, batches=((x[:, :-1], y[:, 1:]) for x, y in s.batches))


def rows_apart(s: Setup) -> Setup:
    """Inputs and targets are shuffled apart: each row has another's answers."""
    return replace(s, batches=((x, y.roll(1, 0)) for x, y in s.batches))


def same_batch(s: Setup) -> Setup:
    """The loader is made anew in each step, and so begins anew."""
    return replace(s, batches=itertools.repeat(next(s.batches)))


def counted_padding(s: Setup) -> Setup:
    """Rows are filled up to a fixed length, and the filling is a target."""
    rows = ((x, F.pad(y, (0, 256 - y.shape[1]))) for x, y in s.batches)
    full = ((F.pad(x, (0, 256 - x.shape[1])), y.clamp(min=0)) for x, y in rows)
    return replace(s, batches=full)


def open_mask(s: Setup) -> Setup:
    """The mask lets every position look at every other."""

    def forward(self: Around, ids: Tensor) -> Tensor:
        T = ids.shape[1]
        return self.model(ids, mask=torch.ones(T, T, dtype=torch.bool))

    return around(s, forward)


def other_ids(s: Setup) -> Setup:
    """Held-out text is encoded with a vocabulary in another order."""
    rng, V = torch.Generator().manual_seed(0), s.words.vocab_size
    order = 1 + torch.randperm(V - 1, generator=rng)
    new = torch.cat([torch.zeros(1).long(), order])  # 0 stays the end
    keep = [(new[x], torch.where(y < 0, y, new[y])) for x, y in s.held]
    return replace(s, held=keep)


def double_softmax(s: Setup) -> Setup:
    """The model gives probabilities, to a loss that takes its softmax."""

    def forward(self: Around, ids: Tensor) -> Tensor:
        logits = self.model(ids)
        return logits.softmax(-1) if self.training else logits

    return around(s, forward)


def wide_table(s: Setup) -> Setup:
    """The table of embeddings, tied to the output, is drawn from N(0, 1)."""
    with torch.no_grad():
        rng = torch.Generator().manual_seed(1)
        s.model.tokens.weight.normal_(generator=rng)  # type: ignore
    return s


def rate_too_high(s: Setup) -> Setup:
    """The learning rate has one zero too few behind the point, and more."""
    return replace(s, schedule=lambda step: 30 * s.schedule(step))


def kept_gradients(s: Setup) -> Setup:
    """Nobody clears the gradients."""
    s.opt.zero_grad = lambda: None  # type: ignore[method-assign]
    return s


def other_weights(s: Setup) -> Setup:
    """The optimizer was made for another copy of the model."""
    return replace(s, opt=optimizer(tiny(s.words, seed=1)))


EXHIBITS: dict[str, Bug] = {
    bug.__name__: bug
    for bug in (
        counted_padding, double_softmax, kept_gradients, open_mask, other_ids,
        other_weights, rate_too_high, rows_apart, same_batch, shifted_twice,
        unshifted_targets, wide_table,
    )
}  # fmt: skip


# -- in the storeroom: what the curve hardly shows


class WrongAxis(Attention):
    """Weights that add up to 1 over the queries of each key."""

    def forward(self, x: Tensor, mask: Any = None, cache: Any = None) -> Tensor:
        q, k, v = self.heads(x)
        scores = q @ k.mT / q.shape[-1] ** 0.5
        unseen = ~causal_mask(x.shape[1])
        weights = scores.masked_fill(unseen, -torch.inf).softmax(-2)
        return self.out(merge_heads(weights @ v))


def wrong_axis(s: Setup) -> Setup:
    for block in s.model.blocks:  # type: ignore
        block.attn.__class__ = WrongAxis
    return s


def no_positions(s: Setup) -> Setup:
    for block in s.model.blocks:  # type: ignore
        block.attn.rotary = None
    return s


def rate_too_low(s: Setup) -> Setup:
    return replace(s, schedule=lambda step: s.schedule(step) / 100)


def early_end(s: Setup) -> Setup:
    """The schedule was made for a fifth of the steps."""
    short = warmup_cosine(PEAK, STEPS // 5, warmup=STEPS // 10, final=0.0)
    return replace(s, schedule=short)


def half_weights(s: Setup) -> Setup:
    """Weights and averages in bfloat16, without a float32 copy."""
    model = s.model.bfloat16()
    return replace(s, model=model, opt=optimizer(model))


def drops_in_test(s: Setup) -> Setup:
    """Dropout is on, and eval() does not reach it."""
    for block in s.model.blocks:  # type: ignore
        block.drop.forward = lambda x: F.dropout(x, 0.3)
    return s


STOREROOM: dict[str, Bug] = {
    bug.__name__: bug
    for bug in (
        drops_in_test, early_end, half_weights, no_positions, rate_too_low,
        wrong_axis,
    )
}  # fmt: skip
