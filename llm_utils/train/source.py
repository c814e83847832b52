"""Where a run's text comes from, and its way into token files.

`run` prepares it once, in chapter 8: whatever the source, documents one by
one, a tokenizer, and two files, of which one is held out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from llm_utils.text.bpe import ByteBPE
from llm_utils.text.saved import read_json, write_json
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.text.tokenizer import CharTokenizer
from llm_utils.train.batches import write_tokens
from llm_utils.train.fetch import fetch
from llm_utils.train.recipe import DataConfig

END = "<|endoftext|>"
SAMPLE = 2_000_000  # characters that a tokenizer is trained on


@dataclass(frozen=True)
class Prepared:
    """A tokenizer and two token files."""

    tokenizer: ByteBPE | CharTokenizer
    train: Path
    held_out: Path
    floor: float | None  # the entropy, nats per token; None: not known


def prepare(cfg: DataConfig, folder: Path, seed: int) -> Prepared:
    """Fetch, tokenize and write everything once; the next time it is there.

    ValueError if the folder holds other data than the recipe asks for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = folder / "facts.json"
    wanted = {**asdict(cfg), "seed": seed}
    for name in ("batch_size", "T"):  # may change: the files do not
        del wanted[name]
    if not facts.exists():
        write_json(facts, "data", 1, write_files(cfg, folder, seed) | wanted)
    known = read_json(facts, "data", 1)
    for name, value in wanted.items():
        if known[name] != value:
            raise ValueError(
                f"{folder} holds data with {name} = {known[name]!r}, and the "
                f"recipe says {value!r}: choose another folder"
            )
    kind = CharTokenizer if cfg.tokenizer == "char" else ByteBPE
    tokenizer = kind.load(folder / "tokenizer.json")
    files = folder / "train.npy", folder / "held_out.npy"
    return Prepared(tokenizer, *files, known["floor"])


def write_files(cfg: DataConfig, folder: Path, seed: int) -> dict[str, Any]:
    """Tokenizer and token files; what is known about them."""
    held, rest, nats = split(cfg, seed)
    sample: list[str] = []
    for text in rest:
        sample.append(text)
        if sum(map(len, sample)) >= SAMPLE:
            break
    tokenizer = make_tokenizer(cfg, chain(held, sample))
    tokenizer.save(folder / "tokenizer.json")
    if isinstance(tokenizer, ByteBPE):
        end = tokenizer.special_tokens[END]
    else:
        (end,) = tokenizer.encode("\n")

    def write(texts: Iterable[str], name: str) -> int:
        ids = (tokenizer.encode(text) for text in texts)
        return write_tokens(ids, folder / name, tokenizer.vocab_size, end)

    n = write(held, "held_out.npy")
    write(chain(sample, rest), "train.npy")
    return {"floor": None if nats is None else nats / n}


Split = tuple[list[str], Iterator[str], float | None]


def split(cfg: DataConfig, seed: int) -> Split:
    """Held-out documents, the others, and the nats of the first, if known."""
    if cfg.source == "tinyworld":
        stories = TinyWorld(cfg.level).stories(cfg.documents, seed)
        held = list(islice(stories, how_many(cfg)))
        nats = -sum(story.log_prob for story in held)
        return [x.text for x in held], (x.text for x in stories), nats
    if cfg.source.startswith("hf:"):
        texts = stream(cfg)
        return list(islice(texts, how_many(cfg))), texts, None
    path = Path(cfg.source)
    if cfg.source == "tinyshakespeare":
        path = fetch("tinyshakespeare")
    if not path.is_file():
        raise ValueError(
            f"data.source = {cfg.source!r} is no file: give the path of a "
            "text, or tinyworld, tinyshakespeare, hf:OWNER/NAME"
        )
    text = path.read_text(encoding="utf-8")
    cut = round(len(text) * (1 - cfg.held_out))  # the end: no neighbors
    return [text[cut:]], iter([text[:cut]]), None


def how_many(cfg: DataConfig) -> int:
    """Documents that are held out."""
    n = cfg.documents or 20_000  # of a stream without end: of its beginning
    return max(1, round(n * cfg.held_out))


def stream(cfg: DataConfig) -> Iterator[str]:
    """The documents of a dataset on the Hugging Face Hub, as they arrive."""
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise ValueError(
            f"{cfg.source} takes more packages: pip install 'llm-utils[hf]'"
        ) from error
    name, subset = cfg.source.removeprefix("hf:"), cfg.subset or None
    rows = load_dataset(name, subset, split=cfg.split, streaming=True)
    for row in islice(rows, cfg.documents or None):
        if cfg.column not in row:
            raise ValueError(
                f"{cfg.source} has no column {cfg.column!r}: choose from "
                f"{', '.join(row)}"
            )
        yield row[cfg.column]


def make_tokenizer(
    cfg: DataConfig, texts: Iterable[str]
) -> ByteBPE | CharTokenizer:
    """Trained on these texts, or read from a file."""
    if cfg.tokenizer == "char":
        return CharTokenizer.train(chain(texts, ["\n"]))
    if cfg.tokenizer == "bpe":
        return ByteBPE.train(texts, cfg.vocab_size, [END])
    if cfg.tokenizer == "gpt2":
        return ByteBPE.gpt2()
    tokenizer = ByteBPE.load(cfg.tokenizer)
    if END not in tokenizer.special_tokens:
        raise ValueError(f"{cfg.tokenizer} has no special token {END}")
    return tokenizer
