"""Whole runs: resumed, stopped, on two workers, from every source."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from llm_utils import __main__ as command_line
from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train import commands
from llm_utils.train import run as module
from llm_utils.train.batches import TokenFile
from llm_utils.train.checkpoint import MODEL, checkpoints, latest
from llm_utils.train.fetch import data_home
from llm_utils.train.progress import read_log
from llm_utils.train.recipe import DataConfig, Recipe, from_dict
from llm_utils.train.run import Worker, held_out, run
from llm_utils.train.source import prepare
from llm_utils.train.trainer import Diverged, StepStats

ALONE = Worker(0, 1, torch.device("cpu"))


def recipe(**sections) -> Recipe:
    """Small: the kind of recipe that takes a second."""
    tables = {
        "model": {"n_layers": 1, "d_model": 16, "d_ff": 24, "dropout": 0.1},
        "data": {"documents": 300, "vocab_size": 300, "T": 16, "batch_size": 4},
        "optim": {"warmup": 2, "name": "muon"},
        "train": {"steps": 10, "accumulate": 2},
        "run": {"save_every": 4, "eval_every": 5, "eval_rows": 20},
    }
    for name, table in sections.items():
        tables[name] = {**tables[name], **table}
    return from_dict(tables)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    path = latest(folder / "checkpoints")
    assert path is not None
    return load_file(path / MODEL)


def same(a: Path, b: Path) -> bool:
    x, y = weights(a), weights(b)
    return set(x) == set(y) and all(torch.equal(x[k], y[k]) for k in x)


class PowerCut(Exception):
    """Nobody catches it."""


def crashing(monkeypatch, step: int) -> None:
    """The power fails in the step after `step`."""
    real = module.as_row

    def row(s: StepStats):
        if s.step > step:
            raise PowerCut
        return real(s)

    monkeypatch.setattr(module, "as_row", row)


def test_a_run_that_crashed_goes_on_to_the_same_weights(
    tmp_path, monkeypatch
) -> None:
    """With dropout, whose draws must come again as they were."""
    nats = run(recipe(), tmp_path / "calm", ALONE)
    with monkeypatch.context() as patch:
        crashing(patch, step=7)
        with pytest.raises(PowerCut):
            run(recipe(), tmp_path / "hit", ALONE)
    assert [r["step"] for r in read_log(tmp_path / "hit/log.jsonl")][-1] == 7
    assert run(recipe(), tmp_path / "hit", ALONE) == nats
    assert same(tmp_path / "calm", tmp_path / "hit")
    logs = [read_log(tmp_path / x / "log.jsonl") for x in ("calm", "hit")]
    for log in logs:
        assert [r["step"] for r in log] == [*range(1, 11)]
        assert [r["step"] for r in log if "validation" in r] == [5, 10]
        for row in log:
            del row["seconds"], row["tokens_per_second"]
    assert logs[0] == logs[1]
    assert logs[0][-1]["validation"] == nats < math.log(300)
    steps = [x.name[-2:] for x in checkpoints(tmp_path / "hit/checkpoints")]
    assert steps == ["08", "10"]
    done = run(recipe(), tmp_path / "hit", ALONE)  # nothing left to do
    assert done == nats
    longer = recipe(train={"steps": 12})
    assert run(longer, tmp_path / "hit", ALONE) is not None
    assert read_log(tmp_path / "hit/log.jsonl")[-1]["step"] == 12


def test_without_the_seed_of_the_step_dropout_would_differ(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(module, "reseed", lambda *_: None)
    torch.manual_seed(0)
    run(recipe(), tmp_path / "calm", ALONE)
    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        crashing(patch, step=7)
        with pytest.raises(PowerCut):
            run(recipe(), tmp_path / "hit", ALONE)
    run(recipe(), tmp_path / "hit", ALONE)
    assert not same(tmp_path / "calm", tmp_path / "hit")


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def toml(path: Path, recipe: Recipe) -> Path:
    lines = []
    for name, table in recipe.as_dict().items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(x)}" for key, x in table.items()]
    path.write_text("\n".join(lines))
    return path


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_leaves_a_checkpoint(tmp_path) -> None:
    long = recipe(train={"steps": 100_000}, run={"save_every": 10**6})
    path = toml(tmp_path / "long.toml", long)
    command = [sys.executable, "-m", "llm_utils", "train", str(path)]
    child = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(),
    )  # fmt: skip
    log = tmp_path / "out" / "log.jsonl"
    while child.poll() is None and len(read_log(log)) < 3:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert "once more to stop at once" in out
    assert "the same command goes on" in out
    saved = latest(tmp_path / "out" / "checkpoints")
    assert saved is not None
    last = read_log(log)[-1]["step"]
    assert int(saved.name[-8:]) == last >= 3


@pytest.fixture
def plain_ctrl_c():
    """As Python begins, whatever a test before this one has set."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("plain_ctrl_c")
def test_a_second_ctrl_c_stops_at_once() -> None:
    with module.stop_signals() as caught:
        signal.raise_signal(signal.SIGTERM)  # a cluster's way to say it
        assert caught == [signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):  # and after it all is as before
        signal.raise_signal(signal.SIGINT)


def test_two_workers_train_what_one_does(tmp_path) -> None:
    """The same command under torchrun goes on with what one began."""
    plain = recipe(model={"dropout": 0.0}, optim={"schedule": "constant"})
    path = toml(tmp_path / "plain.toml", plain)
    both, one = tmp_path / "both", tmp_path / "one"
    run(replace(plain, train=replace(plain.train, steps=4)), both, ALONE)
    run(plain, one, ALONE)
    before = weights(both)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        "--nproc-per-node=2", "-m", "llm_utils", "train", str(path),
        "--out", str(both),
    ]  # fmt: skip
    out = subprocess.run(
        command, capture_output=True, text=True, env=environment()
    )
    assert out.returncode == 0, out.stderr[-2000:]
    close = torch.testing.assert_close
    close(weights(both), weights(one), atol=2e-5, rtol=0)
    with pytest.raises(AssertionError):
        close(before, weights(one), atol=2e-4, rtol=0)
    logs = [read_log(x / "log.jsonl") for x in (both, one)]
    assert [r["tokens"] for r in logs[0]] == [r["tokens"] for r in logs[1]]
    losses = [[r["loss"] for r in log] for log in logs]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    with pytest.raises(ValueError, match="4 rows for 3 workers"):
        module.make_batches(
            plain, prepare(plain.data, one / "data", 0),
            torch.Generator(), Worker(0, 3, torch.device("cpu")),
        )  # fmt: skip


# --- sources -----------------------------------------------------------------


def test_the_floor_of_tinyworld_is_its_entropy(tmp_path) -> None:
    cfg = replace(recipe().data, documents=400)
    data = prepare(cfg, tmp_path, seed=3)
    n = TokenFile(data.held_out).shape[0]
    held = data.tokenizer.decode(TokenFile(data.held_out).read(0, n))
    stories = held.split("<|endoftext|>")
    assert len(stories) == 21 and stories[20] == ""
    world = TinyWorld("mini")
    nats = [world.log_prob(x) for x in stories[:20]]
    assert -sum(nats) / n == pytest.approx(data.floor)


def test_data_are_prepared_once_and_never_mixed_up(tmp_path) -> None:
    cfg = recipe().data
    data = prepare(cfg, tmp_path, seed=3)
    before = data.train.stat().st_mtime_ns
    again = prepare(replace(cfg, batch_size=8), tmp_path, seed=3)
    assert again.train.stat().st_mtime_ns == before
    with pytest.raises(ValueError, match=r"vocab_size = 300.* 400"):
        prepare(replace(cfg, vocab_size=400), tmp_path, seed=3)
    with pytest.raises(ValueError, match=r"seed = 3"):
        prepare(cfg, tmp_path, seed=4)


@pytest.mark.parametrize("tokenizer", ["char", "bpe"])
def test_a_text_file(tokenizer, tmp_path) -> None:
    text = TinyWorld("mini").corpus(20_000, 0)
    path = tmp_path / "stories.txt"
    path.write_text(text)
    small = recipe(data={"source": str(path), "tokenizer": tokenizer})
    nats = run(small, tmp_path / "out", ALONE)
    assert nats is not None and math.isfinite(nats)
    data = prepare(small.data, tmp_path / "out/data", 0)
    files = [TokenFile(p) for p in (data.train, data.held_out)]
    parts = [data.tokenizer.decode(f.read(0, f.shape[0])) for f in files]
    end = "\n" if tokenizer == "char" else "<|endoftext|>"
    assert "".join(x.removesuffix(end) for x in parts) == text
    assert len(parts[1]) == pytest.approx(0.05 * len(text), abs=20)
    with pytest.raises(ValueError, match="is no file"):
        prepare(DataConfig(source="nowhere.txt"), tmp_path / "x", 0)


def test_tinyshakespeare(tmp_path) -> None:
    if not (data_home() / "tinyshakespeare/input.txt").exists():
        pytest.skip("TinyShakespeare is not at hand")
    cfg = DataConfig(source="tinyshakespeare", tokenizer="char")
    data = prepare(cfg, tmp_path, 0)
    assert data.tokenizer.vocab_size == 65
    assert TokenFile(data.train).shape[0] == round(0.95 * 1_115_394) + 1


def test_a_streamed_dataset_of_hugging_face(agrees, tmp_path) -> None:
    """From a folder here; one on the Hub is read by the same call."""
    pytest.importorskip("datasets")
    texts = [x.text for x in TinyWorld("mini").stories(50, 0)]
    folder = tmp_path / "set"
    folder.mkdir()
    rows = [json.dumps({"text": x, "id": i}) for i, x in enumerate(texts)]
    (folder / "train.jsonl").write_text("\n".join(rows))
    cfg = DataConfig(
        source=f"hf:{folder}", documents=40, held_out=0.1, vocab_size=300
    )
    data = prepare(cfg, tmp_path / "data", 0)
    found = []
    for path in (data.held_out, data.train):
        file = TokenFile(path)
        text = data.tokenizer.decode(file.read(0, file.shape[0]))
        found.append(text.split("<|endoftext|>")[:-1])
    wanted = [texts[:4], texts[4:40]]
    agrees("datasets", "documents that it streams to us", found, wanted)
    with pytest.raises(ValueError, match=r"no column 'story'.* text, id"):
        prepare(replace(cfg, column="story"), tmp_path / "other", 0)


def test_datasets_not_installed(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match=r"llm-utils\[hf\]"):
        prepare(DataConfig(source="hf:a/b"), tmp_path, 0)


def test_a_tokenizer_from_a_file(tmp_path) -> None:
    data = prepare(recipe().data, tmp_path / "a", 0)
    saved = tmp_path / "a" / "tokenizer.json"
    cfg = replace(recipe().data, tokenizer=str(saved))
    again = prepare(cfg, tmp_path / "b", 0)
    assert again.train.read_bytes() == data.train.read_bytes()


def test_every_held_out_token_is_a_target_once(tmp_path) -> None:
    full = recipe(run={"eval_rows": 0})
    data = prepare(full.data, tmp_path, 0)
    batches = list(held_out(data.held_out, full))
    file = TokenFile(data.held_out)
    ids = torch.from_numpy(file.read(0, file.shape[0]))
    n = (len(ids) - 1) // 16 * 16
    assert torch.equal(
        torch.cat([y.flatten() for _, y in batches]), ids[1 : n + 1]
    )
    assert torch.equal(torch.cat([x.flatten() for x, _ in batches]), ids[:n])
    few = recipe(run={"eval_rows": 6})
    assert [len(x) for x, _ in held_out(data.held_out, few)] == [4, 2]


# --- presets, and what goes wrong --------------------------------------------


@pytest.mark.parametrize(
    "preset", ["tiny-gpt2", "tiny-llama", "tiny-qwen", "tiny-moe"]
)
def test_every_small_preset_learns(preset, tmp_path, monkeypatch) -> None:
    asked = []
    real = module.total_balance_loss
    monkeypatch.setattr(
        module, "total_balance_loss", lambda m: asked.append(m) or real(m)
    )
    small = recipe(model={"preset": preset}, train={"steps": 20})
    nats = run(small, tmp_path, ALONE)
    assert nats is not None and nats < math.log(300) - 0.1
    assert bool(asked) == (preset == "tiny-moe")


def test_errors_are_printed_and_end_with_1(
    tmp_path, capsys, monkeypatch
) -> None:
    path = toml(tmp_path / "r.toml", recipe())

    def main(*flags: str) -> str:
        out = str(tmp_path / "out")
        assert (
            command_line.main(["train", str(path), "--out", out, *flags]) == 1
        )
        return capsys.readouterr().err

    assert "optim has no 'rate'" in main("--optim.rate=3")

    def fails(error: Exception):
        def run(*_):
            raise error

        monkeypatch.setattr(commands, "run", run)

    fails(OSError("step 4 could not be saved: no space left"))
    assert main() == "error: step 4 could not be saved: no space left\n"
    batch = torch.ones(1, 2, dtype=torch.long), torch.ones(1, 2)
    fails(Diverged(7, "the loss is nan", batch, 0.1))
    assert main().startswith("error: step 7: the loss is nan")


def test_the_command_says_how_well_it_went(
    tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    toml(tmp_path / "mine.toml", recipe(train={"steps": 3}))
    assert command_line.main(["train", "mine.toml"]) == 0
    out = capsys.readouterr().out
    assert "nats per token, perplexity" in out
    assert (tmp_path / "runs/mine/log.jsonl").exists()


def test_the_bar_can_be_left_out(tmp_path, capsys) -> None:
    run(recipe(train={"steps": 3}), tmp_path, ALONE, bar=False)
    assert capsys.readouterr().err == ""
    run(recipe(train={"steps": 4}), tmp_path, ALONE)
    assert "4/4" in capsys.readouterr().err
