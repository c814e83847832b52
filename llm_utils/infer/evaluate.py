"""Everything that chapter 12 measures a model by, and all of it in one call.

`python -m llm_utils evaluate` prints a `Report`; the parts are next door:
likelihood, choices, answers, intervals, paired, tasks, judges, leaks, harness.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch

from llm_utils.infer.answers import exact_match, pass_at_k
from llm_utils.infer.choices import Item, choice_accuracy, score_choices
from llm_utils.infer.intervals import bootstrap_ci, standard_error, wilson
from llm_utils.infer.likelihood import strided_log_probs
from llm_utils.infer.paired import mcnemar, paired_bootstrap
from llm_utils.infer.tasks import BY_WORD, endings, one_word, with_start
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.next_token import Model, bits_per_byte
from llm_utils.text.tinyworld import Story, TinyWorld

__all__ = [
    "Report",
    "Score",
    "bootstrap_ci",
    "choice_accuracy",
    "evaluate",
    "exact_match",
    "mcnemar",
    "paired_bootstrap",
    "pass_at_k",
    "standard_error",
    "wilson",
]

END = "<|endoftext|>"
SEED = 2026  # of the stories that are asked about
ASKS = {"who": "which person", "where": "which place"}


@dataclass(frozen=True)
class Score:
    """One line of a report: a mean, and how far to trust it (95 %)."""

    name: str
    value: float
    interval: tuple[float, float]
    n: int
    chance: float | None = None  # a guesser's score; None: no accuracy


@dataclass(frozen=True)
class Report:
    """What `evaluate` found out; str() of it is a table."""

    scores: tuple[Score, ...]
    floor: float  # bits per byte of the world itself, on the same stories

    def __str__(self) -> str:
        lines = [f"{'':24}{'score':>8}  {'95 % interval':17}{'n':>5}  guessing"]
        for x in self.scores:
            form = "{:.3f}" if x.chance is None else "{:.1%}"
            low, high = (form.format(v) for v in x.interval)
            guess = "" if x.chance is None else f"{x.chance:.1%}"
            value = form.format(x.value)
            span = f"{low} to {high}"
            lines.append(f"{x.name:24}{value:>8}  {span:17}{x.n:5}  {guess}")
        lines.append(f"{'the world itself':24}{self.floor:8.3f}")
        return "\n".join(lines)


def evaluate(
    model: Model,
    tokenizer: ByteBPE,
    level: str = "mini",
    n: int = 100,
    seed: int = SEED,
    max_len: int = 1024,
) -> Report:
    """Bits per byte and multiple choice on n new stories of a level.

    A minute at most on one core for the base model. The seed chooses the
    stories: one that the training used would measure memory. Chapter 12.
    """
    if n < 2:
        raise ValueError(f"n={n} stories: an interval needs 2 or more")
    if END not in tokenizer.special_tokens:
        raise ValueError(f"the tokenizer has no {END}, which begins a story")
    world = TinyWorld(level)
    stories = list(world.stories(n, seed))
    byte, floor = _bits(model, tokenizer, stories, max_len)
    scores, rng = [byte], random.Random(seed)
    asked = {kind: [x for x in one_word(world, stories, rng) if x.kind == kind]
             for kind in BY_WORD}  # fmt: skip
    asked["ending"] = endings(world, stories, rng)
    for kind, items in asked.items():
        if len(items) > 1:
            scores.append(_choices(model, tokenizer, kind, items, max_len))
    return Report(tuple(scores), floor)


def _bits(
    model: Model, tokenizer: ByteBPE, stories: list[Story], max_len: int
) -> tuple[Score, float]:
    """Bits per byte of the stories and of the world; both with their ends."""
    rows = []
    for story in stories:
        ids = tokenizer.encode(f"{END}{story.text}{END}", "all")
        nats = -float(strided_log_probs(model, ids, max_len).sum())
        rows.append((nats, -story.log_prob, len(story.text.encode())))
    nats_, floor, size = torch.tensor(rows, dtype=torch.float64).T
    ratio = float(nats_.sum() / size.sum())
    off = standard_error((nats_ - ratio * size).tolist()) / float(size.mean())
    low, high = (bits_per_byte(ratio + z * off, 1) for z in (-1.96, 1.96))
    value = bits_per_byte(ratio, 1)
    score = Score("bits per byte", value, (low, high), len(rows))
    return score, bits_per_byte(floor.sum(), float(size.sum()))


def _choices(
    model: Model,
    tokenizer: ByteBPE,
    kind: str,
    items: list[Item],
    max_len: int,
) -> Score:
    table = score_choices(
        model,
        lambda text: tokenizer.encode(text, "all"),
        with_start(items, END),
        max_len=max_len,
    )
    right = choice_accuracy(items, table)
    chance = sum(1 / len(x.choices) for x in items) / len(items)
    brief = [min(x.choices, key=len) == x.choices[x.answer] for x in items]
    chance = max(chance, sum(brief) / len(brief))  # the shortest as a guess
    share = sum(right) / len(right)
    interval = wilson(int(sum(right)), len(right))
    name = ASKS.get(kind, "which ending")
    return Score(name, share, interval, len(right), chance)
