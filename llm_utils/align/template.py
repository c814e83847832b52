"""Chat templates: messages as ids, and which of the ids are to be learned.

Chapter 14 derives them. A template is data, a `Format`: one definition serves
training, generation (`Speaker` of chapter 13 left room for it) and the files of
`transformers` (`hf_template`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llm_utils.infer.speaker import Message
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.special import split_specials

ANSWERS = "assistant"  # the role whose words are learned


class Turn(NamedTuple):
    """What stands before and after the words of one role."""

    before: str
    after: str


@dataclass(frozen=True)
class Format:
    """Where the words of each role go.

    `end` is the special token that ends an answer: the model is to say it, so
    it is learned, unlike what a turn's `after` adds behind it. A space that
    ends the `before` of an answer goes to the answer's first token, where a
    tokenizer of pre-tokens has it in running text.
    """

    turns: Mapping[str, Turn]
    end: str
    begin: str = ""

    def __post_init__(self) -> None:
        if ANSWERS not in self.turns:
            raise ValueError(
                f"turns of {list(self.turns)}: one of {ANSWERS!r} must be there"
            )

    @property
    def answer(self) -> tuple[str, str]:
        """What stands before an answer, and the spaces that are its own."""
        before = self.turns[ANSWERS].before
        bare = before.rstrip(" ")
        return bare, before[len(bare) :]

    @property
    def specials(self) -> list[str]:
        """The special tokens that it is made of, each once."""
        text = "".join(part for turn in self.turns.values() for part in turn)
        found = re.findall(r"<\|.*?\|>", self.begin + text)
        return list(dict.fromkeys([*found, self.end]))


PLAIN = Format(
    {
        "system": Turn("", "\n"),
        "user": Turn("Question: ", "\n"),
        ANSWERS: Turn("Answer: ", ""),
    },
    end="<|endoftext|>",
    begin="<|endoftext|>",
)
CHATML = Format(
    {
        role: Turn(f"<|im_start|>{role}\n", "<|im_end|>\n")
        for role in ("system", "user")
    }
    | {ANSWERS: Turn(f"<|im_start|>{ANSWERS}\n", "\n")},
    end="<|im_end|>",
)
SHORT = Format(
    {"system": Turn("", ""), "user": Turn(" ", ""), ANSWERS: Turn(" ", "")},
    end="<|endoftext|>",
    begin="<|endoftext|>",
)
"""A story, questions and answers in a row, as chapter 14 writes them."""
FORMATS = {"plain": PLAIN, "chatml": CHATML, "short": SHORT}


class Example(NamedTuple):
    """ids (n,), and for each whether it is to be learned."""

    ids: list[int]
    loss_mask: list[bool]


class Span(NamedTuple):
    """A part of a conversation that is not yet ids.

    ours: written by the template, so that special tokens in it are meant;
    in the words of a message they are text, or anybody could forge a turn.
    """

    text: str
    ours: bool = True
    learn: bool = False


@dataclass(frozen=True)
class ChatTemplate:
    """Messages -> ids, by a format and a tokenizer. Chapter 14.

    ValueError if the tokenizer lacks one of the format's special tokens:
    `add_tokens` gives a model and its tokenizer new ones.
    """

    tokenizer: ByteBPE
    format: Format = PLAIN

    def __post_init__(self) -> None:
        known = self.tokenizer.special_tokens
        lost = [name for name in self.format.specials if name not in known]
        if lost:
            raise ValueError(
                f"the tokenizer has no {', '.join(lost)}: add_tokens(model, "
                "tokenizer, names) makes room for them"
            )

    def render(self, messages: Sequence[Message]) -> Example:
        """Messages -> ids (n,), loss_mask (n,).

        The mask is True on the answers' words and on the token that ends each,
        and nowhere else. Space around the words of a message is left out.
        ValueError for a message that the format has no place for. Chapter 14.
        """
        return self._encode(self._spans(messages))

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Messages -> the ids after which the answer begins. Chapter 14.

        This is what `render` puts before the answer, id for id. As `render` of
        a `Speaker`, with `ends=(template.end,)`, it makes a model chat.
        """
        if messages and messages[-1]["role"] == ANSWERS:
            raise ValueError("the last message is an answer: nothing is asked")
        asked = Span(self.format.answer[0])
        return self._encode([*self._spans(messages), asked]).ids

    def said(self, ids: Sequence[int]) -> str:
        """The ids of an answer -> its words."""
        ids = [*ids[:-1], *(i for i in ids[-1:] if i != self.end)]
        return self.tokenizer.decode(ids).strip()

    @property
    def end(self) -> int:
        """The id that ends an answer."""
        return self.tokenizer.special_tokens[self.format.end]

    def _spans(self, messages: Sequence[Message]) -> Iterator[Span]:
        if not messages:
            raise ValueError("no messages: a conversation has one or more")
        yield Span(self.format.begin)
        for n, message in enumerate(messages):
            role, words = message["role"], message["content"].strip()
            if role not in self.format.turns:
                raise ValueError(
                    f"message {n} is of the role {role!r}, the format has "
                    f"{list(self.format.turns)}"
                )
            if not words:
                raise ValueError(f"message {n}, of {role}, has no words")
            before, after = self.format.turns[role]
            if role == ANSWERS:
                before, lead = self.format.answer
                yield Span(before)
                yield Span(lead + words, ours=False, learn=True)
                yield Span(self.format.end, learn=True)
            else:
                yield Span(before)
                yield Span(words, ours=False)
            yield Span(after)

    def _encode(self, spans: Iterable[Span]) -> Example:
        """Text is encoded from one special token or answer to the next."""
        ids: list[int] = []
        mask: list[bool] = []
        held, learn = "", False

        def add(new: list[int]) -> None:
            ids.extend(new)
            mask.extend([learn] * len(new))

        for span in spans:
            if span.learn != learn:
                add(self.tokenizer.encode(held))
                held, learn = "", span.learn
            names = self.format.specials if span.ours else ()
            for n, part in enumerate(split_specials(span.text, names)):
                if n % 2:
                    add(self.tokenizer.encode(held))
                    add([self.tokenizer.special_tokens[part]])
                    held = ""
                else:
                    held += part
        add(self.tokenizer.encode(held))
        return Example(ids, mask)
