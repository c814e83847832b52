"""Checkpoints: to the bit, strict, and whole whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from bugs import with_bug
from torch import Tensor, nn

from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import build
from llm_utils.train import checkpoint
from llm_utils.train.batches import MemmapBatches
from llm_utils.train.checkpoint import (
    INDEX,
    MODEL,
    STATE,
    Damaged,
    checkpoints,
    latest,
    load,
    resume,
    save,
)
from llm_utils.train.muon import muon_with_adamw
from llm_utils.train.optim import AdamW, decay_groups
from llm_utils.train.plain import from_plain, to_plain
from llm_utils.train.schedules import constant
from llm_utils.train.trainer import TrainConfig, train

FILES = (MODEL, STATE, INDEX)


class Run:
    """A tiny model in training, with all that it takes."""

    def __init__(self, seed: int = 0, T: int = 8, **sizes) -> None:
        data = torch.Generator().manual_seed(7)  # the same for all
        tokens = torch.randint(17, (300,), generator=data)
        rng = torch.Generator().manual_seed(seed)
        sizes = {"vocab_size": 17, "d_model": 16, "d_ff": 24, **sizes}
        self.model: GPT = build("tiny-llama", rng, n_layers=1, **sizes)
        self.opt = muon_with_adamw(self.model)
        self.batches = MemmapBatches(tokens.numpy(), 2, T, rng)
        self.rng, self.step = rng, 0

    @property
    def parts(self):
        return self.model, self.opt, self.batches, self.rng

    def go(self, steps: int) -> Run:
        cfg = TrainConfig(self.step + steps)
        model, opt, batches, _ = self.parts
        for s in train(model, batches, opt, constant(0.01), cfg, self.step):
            self.step = s.step
            torch.rand(3, generator=self.rng)  # as dropout would
        return self

    def save(self, folder: Path, **options) -> Path:
        return checkpoint.save(folder, *self.parts, self.step, **options)

    def resume(self, folder: Path) -> Run:
        self.step = resume(folder, *self.parts)
        return self

    def everything(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        state = checkpoint.pack(self.opt, self.batches, self.rng)
        rest = json.dumps(to_plain(state, tensors)).encode()
        tensors["rest"] = torch.tensor(list(rest))
        return tensors | dict(self.model.state_dict())


def same(a: Run, b: Run) -> bool:
    x, y = a.everything(), b.everything()
    return set(x) == set(y) and all(torch.equal(x[k], y[k]) for k in x)


def changed(a: Run) -> Callable[[], bool]:
    before = {k: x.clone() for k, x in a.everything().items()}
    return lambda: any(
        not torch.equal(x, before[k]) for k, x in a.everything().items()
    )


# --- to the bit --------------------------------------------------------------


def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(tmp_path) -> None:
    straight = Run().go(7)
    Run().go(3).save(tmp_path)
    other = Run(seed=1).resume(tmp_path)  # nothing of its own remains
    assert other.step == 3
    assert not same(other, straight)
    assert same(other.go(4), straight)
    assert torch.rand((), generator=other.rng) == torch.rand(
        (), generator=straight.rng
    )


FORGETFUL = {
    "batches": ('batches.load_state_dict(state["batches"])', "pass"),
    "optimizer": ('opt.load_state_dict(state["optimizer"])', "pass"),
    "weights": ("model.load_state_dict(weights)", "pass"),
    "generator": ('generator.set_state(state["rng"][name])', "pass"),
}


@pytest.mark.parametrize("part", FORGETFUL)
def test_a_part_that_is_not_restored_is_seen(part: str, tmp_path) -> None:
    broken = with_bug(tmp_path, checkpoint, *FORGETFUL[part])
    Run().go(3).save(tmp_path)
    other = Run(seed=1)
    other.step = broken.resume(tmp_path, *other.parts)
    assert not same(other.go(4), Run().go(7))


def test_torch_s_own_optimizer_and_no_batches(tmp_path) -> None:
    a, b = Run(), Run(seed=1)
    for run in (a, b):
        groups = decay_groups(run.model)
        run.opt = torch.optim.AdamW(groups, fused=True)
    a.go(2)
    generators = {"dropout": a.rng, "more": torch.Generator()}
    path = save(tmp_path, a.model, a.opt, None, generators, 2)
    with pytest.raises(ValueError, match="without a state of batches"):
        load(path, b.model, b.opt, b.batches, generators)
    with pytest.raises(ValueError, match=r"generators \['dropout', 'more'\]"):
        load(path, b.model, b.opt, None, b.rng)
    with pytest.raises(ValueError, match="with a state of rng"):
        load(path, b.model, b.opt, None, None)
    generators["dropout"] = b.rng
    assert load(path, b.model, b.opt, None, generators) == 2
    b.batches.load_state_dict(a.batches.state_dict())
    a.step = b.step = 2
    assert same(a.go(2), b.go(2))


def test_only_safetensors_and_json(tmp_path) -> None:
    path = Run().go(1).save(tmp_path)
    assert sorted(x.name for x in path.iterdir()) == sorted(FILES)
    body = json.loads((path / INDEX).read_text())["body"]
    assert body["step"] == 1
    assert body["state"]["batches"]["position"] == 2
    again = load_file_of(path)
    assert set(again) == set(Run().model.state_dict())


def load_file_of(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(path / MODEL)


def test_trees_come_back_as_they_were() -> None:
    tree = {
        "a": [1, 2.5, None, True, "x"],
        3: {"b": (torch.arange(3), [torch.ones(2)])},
        "$tensor": {},
        "c": {"$x": 1, "d.e": torch.zeros(1)},
    }
    tensors: dict[str, Tensor] = {}
    plain = json.loads(json.dumps(to_plain(tree, tensors)))
    back = from_plain(plain, tensors)
    assert repr(back) == repr(tree)
    assert "3.b.0" in tensors
    with pytest.raises(ValueError, match=r"a\.0 is a Generator"):
        to_plain({"a": [torch.Generator()]}, {})
    x = torch.ones(1)
    with pytest.raises(ValueError, match=r"called a\.b"):
        to_plain({"a": {"b": x}, "a.b": x}, {})


# --- strict ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: Run(d_model=32), "another model: .* here"),
        (lambda: Run(tie_embeddings=False), "head.weight is nothing there"),
        (lambda: Run(T=9), "data with n_rows="),
    ],
)
def test_another_model_or_other_data_are_refused(
    other, message, tmp_path
) -> None:
    path = Run().go(2).save(tmp_path)
    run = other()
    has_changed = changed(run)
    with pytest.raises(ValueError, match=message):
        load(path, *run.parts)
    assert not has_changed()


def test_another_dtype_and_another_optimizer_are_refused(tmp_path) -> None:
    path = Run().go(2).save(tmp_path)
    run = Run()
    run.model.double()
    with pytest.raises(ValueError, match=r"float32.*float64"):
        load(path, *run.parts)
    run = Run()
    with pytest.raises((ValueError, KeyError)):
        adamw = AdamW(decay_groups(run.model))
        load(path, run.model, adamw, run.batches, run.rng)


# --- damage ------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def flip_last(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("harm", [cut, empty, flip, flip_last, Path.unlink])
def test_damage_is_noticed_and_the_one_before_is_used(
    file, harm, tmp_path
) -> None:
    run = Run()
    before = run.go(2).save(tmp_path)
    after = run.go(2).save(tmp_path)
    assert latest(tmp_path) == after
    harm(after / file)
    with pytest.raises(Damaged, match=file):
        load(after, *Run().parts)
    with pytest.warns(UserWarning, match=f"passed over: .*00004: {file}"):
        assert latest(tmp_path) == before
    with pytest.warns(UserWarning, match="passed over"):
        again = Run(seed=1).resume(tmp_path)
    assert again.step == 2
    assert same(again.go(2), run)
    again.save(tmp_path)  # takes the place of the damaged one
    assert latest(tmp_path) == after
    for path in (before, after):
        harm(path / file)
    with (
        pytest.warns(UserWarning, match="passed over"),
        pytest.raises(Damaged, match="none of the 2 checkpoints"),
    ):
        Run().resume(tmp_path)


def test_without_the_hash_a_flipped_bit_would_pass(tmp_path) -> None:
    names = "if sha256(path / name) != digest:", "if not digest:"
    careless = with_bug(tmp_path, checkpoint, *names)
    path = Run().go(2).save(tmp_path)
    flip_last(path / MODEL)
    assert careless.latest(tmp_path) == path
    with pytest.warns(UserWarning), pytest.raises(Damaged):
        latest(tmp_path)


def test_nothing_saved_yet(tmp_path) -> None:
    assert latest(tmp_path) is None
    assert latest(tmp_path / "nowhere") is None
    assert Run().resume(tmp_path).step == 0


def test_how_many_are_kept(tmp_path) -> None:
    run = Run()
    for _ in range(4):
        run.go(1).save(tmp_path, keep=3)
    assert [x.name[-1] for x in checkpoints(tmp_path)] == ["2", "3", "4"]
    run.go(1).save(tmp_path, keep=1)
    assert [x.name[-1] for x in checkpoints(tmp_path)] == ["5"]
    (tmp_path / ".draft-00000009").mkdir()  # a crash left it
    (tmp_path / ".gone-step-00000001").mkdir()
    old = Run().go(2)
    old.save(tmp_path, keep=1)  # an older run does not remove newer ones
    assert sorted(x.name for x in tmp_path.iterdir()) == [
        "step-00000002", "step-00000005",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="keep=0"):
        old.save(tmp_path, keep=0)


# --- a full disk -------------------------------------------------------------


def fails_cleanly(run: Run, folder: Path, before: Path) -> None:
    has_changed = changed(run)
    with pytest.raises(OSError, match=f"step 4.*whole .{before.name}"):
        run.save(folder)
    assert [x.name for x in folder.iterdir()] == [before.name]
    assert latest(folder) == before
    assert not has_changed()


@pytest.mark.parametrize("room", [100, 3000, 9000, 16_000])
def test_a_file_that_may_not_grow(room: int, tmp_path) -> None:
    resource = pytest.importorskip("resource")
    run = Run()
    before = run.go(2).save(tmp_path)
    sizes = [(before / name).stat().st_size for name in FILES]
    assert max(sizes) > room
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    run.go(2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        fails_cleanly(run, tmp_path, before)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.save(tmp_path) == latest(tmp_path)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk with room for one checkpoint, but not for two."""
    size = sum(f.stat().st_size for f in Run().go(1).save(tmp_path).iterdir())
    disk = tmp_path / "disk"
    disk.mkdir()
    option = f"size={int(1.6 * size)}"
    command = ["mount", "-t", "tmpfs", "-o", option, "none", str(disk)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, capture_output=True).returncode
    ):
        pytest.skip("mounting is not permitted here; the limits above are")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(small_disk) -> None:
    run = Run()
    before = run.go(2).save(small_disk / "run")
    fails_cleanly(run.go(2), small_disk / "run", before)


# --- a power cut at every moment ---------------------------------------------


class PowerCut(BaseException):
    """No program sees it coming."""


class Disk:
    """Cuts the power at call number `last`; forgets what was not synced."""

    def __init__(self, monkeypatch, folder: Path) -> None:
        self.folder, self.calls, self.last = folder, 0, 10**9
        self.synced: set[int] = set()
        for owner, name in (
            (os, "fsync"), (Path, "rename"), (Path, "replace"),
            (Path, "mkdir"), (shutil, "rmtree"),
        ):  # fmt: skip
            real = getattr(owner, name)
            monkeypatch.setattr(owner, name, self.counted(real, name))

    def counted(self, real: Callable, name: str) -> Callable:
        def call(*args, **options):
            if self.calls >= self.last:
                raise PowerCut
            self.calls += 1
            out = real(*args, **options)
            if name == "fsync":
                self.synced.add(os.fstat(args[0]).st_ino)
            return out

        return call

    def crash(self) -> None:
        """What was not forced to the disk is lost."""
        for path in sorted(self.folder.rglob("*")):
            listed = path.parent.stat().st_ino in self.synced
            if path.is_file() and path.parent != self.folder and not listed:
                path.unlink()
            elif path.is_file() and path.stat().st_ino not in self.synced:
                path.write_bytes(path.read_bytes()[:10])


def cut_everywhere(monkeypatch, place: Path, module=checkpoint) -> int:
    """Save at step 3 and lose power at each call; how many calls there are.

    Each time a whole checkpoint must be there, the new one if `save` came
    back, and none may be damaged.
    """
    run, first = Run().go(1), place / "first"
    module.save(first, *run.parts, 1)
    module.save(first, *run.go(1).parts, 2)
    run.go(1)
    for last in range(100):
        folder = place / str(last)
        shutil.copytree(first, folder)
        with monkeypatch.context() as patch:
            disk = Disk(patch, folder)
            disk.synced = {x.stat().st_ino for x in folder.rglob("*")}
            disk.last = last
            done = False
            try:
                module.save(folder, *run.parts, 3)
                done = True
            except PowerCut:
                disk.crash()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            path = latest(folder)
        assert path is not None
        assert path.name[-1] in ("3" if done else "23")
        if done:
            return last
    raise AssertionError("never done")


def test_the_power_may_fail_at_any_call(monkeypatch, tmp_path) -> None:
    assert cut_everywhere(monkeypatch, tmp_path) > 10


UNSAFE = {
    "no file is synced": ("        sync(path)\n", "        pass\n"),
    "the list of files is not synced": ("    sync(draft)\n", ""),
    "renamed before it is synced": (
        "        write(draft, model, pack(opt, batches, rng), step)\n",
        "        write(place, model, pack(opt, batches, rng), step)\n"
        "        place.rename(draft)\n",
    ),
    "the old one goes first": (
        "        write(draft, model",
        "        [discard(x) for x in checkpoints(folder)]\n"
        "        write(draft, model",
    ),
}


@pytest.mark.parametrize("bug", UNSAFE)
def test_an_unsafe_save_is_seen(bug: str, monkeypatch, tmp_path) -> None:
    broken = with_bug(tmp_path, checkpoint, *UNSAFE[bug])
    with pytest.raises((AssertionError, UserWarning, Damaged)):
        cut_everywhere(monkeypatch, tmp_path, broken)


# --- killed ------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_run_killed_30_times_ends_as_if_it_had_not_been(tmp_path) -> None:
    """And a run that forgets its place in the data does not."""
    script = Path(__file__).with_name("kill_drill.py")
    command = [sys.executable, str(script), str(tmp_path), "30"]
    env = {**os.environ, "PYTHONPATH": str(script.parent)}
    out = subprocess.run(
        [*command, *FORGETFUL["batches"]],
        capture_output=True, text=True, env=env,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    found = json.loads(out.stdout)["right"]
    assert found["notes"] == []  # no damage, no error
    assert "ended" not in found["moments"]
    assert found["moments"].count("writing") >= 8
    assert found["moments"].count("elsewhere") >= 4
    assert found["reached"]  # some were resumed from somewhere
    assert found["same"] == list(FILES)
    assert len(set(found["last"])) == 1
    assert all(name.startswith("step-") for name in found["left"])
    assert MODEL not in json.loads(out.stdout)["bug"]["same"]


def test_models_without_parameters_of_their_own(tmp_path) -> None:
    model = nn.Linear(2, 2)
    opt = AdamW(decay_groups(model))
    path = save(tmp_path, model, opt, None, None, 0)
    assert load(path, model, opt, None, None) == 0
