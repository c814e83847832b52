"""Token ids on disk: a NumPy file (.npy) of 2 or 4 bytes a token.

Chapter 7 derives it. `numpy.load` reads these files, too: one axis for a
stream of tokens, two for rows that were packed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from torch import Tensor

from llm_utils.text.saved import PathLike
from llm_utils.train.packing import Ids

CHUNK = 2**20  # tokens in memory while a file is written


def write_tokens(
    docs: Iterable[Ids], path: PathLike, vocab_size: int, end: int | None = None
) -> int:
    """documents -> a token file (n,); returns n, the number of tokens.

    `end` is put behind each document, unless it is None. A token takes 2
    bytes if the vocabulary allows it, otherwise 4. Documents are read one by
    one, and the file appears when it is whole or not at all. ValueError for
    an id outside the vocabulary. Chapter 7.
    """
    dtype = np.dtype("<u2" if vocab_size <= 2**16 else "<u4")
    last = () if end is None else (end,)
    stream = chain.from_iterable((*doc, *last) for doc in docs)
    n = 0
    with replaced(path) as file:
        header(file, dtype, (0,))
        while chunk := list(islice(stream, CHUNK)):
            ids = np.array(chunk, dtype=np.int64)
            check_ids(ids, vocab_size)
            file.write(ids.astype(dtype).tobytes())
            n += len(ids)
        file.seek(0)
        header(file, dtype, (n,))  # of the same length: NumPy leaves room
    return n


def write_rows(rows: Tensor, path: PathLike) -> None:
    """(N, T + 1) of `pack` or `pack_whole` -> a token file. Chapter 7.

    4 bytes a token, or 2 where ids allow it; empty places stay NO_TARGET.
    """
    if rows.dim() != 2:
        raise ValueError(f"rows of shape {tuple(rows.shape)}, not (N, T + 1)")
    small = rows.numel() == 0 or int(rows.max()) < 2**15
    data = rows.cpu().numpy().astype("<i2" if small else "<i4")
    with replaced(path) as file:
        np.save(file, data)


def check_ids(ids: np.ndarray, vocab_size: int) -> None:
    """ValueError for an id that the vocabulary does not have."""
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"ids from {low} to {high} do not fit vocab_size={vocab_size}: "
            "were they made by another tokenizer?"
        )


def header(file: BinaryIO, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Write the header of a .npy file."""
    fields = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, fields)


@contextmanager
def replaced(path: PathLike) -> Iterator[BinaryIO]:
    """A file to write, which becomes `path` when all went well."""
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class TokenFile:
    """A token file of which only the rows asked for are in memory.

    ValueError for a file that is cut short or was written by something else.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        with open(self.path, "rb") as file:
            try:
                npy.read_magic(file)
                shape, _, self.dtype = npy.read_array_header_1_0(file)
            except ValueError as error:
                raise ValueError(f"{path} is no token file: {error}") from error
            self.start = file.tell()
            there = file.seek(0, os.SEEK_END) - self.start
        self.shape: tuple[int, ...] = shape
        due = int(np.prod(shape)) * self.dtype.itemsize
        if self.dtype.kind not in "iu" or len(shape) not in (1, 2):
            raise ValueError(f"{path} holds {shape} of {self.dtype}, no tokens")
        if there != due:
            raise ValueError(
                f"{path} has {there} bytes of tokens where its header "
                f"promises {due}: write it again"
            )

    def read(self, first: int, n: int) -> np.ndarray:
        """n tokens from token `first` on: (n,).

        Maps these tokens alone and lets go of them, so that what was read
        is never counted as the program's memory.
        """
        at = self.start + first * self.dtype.itemsize
        part = np.memmap(self.path, self.dtype, "r", at, (n,))
        return part.astype(np.int64)
