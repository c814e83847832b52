"""Multiple choice without a word written: the likeliest answer is the pick.

Chapter 12 derives it, and shows what the length of an answer does to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_utils.infer.likelihood import Encode, Scored, continuations
from llm_utils.text.next_token import Model


@dataclass(frozen=True)
class Item:
    """A context, what may follow it, and the number of what is right.

    The choices are joined to the context by one space. kind and group are for
    reports: what it asks, and which items belong together (one story's).
    """

    context: str
    choices: tuple[str, ...]
    answer: int
    kind: str = ""
    group: int = 0

    def __post_init__(self) -> None:
        if len(self.choices) < 2 or not all(self.choices):
            raise ValueError(
                f"choices={self.choices}: give two or more, none empty"
            )
        if not 0 <= self.answer < len(self.choices):
            raise ValueError(
                f"answer={self.answer} is none of {len(self.choices)} choices"
            )
        if len(set(self.choices)) < len(self.choices):
            raise ValueError(f"two choices are the same: {self.choices}")


PER: Mapping[str, str] = {"text": "", "token": "n_tokens", "byte": "n_bytes"}
"""What a log-probability may be divided by; for all of a text, nothing."""


def score(scored: Scored, per: str = "text") -> float:
    """A continuation's nats: of the whole text, per token or per byte."""
    if per not in PER:
        raise ValueError(f"per={per!r}: choose one of {list(PER)}")
    return scored.nats / (getattr(scored, PER[per]) if PER[per] else 1)


def score_choices(
    model: Model, encode: Encode, items: Sequence[Item], **options: int
) -> list[list[Scored]]:
    """N items -> N lists, a score for each choice.

    options: max_len and batch_size, as of `continuations`. Chapter 12.
    """
    pairs = [(x.context, " " + c) for x in items for c in x.choices]
    flat = iter(continuations(model, encode, pairs, **options))
    return [[next(flat) for _ in item.choices] for item in items]


def picks(table: Sequence[Sequence[Scored]], per: str = "text") -> list[int]:
    """The number of the best choice of each item; the first of equals."""
    found = []
    for row in table:
        scores = [score(x, per) for x in row]
        found.append(scores.index(max(scores)))
    return found


def choice_accuracy(
    items: Sequence[Item],
    table: Sequence[Sequence[Scored]],
    per: str = "text",
) -> list[float]:
    """-> 1.0 where the pick is right, else 0.0; their mean is the accuracy.

    A list and no mean, because intervals and comparisons need each item.
    per="text" is lm-eval's acc, "byte" its acc_bytes (and its acc_norm, for
    texts of one byte a character). Chapter 12; Gao et al. (2024).
    """
    if len(items) != len(table):
        raise ValueError(f"{len(items)} items, but {len(table)} rows of scores")
    chosen = picks(table, per)
    return [
        float(pick == item.answer)
        for pick, item in zip(chosen, items, strict=True)
    ]
