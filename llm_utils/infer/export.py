"""A finished model as a folder for others: weights, tokenizer, card.

Chapter 13 reads it. `transformers` loads the folder with no code of ours; the
card says what the numbers in it are worth.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from llm_utils.infer.evaluate import Report
from llm_utils.model.gpt import GPT
from llm_utils.model.hf import from_hf, to_hf
from llm_utils.model.hf_files import read_json, write_json
from llm_utils.model.hf_tokenizer_read import tokenizer_from_hf
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.saved import PathLike

CARD = """\
---
{front}---
# {name}

{about}

## What it is

A decoder-only language model, `{architecture}` to `transformers`:
{params:,} parameters, {n_layers} layers, {d_model} wide, {n_heads} heads that
share {n_kv_heads} of keys and values, {vocab_size:,} tokens of byte-level BPE.
It reads {max_len:,} tokens at most. Weights are {dtype}.

```python
from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
```

`<|endoftext|>` begins a text and ends it. Nobody has taught this model to
follow instructions, unless it says so above.

## What it is worth

{numbers}

## What it is not for

It was trained from scratch to be studied. It knows its training text and
nothing else, states what is false as it states what is true, and is no source
about the world. Use it for nothing that matters to anybody.
"""
UNMEASURED = "Nobody has measured it."
MEASURED = """\
On {n} new texts, with intervals of 95 %:

| | score | interval | n | guessing |
|---|---|---|---|---|
{rows}

The world that told these texts has an entropy of {floor:.3f} bits per byte,
which is a floor for any model."""


def export(
    model: GPT,
    tokenizer: ByteBPE,
    folder: PathLike,
    name: str,
    about: str = "",
    report: Report | None = None,
    license: str = "",
    sampling: Mapping[str, Any] | None = None,
) -> Path:
    """Write the folder, read it back, and only then give it its name.

    report: what `evaluate` measured, for the card. sampling: what
    `transformers` draws with by itself, {"temperature": 0.8}; None is greedy.
    ValueError if the folder holds something else, or cannot be said in its
    form. Chapter 13; Mitchell et al. (2019) for the card.
    """
    folder = Path(folder)
    old = folder.exists() and any(folder.iterdir())
    if old and not (folder / "config.json").exists():
        raise ValueError(f"{folder} holds other files: choose an empty folder")
    draft = folder.with_name(f".draft-{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        to_hf(model, tokenizer, draft)
        if sampling:
            path = draft / "generation_config.json"
            write_json(path, {**read_json(path), **sampling, "do_sample": True})
        text = card(model, draft, name, about, report, license)
        (draft / "README.md").write_text(text, encoding="utf-8")
        verify(draft, model, tokenizer)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def card(
    model: GPT,
    folder: Path,
    name: str,
    about: str = "",
    report: Report | None = None,
    license: str = "",
) -> str:
    """README.md of a folder: its facts are read from the files beside it."""
    config = read_json(folder / "config.json")
    front = [f"license: {license}"] if license else []
    front += ["library_name: transformers", "pipeline_tag: text-generation"]
    sizes = {
        key: getattr(model.cfg, key)
        for key in ("n_layers", "d_model", "n_heads", "n_kv_heads",
                    "vocab_size", "max_len")
    }  # fmt: skip
    return CARD.format(
        **sizes,
        front="".join(f"{line}\n" for line in front),
        name=name,
        about=about or "Its maker has not said what it is for.",
        architecture=config["architectures"][0],
        params=model.n_params,
        dtype=config["dtype"],
        numbers=table(report) if report else UNMEASURED,
    )


def table(report: Report) -> str:
    """What was measured, as the card has it."""
    rows = []
    for x in report.scores:
        form = "{:.3f}" if x.chance is None else "{:.1%}"
        low, high = (form.format(v) for v in x.interval)
        guess = "" if x.chance is None else f"{x.chance:.1%}"
        cells = (x.name, form.format(x.value), f"{low} to {high}", x.n, guess)
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return MEASURED.format(
        n=report.scores[0].n, rows="\n".join(rows), floor=report.floor
    )


def verify(folder: Path, model: GPT, tokenizer: ByteBPE) -> None:
    """ValueError unless the folder gives this model and tokenizer again."""
    ours, theirs = model.state_dict(), from_hf(folder).state_dict()
    lost = [
        name
        for name in sorted(set(ours) | set(theirs))
        if name not in ours
        or name not in theirs
        or not torch.equal(ours[name].cpu(), theirs[name])
    ]
    again = tokenizer_from_hf(folder)
    if again.vocab != tokenizer.vocab or again.merges != tokenizer.merges:
        lost.append("the tokenizer")
    if again.special_tokens != tokenizer.special_tokens:
        lost.append("the special tokens")
    if lost:
        raise ValueError(f"{folder} does not give back {', '.join(lost[:3])}")
