"""Batches of tokens in any order, from any place on.

Chapter 7 derives everything here; `token_file` and `packing` are the two
halves that it stands on. Chapter 8's loop takes any iterator of (x, y).
"""

from __future__ import annotations

import os

import numpy as np
import torch
from torch import Tensor

from llm_utils.text.saved import PathLike
from llm_utils.train.packing import NO_TARGET, check_length, pack, pack_whole
from llm_utils.train.token_file import TokenFile, write_rows, write_tokens

__all__ = [
    "NO_TARGET",
    "MemmapBatches",
    "TokenFile",
    "pack",
    "pack_whole",
    "write_rows",
    "write_tokens",
]

Batch = tuple[Tensor, Tensor]


class MemmapBatches:
    """Batches of x (B, T) and y (B, T), without end, from a file or array.

    source: a token file, or an array, of one axis (cut into rows of T + 1
    that overlap by one token) or of rows (N, T + 1). Each epoch visits every
    row once, in an order of its own. Places that hold NO_TARGET keep it in y
    and are 0 in x.

    Of `world_size` workers whose `rng` are in the same state, each gets
    other rows: worker `rank` has row rank * B to (rank + 1) * B of every
    world_size * B. A file stays on disk; in memory are one batch and 4 bytes
    for each row, the order of this epoch. Chapter 7.
    """

    def __init__(
        self, source: PathLike | np.ndarray | Tensor, B: int, T: int,
        rng: torch.Generator, *, rank: int = 0, world_size: int = 1,
    ) -> None:  # fmt: skip
        check_length(T)
        if B < 1 or not 0 <= rank < world_size:
            raise ValueError(
                f"B={B}, rank={rank} of {world_size}: B is 1 or more, a rank "
                "is counted from 0"
            )
        self.B, self.T, self.rank, self.world_size = B, T, rank, world_size
        if isinstance(source, (str, os.PathLike)):
            self._tokens: TokenFile | np.ndarray = TokenFile(source)
        else:
            self._tokens = np.asarray(source)
        self.n_rows = count_rows(self._tokens.shape, T)
        self.seed = int(torch.randint(2**62, (), generator=rng))
        self.position = 0  # rows that all workers together have taken
        self._orders: dict[int, Tensor] = {}

    def order(self, epoch: int) -> Tensor:
        """The rows in the order of one epoch: (n_rows,), int32."""
        if epoch not in self._orders:
            rng = torch.Generator().manual_seed(self.seed + epoch)
            n, kind = self.n_rows, torch.int32
            order = torch.randperm(n, generator=rng, dtype=kind)
            self._orders = {epoch: order}
        return self._orders[epoch]

    @property
    def epoch(self) -> float:
        """How many times the data have been gone through: 1.5, say."""
        return self.position / self.n_rows

    def __iter__(self) -> MemmapBatches:
        return self

    def __next__(self) -> Batch:
        """The next x (B, T) and y (B, T), int64."""
        first = self.position + self.rank * self.B
        places = [divmod(k, self.n_rows) for k in range(first, first + self.B)]
        rows = [int(self.order(epoch)[i]) for epoch, i in places]
        self.position += self.B * self.world_size
        block = torch.stack([self.row(i) for i in rows])
        return block[:, :-1].clamp_min(0), block[:, 1:].contiguous()

    def row(self, i: int) -> Tensor:
        """Row i as it lies in the source: (T + 1,), int64."""
        tokens, n = self._tokens, self.T + 1
        first = i * (self.T if len(tokens.shape) == 1 else n)
        if isinstance(tokens, TokenFile):
            return torch.from_numpy(tokens.read(first, n))
        part = tokens.reshape(-1)[first : first + n]
        return torch.from_numpy(part.astype(np.int64))

    def state_dict(self) -> dict[str, int]:
        """All that the next batch depends on; plain numbers, for JSON."""
        return {
            "seed": self.seed,
            "position": self.position,
            "n_rows": self.n_rows,
            "T": self.T,
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on exactly where the state was taken, with any B or world_size.

        ValueError if it was taken over other data.
        """
        own = self.state_dict()
        for name in ("n_rows", "T"):
            if state[name] != own[name]:
                raise ValueError(
                    f"the state is of data with {name}={state[name]}, these "
                    f"have {own[name]}: resume on the data it was saved on"
                )
        self.seed, self.position = int(state["seed"]), int(state["position"])
        self._orders = {}


def count_rows(shape: tuple[int, ...], T: int) -> int:
    """How many rows of T + 1 a stream (n,) or rows (N, T + 1) give."""
    if len(shape) not in (1, 2):
        raise ValueError(f"tokens of shape {shape}: give (n,) or (N, T + 1)")
    if len(shape) == 2 and shape[1] != T + 1:
        raise ValueError(f"rows of {shape[1]} do not fit T={T}: T + 1 is due")
    n = (shape[0] - 1) // T if len(shape) == 1 else shape[0]
    if n < 1:
        raise ValueError(f"{shape[0]} tokens or rows give no row of T={T} + 1")
    return n
