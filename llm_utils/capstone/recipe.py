"""A recipe for the race: all but the time and the seed, as a small TOML file.

Chapter 17 reads one. What is not given is as in the plain recipe, so that a
file says only what it changes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from llm_utils.model.gpt import ModelConfig
from llm_utils.model.zoo import gpt2_block, llama_block, qwen_block
from llm_utils.train.optim import Schedule
from llm_utils.train.recipe import check_keys, check_kind, split_flag
from llm_utils.train.schedules import (
    constant,
    warmup_cosine,
    warmup_stable_decay,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BLOCKS = {"gpt2": gpt2_block, "llama": llama_block, "qwen": qwen_block}
TICKS = 10_000  # a budget of time has so many: the steps of a schedule
MODEL = {
    "block": "gpt2", "n_layers": 4, "d_model": 128, "n_heads": 4,
    "max_len": 512, "positions": "learned",
}  # fmt: skip


def one_of(name: str, value: str, known: Sequence[str]) -> None:
    """ValueError unless it is."""
    if value not in known:
        raise ValueError(f"{name} = {value!r}: choose from {', '.join(known)}")


@dataclass(frozen=True)
class DataConfig:
    """How new stories become batches."""

    batch_tokens: int = 4096  # places, padding included
    order: str = "told"  # or length (like beside like), or packed
    T: int = 128  # of packed rows

    def __post_init__(self) -> None:
        one_of("data.order", self.order, ("told", "length", "packed"))
        if min(self.batch_tokens, self.T) < 1:
            raise ValueError(
                f"batch_tokens={self.batch_tokens}, T={self.T}: 1 or more"
            )


@dataclass(frozen=True)
class InitConfig:
    """Where the weights begin; 0.02 and "small" are GPT-2's."""

    tokens: float = 0.02  # standard deviations
    head: float = 0.02
    writers: str = "small"  # or zero: the blocks add nothing at first

    def __post_init__(self) -> None:
        one_of("init.writers", self.writers, ("small", "zero"))


@dataclass(frozen=True)
class OptimConfig:
    """The optimizer; tokens, head and gains: rates as multiples of peak."""

    name: str = "adamw"  # or muon, for the matrices of the blocks
    peak: float = 3e-4
    weight_decay: float = 0.1
    clip: float = 1.0
    tokens: float = 1.0
    head: float = 1.0
    gains: float = 1.0

    def __post_init__(self) -> None:
        one_of("optim.name", self.name, ("adamw", "muon"))
        if not (self.peak > 0 and self.clip > 0 <= self.weight_decay):
            raise ValueError(
                f"peak={self.peak}, clip={self.clip}, "
                f"weight_decay={self.weight_decay}: none may be negative, and "
                "the first two not 0"
            )


@dataclass(frozen=True)
class ScheduleConfig:
    """The rate over the time used; its parts are shares of the budget."""

    shape: str = "constant"  # or cosine, or wsd
    warmup: float = 0.0
    decay: float = 0.0  # of wsd
    final: float = 0.0  # rate at the end, as a share of the peak

    def __post_init__(self) -> None:
        one_of("schedule.shape", self.shape, ("constant", "cosine", "wsd"))
        if not (0 <= self.warmup < 1 and 0 <= self.decay <= 1 - self.warmup):
            raise ValueError(
                f"warmup={self.warmup} and decay={self.decay} are shares of "
                "the budget: together at most 1"
            )


@dataclass(frozen=True)
class Recipe:
    """The sections of a recipe file. Chapter 17."""

    note: str = ""
    model: Mapping[str, Any] = field(default_factory=lambda: dict(MODEL))
    data: DataConfig = field(default_factory=DataConfig)
    init: InitConfig = field(default_factory=InitConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)

    def __post_init__(self) -> None:
        known = [f.name for f in fields(ModelConfig) if f.name != "vocab_size"]
        check_keys("model", self.model, ["block", *known])
        one_of("model.block", self.model["block"], [*BLOCKS])
        self.config(1)
        self.rates()

    def config(self, vocab_size: int) -> ModelConfig:
        """The sizes, for a tokenizer of this many tokens."""
        sizes = {k: v for k, v in self.model.items() if k != "block"}
        return ModelConfig(vocab_size, **sizes)

    def rates(self) -> Schedule:
        """A schedule of chapter 8 whose steps are TICKS of the budget."""
        s, peak = self.schedule, self.optim.peak
        warmup, decay = round(s.warmup * TICKS), round(s.decay * TICKS)
        if s.shape == "constant":
            return constant(peak)
        if s.shape == "cosine":
            return warmup_cosine(peak, TICKS, warmup, s.final)
        return warmup_stable_decay(peak, TICKS, warmup, decay, s.final)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "model": dict(self.model)}


SECTIONS = {
    "data": DataConfig, "init": InitConfig, "optim": OptimConfig,
    "schedule": ScheduleConfig,
}  # fmt: skip


def from_dict(tables: Mapping[str, Any]) -> Recipe:
    """{"optim": {...}, ...} -> Recipe; ValueError for an unknown name."""
    check_keys("the recipe", tables, ["note", "model", *SECTIONS])
    parts: dict[str, Any] = {"note": str(tables.get("note", ""))}
    for name, table in tables.items():
        if name != "note" and not isinstance(table, Mapping):
            raise ValueError(f"{name} = {table!r}: write it as [{name}]")
    for name, kind in SECTIONS.items():
        table = tables.get(name, {})
        check_keys(name, table, [f.name for f in fields(kind)])
        for key, value in table.items():
            check_kind(f"{name}.{key}", value, kind, key)
        parts[name] = kind(**table)
    return Recipe(model=MODEL | dict(tables.get("model", {})), **parts)


def read_tables(name: str, flags: Sequence[str] = ()) -> dict[str, Any]:
    """What the file says, with flags such as --optim.peak=0.01 over it.

    name: a recipe that ships with the package, or the path of a TOML file.
    """
    shipped = files("llm_utils") / "assets" / "race" / f"{name}.toml"
    path = shipped if shipped.is_file() else Path(name)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        own = ", ".join(shipped_recipes())
        raise ValueError(
            f"there is no {name}: give a TOML file, or one of {own}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name} is no TOML: {error}") from error
    for section, key, value in map(split_flag, flags):
        tables.setdefault(section, {})[key] = value
    return tables


def read_recipe(name: str, flags: Sequence[str] = ()) -> Recipe:
    """`read_tables` as a Recipe. Chapter 17."""
    return from_dict(read_tables(name, flags))


def shipped_recipes() -> list[str]:
    """Names of the recipes in the package."""
    folder = files("llm_utils") / "assets" / "race"
    names = (path.name for path in folder.iterdir())
    return sorted(x.removesuffix(".toml") for x in names if x.endswith(".toml"))
