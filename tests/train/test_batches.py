"""Token files and batches: every row once, the same again, memory flat."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text.next_token import windows
from llm_utils.train.batches import (
    NO_TARGET,
    MemmapBatches,
    pack_whole,
    write_rows,
    write_tokens,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(source, B=2, T=3, seed=0, **options) -> MemmapBatches:
    return MemmapBatches(source, B, T, seeded(seed), **options)


# --- files -------------------------------------------------------------------


@pytest.mark.parametrize("vocab, size", [(2**16, 2), (2**16 + 1, 4)])
def test_a_token_takes_two_bytes_or_four(tmp_path, vocab, size) -> None:
    docs = [[1, vocab - 1], [], [7]]
    n = write_tokens(iter(docs), tmp_path / "a.npy", vocab, end=5)
    read = np.load(tmp_path / "a.npy")  # NumPy's own reader
    assert n == 6 and read.itemsize == size
    assert read.tolist() == [1, vocab - 1, 5, 5, 7, 5]


def test_a_stream_longer_than_a_chunk(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("llm_utils.train.token_file.CHUNK", 7)
    docs = [[i % 5] * i for i in range(20)]
    write_tokens(docs, tmp_path / "a.npy", 5)
    read = np.load(tmp_path / "a.npy")
    assert read.tolist() == [token for doc in docs for token in doc]


def test_a_file_is_whole_or_not_there(tmp_path) -> None:
    def breaks():
        yield [1, 2]
        raise OSError("the disk is full")

    path = tmp_path / "a.npy"
    with pytest.raises(OSError, match="full"):
        write_tokens(breaks(), path, 10)
    assert list(tmp_path.iterdir()) == []
    write_tokens([[3]], path, 10)
    with pytest.raises(ValueError, match="another tokenizer"):
        write_tokens([[1], [10]], path, 10)
    assert np.load(path).tolist() == [3] and len(list(tmp_path.iterdir())) == 1


def test_damage_is_noticed(tmp_path) -> None:
    path = tmp_path / "a.npy"
    write_tokens([range(100)], path, 100)
    whole = path.read_bytes()
    for broken, words in [
        (whole[:-1], "its header promises"),
        (whole + b"..", "its header promises"),
        (whole[:40], "no token file"),
        (b"a text", "no token file"),
    ]:
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=words):
            make(path)
    np.save(path, np.zeros(50))
    with pytest.raises(ValueError, match="no tokens"):
        make(path)


# --- rows --------------------------------------------------------------------


@pytest.mark.parametrize("form", ["file", "uint16", "memmap", "tensor"])
def test_a_batch_holds_rows_of_the_stream(tmp_path, form) -> None:
    ids = np.arange(32, dtype=np.uint16)
    write_tokens([ids.tolist()], tmp_path / "a.npy", 2**16)
    source = {
        "file": tmp_path / "a.npy",
        "uint16": ids,
        "memmap": np.load(tmp_path / "a.npy", mmap_mode="r"),
        "tensor": torch.arange(32),
    }[form]
    batches = make(source)
    seen = {}
    for x, y in islice(batches, batches.n_rows // 2):
        assert x.shape == y.shape == (2, 3) and x.dtype == y.dtype == torch.long
        seen |= {int(x[i, 0]): (x[i].tolist(), y[i].tolist()) for i in (0, 1)}
    x, y = windows(torch.arange(32), 3)
    assert len(seen) == len(x) == 10
    pairs = zip(x.tolist(), y.tolist(), strict=True)
    assert [seen[i] for i in sorted(seen)] == list(pairs)


def test_packed_rows_come_back_with_their_gaps(tmp_path) -> None:
    rows = pack_whole([[1, 2], [3], [4, 4, 4, 4]], 8, end=0)
    write_rows(rows, tmp_path / "a.npy")
    x, y = next(make(tmp_path / "a.npy", B=2, T=8))
    assert x.min() == 0, "a model needs an id in every place"
    assert torch.equal(y.sort(0)[0], rows[:, 1:].sort(0)[0])
    assert (y == NO_TARGET).any()


# --- order -------------------------------------------------------------------

SIZES = {
    "n": st.integers(1, 40),
    "B": st.integers(1, 9),
    "world": st.integers(1, 5),
    "seed": st.integers(0, 3),
}


def stream(n, B, world, seed, steps, first=0) -> list[int]:
    """The rows that workers take, in order, from 1-token rows 0 to n - 1."""
    rows = torch.stack([torch.arange(n), torch.arange(n)], 1)
    all_of_them = [
        make(rows, B, 1, seed, rank=r, world_size=world) for r in range(world)
    ]
    for batches in all_of_them:
        batches.position = first
    return [
        int(i) for _ in range(steps) for b in all_of_them for i in next(b)[0]
    ]


@given(**SIZES)
def test_each_epoch_has_every_row_once_over_all_workers(
    n, B, world, seed
) -> None:
    epochs = 3
    steps = -(-epochs * n // (B * world))
    seen = stream(n, B, world, seed, steps)
    for epoch in range(epochs):
        assert sorted(seen[epoch * n : (epoch + 1) * n]) == list(range(n))


@given(**SIZES)
def test_workers_together_take_the_batch_of_one(n, B, world, seed) -> None:
    alone = stream(n, B * world, 1, seed, 4)
    assert stream(n, B, world, seed, 4) == alone


def test_epochs_and_seeds_differ_and_are_shuffled() -> None:
    first = stream(200, 10, 1, 0, 40)
    again = stream(200, 10, 1, 0, 40)
    other = stream(200, 10, 1, 1, 40)
    assert first == again
    epochs = [first[:200], first[200:], other[:200], list(range(200))]
    for i, one in enumerate(epochs):
        for two in epochs[:i]:
            same = sum(a == b for a, b in zip(one, two, strict=True))
            assert same < 10, "1 is expected of independent orders"


def test_the_data_are_not_all_seen_when_drawn_with_replacement() -> None:
    """Planted: what many training scripts do. The test above would fail."""
    rng = random.Random(0)
    assert len({rng.randrange(200) for _ in range(200)}) < 150


# --- resuming ----------------------------------------------------------------


@given(
    **SIZES,
    taken=st.integers(0, 30),
    other=st.sampled_from([(1, 1), (4, 1), (3, 2)]),
)
def test_a_resumed_stream_is_the_stream(
    n, B, world, seed, taken, other
) -> None:
    """From JSON, with another seed, batch size and number of workers."""
    rows = torch.stack([torch.arange(n), torch.arange(n)], 1)
    batches = make(rows, B, 1, seed, world_size=world)
    for _ in range(taken):
        next(batches)
    state = json.loads(json.dumps(batches.state_dict()))
    whole = stream(n, 1, 1, seed, taken * B * world + 12)
    size, workers = other
    got = []
    resumed = [
        make(rows, size, 1, seed + 9, rank=r, world_size=workers)
        for r in range(workers)
    ]
    for one in resumed:
        next(one)  # to fill whatever it keeps
        one.load_state_dict(state)
    while len(got) < 12:
        got += [int(i) for one in resumed for i in next(one)[0]]
    assert got[:12] == whole[taken * B * world :]


def test_a_state_of_other_data_is_refused() -> None:
    state = make(torch.arange(50)).state_dict()
    with pytest.raises(ValueError, match="n_rows=16, these have 19"):
        make(torch.arange(60)).load_state_dict(state)


def test_what_cannot_be_batched() -> None:
    for source, options, words in [
        (torch.arange(3), {}, "give no row"),
        (torch.zeros(4, 9), {}, "rows of 9 do not fit T=3"),
        (torch.zeros(2, 2, 2), {}, "give \\(n,\\) or"),
        (torch.arange(50), {"B": 0}, "B is 1 or more"),
        (torch.arange(50), {"rank": 2, "world_size": 2}, "counted from 0"),
        (torch.arange(50), {"T": 0}, "1 or more targets"),
    ]:
        with pytest.raises(ValueError, match=words):
            make(source, **options)


# --- memory ------------------------------------------------------------------

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np, torch
from llm_utils.train.batches import MemmapBatches

def size(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) * 1024 for x in lines if x.startswith(name))

path, how = sys.argv[1:]
torch.set_num_threads(1)
make = lambda source: MemmapBatches(source, 32, 1023, torch.Generator())
next(make(torch.zeros(2**16, dtype=torch.int32)))  # warm up
limit = size("VmSize") + 64 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
before = size("VmRSS")
source = path if how == "ours" else np.load(path)
batches = make(source)
for _ in range(400):
    next(batches)
print(batches.epoch, (size("VmHWM") - before) / 2**20)
"""


def limited(path: Path, how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMITED, str(path), how]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_over_a_file_16_times_what_is_allowed(tmp_path) -> None:
    path = tmp_path / "a.npy"
    write_tokens([[0] * 10], path, 100)
    n = 2**29  # 1 GiB of tokens, a hole in the file: it takes no room on disk
    with open(path, "r+b") as file:
        fields = {"descr": "<u2", "fortran_order": False, "shape": (n,)}
        np.lib.format.write_array_header_1_0(file, fields)
        file.truncate(file.tell() + 2 * n)
    run = limited(path, "ours")
    assert run.returncode == 0, run.stderr[-500:]
    _, grown = map(float, run.stdout.split())
    assert grown < 24, "MiB: the order of half a million rows, one batch"
    planted = limited(path, "whole")
    assert planted.returncode != 0 and "Memory" in planted.stderr
