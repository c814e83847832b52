"""Measure a folder and write its card: no number in it is typed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from llm_utils.capstone.score import tell
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.base import load_base
from scripts.base_model import measure
from scripts.base_model.recipe import LONGEST, Recipe
from scripts.base_model.training import rounded

STORIES, SAMPLES = 2000, 600
LOSS_SEED, SAMPLE_SEED = 30_001, 30_002  # neither trained on nor in the log

CARD = """\
---
license: mit
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [tinyworld, from-scratch, educational]
---
# The base model of the book

A small language model of TinyWorld, the made-up world of this book, whose
stories have a known probability. It tells stories of level "{level}":

> {sample}

It knows no other English, and nothing of the world outside of its stories.

## What it is

A decoder in Qwen3's form: RMSNorm, RoPE, queries and keys normalized, SwiGLU.
{parameters:,} parameters: {n_layers} layers, {d_model} wide, {n_heads} heads,
{d_ff} hidden units, {vocab_size} tokens of byte-level BPE; `<|endoftext|>`
opens a story and ends it. Weights are {dtype}.

```python
from llm_utils.train.base import load_base
model, tokenizer = load_base()
```

`transformers` loads the folder as well, with no code of ours:
`AutoModelForCausalLM.from_pretrained(folder)`.

## What it was trained on, and how

`recipe.toml` holds every choice, seed {seed} among them; `torchrun
--nproc-per-node 2 -m scripts.base_model train recipe.toml OUT` runs it again.
{steps:,} steps over {tokens:,} tokens, each story new, took {minutes} minutes,
{core_minutes} of processor time (AVX2, float32). Muon trains the matrices of
the blocks, AdamW the rest; the learning rate falls in a line over the last
{decay:,} steps.{note}

## What it is worth

Measured on {stories:,} new stories and {samples:,} sampled ones (temperature
1, nothing cut off), with intervals of 95 %:

{figures}

The share of clean stories bounds the KL divergence from below, by -ln of the
share: {bound:.2f} nats a story. What is wrong with the sentences that are
wrong: {faults}.

## What it learned first

Shares of sampled stories as training went on; `log.jsonl` has more.

{table}

Words come first, then grammar, then who is in the story, and last who holds
what and where everybody is.
"""

# what is measured -> how it is written, and its name in `measured`
FIGURES = {
    "loss, nats per byte": "{nats_per_byte:.5f}",
    "entropy of the same stories": "{entropy_nats_per_byte:.5f}",
    "above the entropy": "{above_percent:.2f} % ± {above_percent_95:.2f}",
    "KL divergence, nats a story": (
        "{above_nats_per_story:.2f} ± {above_nats_per_story_95:.2f}"
    ),
    "sentences: grammatical": "{grammatical:.2%}",
    "... and true": "{true:.2%}",
    "... and possible": "{possible:.2%} ± {possible_95:.2%}",
    "stories without a fault": "{clean:.1%} ± {clean_95:.1%}",
}


def write(folder: Path) -> None:
    """Measure `folder`; write measured.json and README.md into it."""
    recipe = Recipe.load(folder / "recipe.toml")
    model, tokenizer = load_base(folder)
    world = TinyWorld(recipe.level)
    told = tell(model, tokenizer, SAMPLES, SAMPLE_SEED, LONGEST)
    half = measure.interval(world, told)
    measured = {
        "level": recipe.level,
        **measure.loss(model, tokenizer, world, STORIES, LOSS_SEED),
        **measure.shares(world, told),
        **{f"{name}_95": x for name, x in half.items()},
        "sample": first_clean(world, told),
    }
    text = json.dumps(rounded(measured), indent=1) + "\n"
    (folder / "measured.json").write_text(text)
    (folder / "README.md").write_text(render(folder), encoding="utf-8")


def render(folder: Path) -> str:
    """The card, from the files of a folder that has been measured."""
    recipe = Recipe.load(folder / "recipe.toml")
    measured = json.loads((folder / "measured.json").read_text())
    lines = (folder / "log.jsonl").read_text().splitlines()
    log = [json.loads(line) for line in lines]
    model, _ = load_base(folder)
    sizes = {
        name: getattr(model.cfg, name)
        for name in ("n_layers", "d_model", "n_heads", "d_ff", "vocab_size")
    }
    faults = measured.pop("faults")
    rows = [f"| {a} | {b.format(**measured)} |" for a, b in FIGURES.items()]
    return CARD.format(
        **measured,
        **sizes,
        parameters=model.n_params,
        dtype=str(model.tokens.weight.dtype).removeprefix("torch."),
        seed=recipe.seed,
        note=f"\n\n{recipe.note.strip()}" if recipe.note else "",
        steps=recipe.steps,
        decay=recipe.decay,
        tokens=log[-1]["tokens"],
        minutes=round(60 * log[-1]["hours"]),
        core_minutes=round(log[-1]["core_seconds"] / 60),
        bound=-math.log(max(measured["clean"], 1e-9)),
        faults=", ".join(f"{n} of {name}" for name, n in faults.items()),
        figures="\n".join(["| | |", "|---|---|", *rows]),
        table=table(log),
    )


def first_clean(world: TinyWorld, told: list[str]) -> str:
    """The first sampled story that is clean, for the reader to look at."""
    verdicts = ((text, world.judge(text)) for text in told)
    return next((t for t, v in verdicts if v.clean and v.complete), told[0])


def table(log: list[dict[str, Any]]) -> str:
    """The log as a table: a line for each time that was looked at."""
    head = (
        "| tokens | above entropy | words | grammatical | everybody known | "
        "true | possible | clean stories |\n|---|---|---|---|---|---|---|---|"
    )
    lines = [head]
    for row in log:
        shares = [
            row[name]
            for name in ("words", "grammatical", "known", "true", "possible",
                         "clean")
        ]  # fmt: skip
        cells = " | ".join(f"{100 * x:.1f} %" for x in shares)
        above = f"{row['above_percent']:.1f} %"
        lines.append(f"| {row['tokens']:,} | {above} | {cells} |")
    return "\n".join(lines)
