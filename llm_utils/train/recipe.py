"""A recipe: everything that `python -m llm_utils train` is told, as TOML.

Chapter 8 reads one line by line. `run` cooks it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from llm_utils.model.gpt import GPT, ModelConfig
from llm_utils.model.zoo import PRESETS
from llm_utils.text.saved import PathLike
from llm_utils.train.muon import muon_with_adamw
from llm_utils.train.optim import AdamW, Optimizer, Schedule, decay_groups
from llm_utils.train.schedules import (
    constant,
    warmup_cosine,
    warmup_stable_decay,
)
from llm_utils.train.trainer import TrainConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class DataConfig:
    """What is learned, and how it is cut into batches."""

    source: str = "tinyworld"  # tinyshakespeare, hf:OWNER/NAME, or a text file
    level: str = "mini"  # of TinyWorld
    subset: str = ""  # of a Hugging Face dataset, as its split and column
    split: str = "train"
    column: str = "text"
    documents: int = 10_000  # stories or documents at most; 0: all there are
    held_out: float = 0.05  # the share that is validated on
    tokenizer: str = "bpe"  # or char, gpt2, or a file that ByteBPE saved
    vocab_size: int = 1024  # of bpe
    batch_size: int = 16  # rows, over all workers
    T: int = 128

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1 or min(self.batch_size, self.T) < 1:
            raise ValueError(
                f"held_out={self.held_out}, batch_size={self.batch_size}, "
                f"T={self.T}: a share between 0 and 1, and 1 or more"
            )
        if self.documents < 1 and self.source == "tinyworld":
            raise ValueError("TinyWorld has no end: give a number of documents")


@dataclass(frozen=True)
class OptimConfig:
    """The optimizer and its schedule."""

    name: str = "adamw"  # or muon
    lr: float = 3e-3  # at the peak
    weight_decay: float = 0.1
    lr_scale: float = 1.0  # Muon's rate as a multiple of AdamW's
    schedule: str = "cosine"  # or wsd, constant
    warmup: int = 50  # steps
    decay: int = 0  # steps, of wsd
    final: float = 0.1  # rate at the end, as a share of the peak

    def __post_init__(self) -> None:
        for name, known in (
            ("name", ("adamw", "muon")),
            ("schedule", ("cosine", "wsd", "constant")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"optim.{name} = {getattr(self, name)!r}: choose from "
                    f"{', '.join(known)}"
                )

    def optimizer(self, model: GPT) -> Optimizer:
        if self.name == "muon":
            return muon_with_adamw(
                model, self.lr, weight_decay=self.weight_decay,
                lr_scale=self.lr_scale,
            )  # fmt: skip
        return AdamW(decay_groups(model, self.weight_decay), self.lr)

    def rates(self, steps: int) -> Schedule:
        if self.schedule == "constant":
            return constant(self.lr)
        if self.schedule == "wsd":
            return warmup_stable_decay(
                self.lr, steps, self.warmup, self.decay, self.final
            )
        return warmup_cosine(self.lr, steps, self.warmup, self.final)


@dataclass(frozen=True)
class RunConfig:
    """What happens beside the steps."""

    seed: int = 0
    save_every: int = 100  # steps
    keep: int = 2  # checkpoints
    eval_every: int = 100
    eval_rows: int = 500  # of the validation split, at most; 0: all
    tensorboard: bool = False


@dataclass(frozen=True)
class Recipe:
    """The sections of a TOML file. Chapter 8."""

    model: Mapping[str, Any] = field(
        default_factory=lambda: {"preset": "tiny-llama"}
    )  # a preset of `zoo`, and sizes that differ from it
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    train: TrainConfig = field(default_factory=lambda: TrainConfig(1000))
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        known = ["preset", *(f.name for f in fields(ModelConfig))]
        check_keys("model", self.model, known)
        if self.model.get("preset") not in PRESETS:
            raise ValueError(
                f"model.preset = {self.model.get('preset')!r}: choose from "
                f"{', '.join(PRESETS)}"
            )
        self.optim.rates(self.train.steps)  # refuses what does not fit

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "model": dict(self.model)}


SECTIONS = {
    "data": DataConfig, "optim": OptimConfig, "train": TrainConfig,
    "run": RunConfig,
}  # fmt: skip


def from_dict(tables: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """{"model": {...}, ...} -> Recipe; ValueError for a name that is unknown.

    What is not given has its default; train.steps must be given.
    """
    check_keys("the recipe", tables, ["model", *SECTIONS])
    parts: dict[str, Any] = {}
    for name, kind in SECTIONS.items():
        table = tables.get(name, {})
        check_keys(name, table, [f.name for f in fields(kind)])
        for key, value in table.items():
            check_kind(f"{name}.{key}", value, kind, key)
        if name == "train" and "steps" not in table:
            raise ValueError("train.steps is missing: how many, say 1000?")
        parts[name] = kind(**table)
    model = {"preset": "tiny-llama", **tables.get("model", {})}
    return Recipe(model=model, **parts)


def read_recipe(path: PathLike, flags: Sequence[str] = ()) -> Recipe:
    """A TOML file, with flags such as --train.steps=200 over it. Chapter 8."""
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"there is no {path}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no TOML: {error}") from error
    for section, key, value in map(split_flag, flags):
        table = tables.setdefault(section, {})
        if not isinstance(table, dict):
            raise ValueError(f"{section} in {path} is no section")
        table[key] = value
    return from_dict(tables)


def split_flag(flag: str) -> tuple[str, str, Any]:
    """--section.key=value -> its parts; the value is TOML, or else text."""
    name, equals, text = flag.removeprefix("--").partition("=")
    section, dot, key = name.partition(".")
    if not (flag.startswith("--") and equals and dot):
        raise ValueError(f"{flag!r}: write --section.key=value")
    try:
        return section, key, tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return section, key, text


def check_keys(
    where: str, table: Mapping[str, Any], known: Sequence[str]
) -> None:
    """ValueError for a key that is not known: a typo would be ignored."""
    if odd := sorted(set(table) - set(known)):
        raise ValueError(
            f"{where} has no {odd[0]!r}: choose from {', '.join(known)}"
        )


def check_kind(name: str, value: Any, kind: type, key: str) -> None:
    """ValueError for text in place of a number, and the like."""
    wanted = next(f.type for f in fields(kind) if f.name == key)
    given = type(value).__name__
    if given != wanted and (given, wanted) != ("int", "float"):
        raise ValueError(f"{name} = {value!r} is {given}, {wanted} is due")
