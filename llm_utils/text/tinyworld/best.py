"""The best model of TinyWorld there can be: the world itself, token by token.

Chapter 2 sets its predictions beside those of models that had to learn.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from llm_utils.text.tinyworld.arguments import Event
from llm_utils.text.tinyworld.state import State
from llm_utils.text.tinyworld.world import TinyWorld
from llm_utils.text.tokenizer import Tokenizer

_ENDS = re.compile(r'[.!?]"?(?= |\Z)')


class BestModel:
    """ids (B, T) -> log p(next | all before) (B, T, V), float64, exact.

    No model has a lower loss on this world's stories. A row of ids is one
    story, opened by `end`, the id that also closes it. The tokenizer may not
    merge across words (`ByteBPE` does not). ValueError for ids that no story
    begins with. Slow, about a tenth of a second a story. Chapter 2.
    """

    def __init__(self, world: TinyWorld, tokenizer: Tokenizer, end: int):
        self.world, self.tokenizer, self.end = world, tokenizer, end
        self._known: dict[str, list[tuple[list[int], float]]] = {}

    def __call__(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, V): -inf where the world says never."""
        B, T = ids.shape
        shape = (B, T, self.tokenizer.vocab_size)
        logits = torch.full(shape, -torch.inf, dtype=torch.float64)
        for b, row in enumerate(ids.tolist()):
            for t in range(T):
                for i, p in self.next(row[: t + 1]).items():
                    logits[b, t, i] = math.log(p)
        return logits

    def next(self, ids: Sequence[int]) -> dict[int, float]:
        """The tokens that may follow these -> their probabilities."""
        if not ids or ids[0] != self.end:
            raise ValueError(f"ids begin with {ids[:1]}, not with {self.end}")
        told = list(ids[1:])
        whole = self._whole(self.tokenizer.decode(told))
        n = len(self.tokenizer.encode(whole))
        begun, odds = told[n:], dict[int, float]()
        if told[:n] == self.tokenizer.encode(whole):
            for tail, p in self._sentences(whole):
                if tail[: len(begun)] == begun and len(tail) > len(begun):
                    i = tail[len(begun)]
                    odds[i] = odds.get(i, 0.0) + p
        total = math.fsum(odds.values())
        if not total:
            text = self.tokenizer.decode(told)
            raise ValueError(f"no story of this world begins with {text!r}")
        return {i: p / total for i, p in odds.items()}

    def _whole(self, text: str) -> str:
        """The whole sentences with which a text begins."""
        for end in reversed([m.end() for m in _ENDS.finditer(text)]):
            whole = text[:end]
            known = whole in self._known
            if known or self.world._hear(State(), whole) is not None:
                return whole
        return ""

    def _sentences(self, begin: str) -> list[tuple[list[int], float]]:
        """The ids of each sentence that may follow, and its probability."""
        if begin not in self._known:
            space = " " if begin else ""
            self._known[begin] = [
                (self.tokenizer.encode(space + text), p)
                for text, p in next_sentences(self.world, begin).items()
            ] or [([self.end], 1.0)]
        return self._known[begin]


def next_sentences(world: TinyWorld, begin: str) -> dict[str, float]:
    """Every sentence that may follow whole sentences -> its probability.

    {}: the story is over. ValueError for what no story begins with.
    Chapter 2.
    """
    start = State()
    if world._hear(start, begin) is None:
        raise ValueError(f"no story of this world begins with {begin!r}")
    grammar, found = world.grammar, dict[str, float]()
    stack: list[tuple[Event, float]] = [((), 1.0)]
    while stack:
        choices, p = stack.pop()
        table = grammar.dist(start, choices)
        total = sum(table.values())
        for pick, weight in table.items():
            stack.append(((*choices, pick), p * weight / total))
        if choices and not table:
            text = grammar.tell(start.copy(), choices)
            found[text] = found.get(text, 0.0) + p
    return found
