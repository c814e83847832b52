"""Tokenizer speed beside the libraries a reader would otherwise use.

    python benchmarks/tokenization.py [--repeats 7] > tokenization.json

Trains a 1,024-entry byte-level BPE with the same pre-tokenization here and in
Hugging Face `tokenizers`, then encodes with all that can be had; the
contestants take turns, so that a busy machine disturbs all alike. The text is
TinyShakespeare under $LLM_UTILS_DATA, else as much of TinyWorld.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tiktoken
import tokenizers

from llm_utils.text.bpe import ByteBPE

VOCAB_SIZE = 1024
Contestants = dict[str, Callable[[], Any]]


def text_to_use(n_bytes: int = 1_115_394) -> tuple[str, str]:
    """The name of a text and the text."""
    folder = os.environ.get("LLM_UTILS_DATA")
    if folder:
        path = Path(folder) / "tinyshakespeare" / "input.txt"
        if path.exists():
            return "TinyShakespeare", path.read_bytes().decode("utf-8")
    from llm_utils.text.tinyworld import TinyWorld

    return "TinyWorld", TinyWorld("full").corpus(n_bytes, seed=0)


def medians(contestants: Contestants, repeats: int) -> dict[str, float]:
    """Median seconds of each, all of them once per round."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def train_theirs(text: str, parallel: bool = True) -> tokenizers.Tokenizer:
    """Byte-level BPE, GPT-2's pattern, in Hugging Face `tokenizers`."""
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if parallel else "false"
    level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = level
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        show_progress=False,
        initial_alphabet=level.alphabet(),
    )
    # By lines they can use several threads; as one text they cannot.
    tokenizer.train_from_iterator(text.splitlines(keepends=True), trainer)
    return tokenizer


def training(text: str, repeats: int) -> dict[str, Any]:
    """Seconds to learn 768 merges, ours from the same lines."""
    lines = text.splitlines(keepends=True)
    seconds = medians(
        {
            "ours": lambda: ByteBPE.train(lines, VOCAB_SIZE),
            "ours, one text": lambda: ByteBPE.train(text, VOCAB_SIZE),
            "tokenizers": lambda: train_theirs(text),
            "tokenizers, one thread": lambda: train_theirs(text, False),
        },
        repeats,
    )
    ours = seconds["ours"]
    return {
        "seconds": seconds,
        "ours / tokenizers": ours / seconds["tokenizers"],
        "ours / tokenizers, one thread": ours
        / seconds["tokenizers, one thread"],
    }


def encoding(text: str, repeats: int) -> dict[str, Any]:
    """Seconds and megabytes per second, all with the same merges but GPT-2's.

    "ours, first time" starts with an empty word cache.
    """
    ours = ByteBPE.train(text, VOCAB_SIZE)
    rust = ours.to_tiktoken()
    theirs = train_theirs(text)
    ids = ours.encode(text)
    if rust.encode_ordinary(text) != ids:
        raise SystemExit("our ids and tiktoken's differ")
    contestants: Contestants = {
        "ours, first time": lambda: ByteBPE(ours.merges).encode(text),
        "ours": lambda: ours.encode(text),
        "ours, streamed": lambda: list(ours.encode_iterable([text])),
        "to_tiktoken": lambda: rust.encode_ordinary(text),
        "tokenizers": lambda: theirs.encode(text),
    }
    try:
        gpt2 = tiktoken.get_encoding("gpt2")
    except OSError:
        print("GPT-2's files are not at hand: left out", file=sys.stderr)
    else:
        our_gpt2 = ByteBPE.gpt2()
        contestants["gpt2, ours"] = lambda: our_gpt2.encode(text)
        contestants["gpt2, tiktoken"] = lambda: gpt2.encode_ordinary(text)
    seconds = medians(contestants, repeats)
    megabytes = len(text.encode("utf-8")) / 1e6
    return {
        "seconds": seconds,
        "MB/s": {name: megabytes / s for name, s in seconds.items()},
        "ours / to_tiktoken": seconds["ours"] / seconds["to_tiktoken"],
        "tokens": len(ids),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    name, text = text_to_use()
    result = {
        "text": name,
        "bytes": len(text.encode("utf-8")),
        "repeats": repeats,
        "vocab_size": VOCAB_SIZE,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "tokenizers": version("tokenizers"),
        "tiktoken": version("tiktoken"),
        "train": training(text, repeats),
        "encode": encoding(text, repeats),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
