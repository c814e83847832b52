"""Chapter 6's explorer: what the parts of a model cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import traitlets

from .base import Explorer

if TYPE_CHECKING:
    from ..model.gpt import ModelConfig

SIZES = (
    "n_layers", "d_model", "n_heads", "n_kv_heads", "d_head", "d_ff",
    "vocab_size", "max_len", "n_experts", "top_k", "tie_embeddings",
)  # fmt: skip
"""What the explorer keeps of a `ModelConfig`, beside the name of a recipe."""


class Budget(Explorer):
    """What `budget_explorer` returns; `preset` and `sizes` can be set."""

    module, title = "budget", "Parameter and memory budget"
    preset = traitlets.Unicode("").tag(sync=True)
    sizes = traitlets.Dict().tag(sync=True)
    presets = traitlets.Dict().tag(sync=True)  # name -> sizes


def budget_explorer(preset: str = "gpt2") -> Budget:
    """Play with sizes: parameters by part, memory and work to train them.

    preset: where to begin, a name of `llm_utils.model.zoo.PRESETS`. Memory is
    of 4 bytes a number, for one sequence of max_len tokens. ValueError for
    another name. Chapter 6 derives the formulas.
    """
    from ..model.zoo import PRESETS

    shown = {
        name: {"recipe": make_block.__name__, **_numbers(cfg)}
        for name, (make_block, cfg) in PRESETS.items()
        if not name.startswith("tiny-")
    }
    if preset not in shown:
        raise ValueError(f"no preset {preset!r}: choose one of {list(shown)}")
    return Budget(preset=preset, sizes=dict(shown[preset]), presets=shown)


def _numbers(cfg: ModelConfig) -> dict[str, int]:
    """The sizes as plain numbers; tied embeddings are 1."""
    return {name: int(asdict(cfg)[name]) for name in SIZES}
