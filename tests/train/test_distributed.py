"""Several processes against one: equal losses, and bugs that show.

One launch runs all of `ranks.py`, on 4 ranks and on 2; two of `torchrun`
show a rank that dies and a job that goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ranks import (
    STEPS,
    batch,
    model_of,
    muoned,
    optimizer_of,
    plain,
    sgd_of,
    trained,
)
from torch import nn

from llm_utils.train import distributed, launch, parallel, pipeline
from llm_utils.train.distributed import average_gradients, buckets, my_rows

HERE = Path(__file__).parent
CLOSE = 1e-5  # of a loss in nats, over five steps in float32
ENV = {**os.environ, "OMP_NUM_THREADS": "1"}

CLIPPED = ("average", "small_buckets", "ddp", "fsdp")
TRAINED = ("train_ddp", "train_fsdp")
LLAMA = ("tensor_by_hand", "tensor")
UNCLIPPED = (
    "tensor_by_hand_gpt2", "pipeline_by_hand", "pipeline", "gpipe",
)  # fmt: skip

TORCHS = {  # where a library's own code does the work
    "ddp": "DDP", "fsdp": "FSDP", "tensor": "tensor parallelism",
    "pipeline": "a 1F1B pipeline", "gpipe": "a GPipe pipeline",
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[int, dict]:
    """What each number of ranks came to: 4 first, it saves for 2."""
    folder = tmp_path_factory.mktemp("ranks")
    done = subprocess.run(
        [sys.executable, str(HERE / "ranks.py"), "4,2", str(folder)],
        env=ENV, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        size: json.loads((folder / f"{size}.json").read_text(encoding="utf-8"))
        for size in (4, 2)
    }


@pytest.fixture(scope="module")
def alone() -> dict[str, list[float]]:
    """One process, the whole batch."""
    curves = {}
    for key, name, clip in (
        ("clipped", "tiny-gpt2", 1.0),
        ("plain", "tiny-gpt2", 0.0),
        ("llama", "tiny-llama", 0.0),
    ):
        model = model_of(name)
        opt = optimizer_of(model)
        curves[key] = plain(model, opt, range(STEPS), clip=clip)
    model = model_of()
    curves["sgd"] = plain(model, sgd_of(model), range(STEPS), clip=0)
    curves["trained"] = trained(model_of(), batch)
    curves["muon"] = muoned(model_of(), batch)
    assert all(curve[-1] < curve[0] - 0.2 for curve in curves.values())
    return curves


def apart(one: list[float], other: list[float]) -> float:
    assert len(one) == len(other)
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize(
    "way", ["sgd", "dealt", *CLIPPED, *TRAINED, *LLAMA, *UNCLIPPED]
)
def test_losses_are_those_of_one_process(
    agrees, found, alone, way, size
) -> None:
    keys = {CLIPPED: "clipped", TRAINED: "trained", LLAMA: "llama"}
    keys |= {("sgd",): "sgd", ("dealt",): "muon"}
    key = next((k for ways, k in keys.items() if way in ways), "plain")
    result = found[size][f"run_{way}"]
    losses, wanted = alone[key], result["losses"]
    if way in TORCHS:
        what = f"losses of one process, and of several in {TORCHS[way]}"
        agrees("torch", what, losses, wanted, atol=CLOSE, rtol=0)
    else:
        assert apart(wanted, losses) < CLOSE
    assert result.get("same", True)


@pytest.mark.parametrize(
    "bug, key",
    [
        ("sum", "sgd"),
        ("no_broadcast", "clipped"),
        ("no_average", "clipped"),
        ("other_batch", "clipped"),
        ("untied", "plain"),
    ],
)
def test_a_planted_bug_is_far_from_one_process(found, alone, bug, key) -> None:
    losses = found[2][f"planted_{bug}"]["losses"]
    assert apart(losses, alone[key]) > 100 * CLOSE


def test_a_sum_in_place_of_the_mean_hides_behind_adamw(found, alone) -> None:
    """Which is why the test above takes plain gradient descent."""
    hidden = found[2]["planted_sum"]["hidden"]
    assert apart(hidden, alone["clipped"]) < CLOSE


def test_ranks_that_drift_apart_are_seen(found) -> None:
    assert not found[2]["planted_no_broadcast"]["same"]
    assert not found[2]["planted_no_average"]["same"]
    assert not found[2]["planted_share_kept"]["same"]
    assert found[2]["planted_sum"]["same"], "wrong, but the same everywhere"


def test_a_bias_added_on_every_rank_is_seen(found) -> None:
    right, wrong = found[2]["planted_bias_twice"]["losses"]
    assert abs(right - wrong) > 100 * CLOSE


def test_each_rank_holds_its_part(found) -> None:
    whole = model_of().n_params
    for size in (2, 4):
        assert found[size]["run_fsdp"]["held"] < 1.02 * whole / size
    llama = model_of("tiny-llama")
    blocks = sum(p.numel() for p in llama.blocks.parameters() if p.dim() > 1)
    for size in (2, 4):
        held = found[size]["run_tensor_by_hand"]["held"]
        assert held == llama.n_params - blocks + blocks // size


def test_saved_on_four_and_resumed_on_two(found, alone) -> None:
    begun = found[4]["run_z_checkpoint"]["losses"]
    resumed = found[2]["run_z_checkpoint"]["losses"]
    assert apart(begun + resumed, alone["clipped"]) < CLOSE
    assert apart(resumed, alone["clipped"][: len(resumed)]) > 0.1, "vacuous"


def test_waiting_for_nobody_ends(found) -> None:
    waited = found[2]["run_zz_waiting_ends"]
    assert "imed out" in waited["said"] and waited["seconds"] < 10


def started(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(HERE / "dies.py"), str(folder)]
    return subprocess.run(
        command, env=ENV, capture_output=True, text=True, timeout=240
    )


def test_a_dead_rank_ends_the_job_and_a_restart_goes_on(
    tmp_path: Path, alone
) -> None:
    first = started(tmp_path)  # which ends, or `started` raises
    assert first.returncode != 0 and "exitcode" in first.stderr
    assert not (tmp_path / "losses.json").exists()
    second = started(tmp_path)
    assert second.returncode == 0, second.stderr[-3000:]
    losses = json.loads((tmp_path / "losses.json").read_text(encoding="utf-8"))
    assert [int(step) for step in losses] == [3, 4], "it began at the fourth"
    assert apart(list(losses.values()), alone["clipped"][3:]) < CLOSE


# --- one process -------------------------------------------------------------


def test_alone_without_torchrun(monkeypatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with distributed.init() as world:
        assert world == (0, 1, torch.device("cpu"))
        model = nn.Linear(2, 2)
        model(torch.ones(1, 2)).sum().backward()
        before = model.weight.grad.clone()
        average_gradients(model)
        distributed.broadcast_parameters(model)
        assert torch.equal(model.weight.grad, before)
        assert distributed.same_everywhere(model)
        assert distributed.mean(3.0) == 3.0


def test_buckets_hold_every_parameter_once_and_last_first() -> None:
    model = model_of()
    found = list(buckets(model.parameters(), 10_000))
    flat = [id(p) for bucket in found for p in bucket]
    assert flat == [id(p) for p in reversed(list(model.parameters()))]
    sizes = [sum(p.nbytes for p in bucket) for bucket in found]
    assert len(found) > 3 and all(
        size <= 10_000 or len(bucket) == 1
        for size, bucket in zip(sizes, found, strict=True)
    )
    model.blocks[0].double()
    kinds = [{p.dtype for p in b} for b in buckets(model.parameters(), 10**9)]
    assert all(len(kind) == 1 for kind in kinds) and len(kinds) == 3


def test_what_cannot_be_dealt_out_is_refused() -> None:
    assert torch.equal(my_rows(torch.arange(6), 1, 3), torch.tensor([2, 3]))
    with pytest.raises(ValueError, match="multiple of 4"):
        my_rows(torch.arange(6), 0, 4)
    model = model_of()
    with pytest.raises(ValueError, match="4 heads"):
        parallel.tensor_parallel_by_hand(model, 0, 3)
    with pytest.raises(ValueError, match="use fsdp"):
        parallel.tensor_parallel_by_hand(model_of("tiny-qwen"), 0, 2)
    with pytest.raises(ValueError, match="5 features"):
        parallel.ColumnParallel(nn.Linear(3, 5), 0, 2)
    with pytest.raises(ValueError, match="5 stages for 4 blocks"):
        pipeline.Stage(model, 0, 5)


def test_stages_in_a_row_are_the_model() -> None:
    model, x = model_of(), torch.arange(8)[None]
    whole = model(x)
    for size in (1, 2, 3, 4):
        out = x
        for rank in range(size):
            out = pipeline.Stage(model, rank, size)(out)
        torch.testing.assert_close(out, whole)
    counts = [len(pipeline.Stage(model, r, 3).blocks) for r in range(3)]
    assert sum(counts) == 4 and max(counts) - min(counts) == 1


def test_the_bubble_shrinks_with_more_pieces() -> None:
    assert pipeline.bubble(1, 1) == 0
    assert pipeline.bubble(4, 1) == 0.75
    assert pipeline.bubble(4, 12) == 3 / 15
    with pytest.raises(ValueError, match="1 or more"):
        pipeline.bubble(0, 1)


@pytest.mark.parametrize("name", ["GPipe", "1F1B"])
@pytest.mark.parametrize("s, m", [(1, 3), (2, 1), (4, 8), (3, 7)])
def test_a_timetable_keeps_the_order_and_has_the_bubble(name, s, m) -> None:
    slots = pipeline.timetable(s, m, name)
    assert len(slots) == 2 * s * m
    end = {(x.kind, x.micro, x.stage): x.start + x.length for x in slots}
    for x in slots:
        step = -1 if x.kind == "F" else 1
        assert x.start >= end.get((x.kind, x.micro, x.stage + step), 0)
        if x.kind == "B":
            assert x.start >= end["F", x.micro, x.stage]
    busy = 3 * m
    assert 1 - busy / max(end.values()) == pytest.approx(pipeline.bubble(s, m))
    held = max(
        sum(end["F", i, 0] <= t < end["B", i, 0] for i in range(m))
        for t in range(max(end.values()))
    )
    assert held == (m if name == "GPipe" else min(m, s))


def test_the_launcher_says_what_went_wrong(tmp_path: Path) -> None:
    good, mute = tmp_path / "good.py", tmp_path / "mute.py"
    good.write_text("import os, sys\nprint([int(os.environ['RANK'])])\n")
    assert launch.torchrun(good, ranks=1) == [0]
    mute.write_text("print('no json')\n")
    with pytest.raises(RuntimeError, match="ended with 'no json'"):
        launch.torchrun(mute, ranks=1)
    mute.write_text("raise SystemExit(3)\n")
    with pytest.raises(RuntimeError, match="failed"):
        launch.torchrun(mute, ranks=1)
