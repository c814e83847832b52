"""A model that answers messages: what every way of serving it shares.

Chapter 13 derives it; `serve` and `app` put it on the network. How messages
become ids is a function, so that chapter 14 can bring its chat template.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from llm_utils.infer.cache import new_cache
from llm_utils.infer.filters import Filter, chosen
from llm_utils.infer.sample import device_of, generate
from llm_utils.infer.stream import END, pieces, until
from llm_utils.model.gpt import GPT
from llm_utils.text.bpe import ByteBPE

Message = Mapping[str, str]  # {"role": "user", "content": "..."}
Render = Callable[[Sequence[Message]], list[int]]


@dataclass(frozen=True)
class Settings:
    """How a reply is drawn. temperature 0 is greedy; seed None is any."""

    n: int = 256  # tokens at most
    temperature: float = 1.0
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def filters(self) -> list[Filter]:
        """Chapter 10's, in its order; ValueError for what is out of range."""
        return chosen(
            temperature=self.temperature, top_k=self.top_k, top_p=self.top_p,
            min_p=self.min_p,
        )  # fmt: skip

    def rng(self) -> torch.Generator:
        """A new generator: of this seed, or of one nobody knows."""
        rng = torch.Generator()
        if self.seed is None:
            rng.seed()
            return rng
        return rng.manual_seed(self.seed % 2**63)


class Piece(NamedTuple):
    """A part of a reply: its text, the tokens behind it, how it ended.

    probs: what the model gave each token before any filter. ended: "stop" or
    "length" with the last piece, "" before.
    """

    text: str
    ids: tuple[int, ...] = ()
    probs: tuple[float, ...] = ()
    ended: str = ""


def story(tokenizer: ByteBPE, end: str = END) -> Render:
    """Messages for a model that only tells stories: the last one begins it.

    What was said before, and by whom, is not read: a base model has seen no
    conversation. A special token that somebody typed is text. Chapter 13.
    """

    def render(messages: Sequence[Message]) -> list[int]:
        text = messages[-1]["content"].strip()
        return [tokenizer.special_tokens[end], *tokenizer.encode(text)]

    return render


@dataclass(frozen=True)
class Speaker:
    """A model with its tokenizer, and how it is spoken to. Chapter 13.

    render: messages to ids; None is `story`. ends: ids that end a reply; empty
    is that of <|endoftext|>. most: tokens of a reply, whatever is asked for.
    """

    model: GPT
    tokenizer: ByteBPE
    name: str = "base"
    render: Render | None = None
    ends: tuple[int, ...] = ()
    most: int = 512
    created: int = field(default=0, compare=False)

    def ids(self, messages: Sequence[Message]) -> list[int]:
        """Messages -> the ids of the prompt; ValueError if too many."""
        ids = (self.render or story(self.tokenizer))(messages)
        room = self.model.cfg.max_len - 1
        if len(ids) > room:
            raise ValueError(
                f"the text has {len(ids)} tokens, and the model reads {room} "
                "at most: shorten it"
            )
        return ids

    def reply(
        self, ids: Sequence[int], settings: Settings
    ) -> Generator[Piece, None, None]:
        """Ids of a prompt -> the reply in pieces, the last with its reason.

        The same ids, settings and seed give the same reply, whoever else is
        being served. ValueError for settings that are no settings.
        """
        room = self.model.cfg.max_len + 1 - len(ids)
        n = max(0, min(settings.n, self.most, room))
        filters = settings.filters()
        seen: list[Tensor] = []

        def look(logits: Tensor, past: Tensor) -> Tensor:
            seen[:] = [logits.softmax(-1)[0]]
            return logits

        prompt = torch.tensor([ids], device=device_of(self.model))
        cache = new_cache(self.model, 1, len(ids) + n - 1) if n else None
        steps = generate(
            self.model, prompt, n, [look, *filters], settings.rng(), cache,
        )  # fmt: skip
        return self._pieces(steps, seen, settings.stop)

    def _pieces(
        self, steps: Iterator[Tensor], seen: list[Tensor], stop: Sequence[str]
    ) -> Generator[Piece, None, None]:
        """Ids as they come -> pieces of text with what lies behind each."""
        ends = set(self.ends or (self.tokenizer.special_tokens[END],))
        new: list[tuple[int, float]] = []
        ended = "stop"  # so it stays where the stop string is met

        def drawn() -> Iterator[int]:
            nonlocal ended
            for column in steps:
                i = int(column)
                if i in ends:
                    return
                new.append((i, float(seen[0][i])))
                yield i
            ended = "length"

        def piece(text: str, ended: str = "") -> Piece:
            ids, probs = [i for i, _ in new], [p for _, p in new]
            new.clear()
            return Piece(text, tuple(ids), tuple(probs), ended)

        for text in until(pieces(self.tokenizer, drawn()), stop):
            yield piece(text)
        yield piece("", ended)
