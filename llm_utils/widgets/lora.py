"""Chapter 14's explorer: the memory that tuning takes, in full and by LoRA."""

from __future__ import annotations

from typing import NamedTuple

import traitlets

from .base import Explorer

TRAINED = {"weights": 2, "gradients": 2, "optimizer": 12}
"""Bytes for each trained number in mixed precision; chapter 9 counts them."""
BITS = (4, 8, 16)
TARGETS = {
    "all": ("q", "k", "v", "out", "gate", "up", "down"),
    "attention": ("q", "k", "v", "out"),
    "q and v": ("q", "v"),
}


class Size(NamedTuple):
    """The sizes of a decoder, as its makers published them."""

    n_layers: int
    d_model: int
    n_heads: int
    n_kv_heads: int
    d_head: int
    d_ff: int
    vocab_size: int
    tied: bool

    @property
    def maps(self) -> dict[str, tuple[int, int]]:
        """The linear maps of one layer: (numbers in, numbers out)."""
        C, q, kv = self.d_model, self.n_heads, self.n_kv_heads
        q, kv, ff = q * self.d_head, kv * self.d_head, self.d_ff
        return {"q": (C, q), "k": (C, kv), "v": (C, kv), "out": (q, C),
                "gate": (C, ff), "up": (C, ff), "down": (ff, C)}  # fmt: skip

    @property
    def n_params(self) -> int:
        """Without the norms, which are too few to be seen."""
        tables = self.vocab_size * self.d_model * (1 if self.tied else 2)
        return tables + self.n_layers * sum(
            a * b for a, b in self.maps.values()
        )

    def rank_one(self, targets: str) -> int:
        """Numbers of a LoRA of rank 1 on these maps of all layers."""
        chosen = (self.maps[name] for name in TARGETS[targets])
        return self.n_layers * sum(a + b for a, b in chosen)


SIZES = {
    "0.6B": Size(28, 1024, 16, 8, 128, 3072, 151_936, True),
    "1.7B": Size(28, 2048, 16, 8, 128, 6144, 151_936, True),
    "4B": Size(36, 2560, 32, 8, 128, 9728, 151_936, True),
    "8B": Size(36, 4096, 32, 8, 128, 12_288, 151_936, False),
    "14B": Size(40, 5120, 40, 8, 128, 17_408, 151_936, False),
    "32B": Size(64, 5120, 64, 8, 128, 25_600, 151_936, False),
}
"""The dense models of one family: Yang et al. (2025), Qwen3."""


def tuning_bytes(
    size: str, rank: int = 16, targets: str = "all", bits: int = 16
) -> dict[str, float]:
    """Bytes of weights, gradients and AdamW's state; rank 0 is full tuning.

    Frozen weights take `bits` each; what is trained, 16 bytes a number. The
    activations are not in it. Chapter 14.
    """
    n = SIZES[size].n_params
    if rank == 0:
        return {part: float(n * each) for part, each in TRAINED.items()}
    trained = rank * SIZES[size].rank_one(targets)
    found = {part: float(trained * each) for part, each in TRAINED.items()}
    return {**found, "weights": found["weights"] + n * bits / 8}


class LoRABill(Explorer):
    """What `lora_explorer` returns; `setting` can be set."""

    module, title = "lora_bill", "What does tuning cost in memory?"
    setting = traitlets.Dict().tag(sync=True)
    sizes = traitlets.Dict().tag(sync=True)


def lora_explorer(
    size: str = "8B", rank: int = 16, targets: str = "all", bits: int = 16
) -> LoRABill:
    """Play with rank, maps and bits: the bill of full tuning and of LoRA.

    ValueError for a size, maps or bits that are none of SIZES, TARGETS and
    BITS. Chapter 14 derives the numbers.
    """
    for given, known in ((size, SIZES), (targets, TARGETS), (bits, BITS)):
        if given not in known:
            raise ValueError(f"no {given!r} here: choose from {[*known]}")
    if rank < 1:
        raise ValueError(f"rank={rank}: 1 or more")
    setting = {"size": size, "rank": rank, "targets": targets, "bits": bits}
    sizes = {
        name: {
            "n_params": one.n_params,
            "rank_one": {t: one.rank_one(t) for t in TARGETS},
        }
        for name, one in SIZES.items()
    }
    return LoRABill(setting=setting, sizes=sizes)
