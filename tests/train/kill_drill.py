"""Kill a run again and again: `python kill_drill.py FOLDER KILLS OLD NEW`.

One process imports torch, then forks each trainee. Half of them it kills with
SIGKILL at any moment; the others kill themselves as they write, so that load
cannot move the blow out of the writing. Prints as JSON what came out, then of
a run with a bug: OLD replaced by NEW in the source of `checkpoint`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

import torch
from bugs import with_bug

from llm_utils.model.zoo import build
from llm_utils.train import checkpoint
from llm_utils.train.batches import MemmapBatches
from llm_utils.train.muon import muon_with_adamw
from llm_utils.train.schedules import warmup_cosine
from llm_utils.train.trainer import TrainConfig, train

STEPS = 120  # twice what thirty blows leave time for


def parts():
    """A tiny model, its optimizer, its batches, and dropout's generator."""
    dropout = torch.default_generator
    dropout.manual_seed(1)
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(31, (4000,), generator=rng)
    model = build(
        "tiny-llama", rng, vocab_size=31, n_layers=1, d_model=16, d_ff=24,
        dropout=0.1,
    )  # fmt: skip
    batches = MemmapBatches(tokens.numpy(), 4, 16, rng)
    return model, muon_with_adamw(model), batches, dropout


def trainee(folder: Path) -> None:
    """Go on from the last checkpoint; save after every step."""
    model, opt, batches, rng = parts()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = checkpoint.resume(folder, model, opt, batches, rng)
    note(folder, [str(w.message) for w in caught])
    schedule, cfg = warmup_cosine(0.01, STEPS, 5), TrainConfig(STEPS)
    for stats in train(model, batches, opt, schedule, cfg, start):
        checkpoint.save(folder, model, opt, batches, rng, stats.step)


def note(folder: Path, lines: list[str]) -> None:
    with (folder.parent / f"{folder.name}.txt").open("a") as file:
        file.writelines(line + "\n" for line in lines)


def doom(calls: int) -> None:
    """Be killed at this call of `sync`: each save makes five."""
    sync, left = checkpoint.sync, iter(range(calls - 1))

    def last(path: Path) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(path)

    checkpoint.sync = last


def start(folder: Path, calls: int = 0) -> int:
    """Fork a trainee, doomed at a call of `sync` or not; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        if calls:
            doom(calls)
        trainee(folder)
    except BaseException as error:
        note(folder, [f"died of {error!r}"])
        os._exit(1)
    os._exit(0)


def drafts(folder: Path) -> set[tuple[int, int]]:
    """What is being written, and what was when an earlier run was killed.

    A new folder may get the number of a deleted one, but not its time.
    """
    stats = [path.stat() for path in folder.glob(".draft-*")]
    return {(stat.st_ino, stat.st_ctime_ns) for stat in stats}


def kill(folder: Path, calls: int, wait: float) -> str:
    """A trainee that is killed at some moment; what it was doing then."""
    before = drafts(folder)
    child = start(folder, calls)
    if not calls:
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        return "ended"
    return "writing" if drafts(folder) - before else "elsewhere"


def drill(calm: Path, hit: Path, dooms: list[int], within: float) -> dict:
    """Kill `hit` at each doom, let it end, and compare it with `calm`.

    A doom is a call of `sync`, or 0 for any moment from outside.
    """
    rng = random.Random(0)
    moments = [kill(hit, calls, rng.uniform(0, within)) for calls in dooms]
    reached = [x.name for x in checkpoint.checkpoints(hit)]
    os.waitpid(start(hit), 0)
    last = [checkpoint.checkpoints(x)[-1] for x in (calm, hit)]
    files = (checkpoint.MODEL, checkpoint.STATE, checkpoint.INDEX)
    return {
        "moments": moments,
        "reached": reached,
        "last": [x.name for x in last],
        "same": [
            f for f in files if len({(x / f).read_bytes() for x in last}) == 1
        ],
        "notes": hit.with_suffix(".txt").read_text().splitlines(),
        "left": sorted(x.name for x in hit.iterdir()),
    }


if __name__ == "__main__":
    parts()  # torch loads much of itself only now: once is enough
    place, kills = Path(sys.argv[1]), int(sys.argv[2])
    calm, hit, buggy = (place / x for x in ("calm", "hit", "buggy"))
    for folder in (calm, hit, buggy):
        folder.mkdir(parents=True)
    began = time.perf_counter()
    os.waitpid(start(calm), 0)
    within = (time.perf_counter() - began) / 40  # of three steps
    by_turns = [i // 2 + 1 if i % 2 else 0 for i in range(kills)]
    found = {"right": drill(calm, hit, by_turns, within)}
    checkpoint = with_bug(place, checkpoint, *sys.argv[3:5])
    found["bug"] = drill(calm, buggy, [7], within)  # in the second save
    print(json.dumps(found))
