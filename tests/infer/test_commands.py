"""The verbs of the command line, on small models."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
import time

import httpx
import pytest
import served

from llm_utils.__main__ import main
from llm_utils.infer import commands
from llm_utils.infer.export import export
from llm_utils.infer.load import load
from llm_utils.train import commands as training


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    by = served.speaker()
    place = tmp_path_factory.mktemp("models") / "tiny"
    return str(export(by.model, by.tokenizer, place, "tiny"))


def test_sample_prints_the_prompt_and_what_follows(folder, capsys):
    words = ["sample", "a cat", "--model", folder, "-n", "20", "--seed", "4"]
    assert main(words) == 0
    by = served.speaker()
    told = served.alone(by, "a cat", n=20, seed=4, temperature=0.8)
    want = commands.printable("a cat" + told)
    assert capsys.readouterr().out == want + "\n"


def test_evaluate_prints_the_report(folder, capsys):
    assert main(["evaluate", "--model", folder, "--stories", "2"]) == 0
    shown = capsys.readouterr().out
    assert "bits per byte" in shown and "the world itself" in shown


def test_export_of_a_run_with_its_card(tmp_path, capsys):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        "[model]\nn_layers = 1\nd_model = 16\nd_ff = 24\nmax_len = 512\n"
        "[data]\ndocuments = 60\nvocab_size = 300\nT = 16\nbatch_size = 4\n"
        "[train]\nsteps = 2\n[optim]\nwarmup = 1\n"
    )
    run, out = tmp_path / "run", tmp_path / "mine"
    assert main(["train", str(recipe), "--out", str(run)]) == 0
    words = ["export", str(run), str(out), "--about", "A trial.",
             "--stories", "2", "--license", "mit"]  # fmt: skip
    assert main(words) == 0
    assert "README.md" in capsys.readouterr().out
    card = (out / "README.md").read_text()
    assert "# mine\n\nA trial." in card and "| bits per byte |" in card
    ours, theirs = load(run)[0], load(out)[0]
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert bool((a == b).all())


def test_chat_answers_line_by_line_until_an_empty_one(
    folder, capsys, monkeypatch
):
    lines = iter(["a cat", "~" * 600, "the mat", ""])
    monkeypatch.setattr(builtins, "input", lambda prompt: next(lines))
    words = ["chat", "--model", folder, "-n", "12", "--temperature", "0"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    by = served.speaker()
    for text in ("a cat", "the mat"):
        told = served.alone(by, text, n=12, temperature=0)
        assert commands.printable(told) in shown
    assert "601 tokens" in shown  # and the chat went on


def test_ctrl_c_ends_the_reply_and_not_the_chat(folder, capsys, monkeypatch):
    lines = iter(["a cat", ""])
    monkeypatch.setattr(builtins, "input", lambda prompt: next(lines))

    def interrupted(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "say", interrupted)
    assert main(["chat", "--model", folder]) == 0
    assert "[stopped]" in capsys.readouterr().out


def test_nothing_that_is_written_steers_the_terminal():
    shown = commands.printable("a\x1b[2Jb\rc\x9bd\u202ee\n")
    assert shown == "a\\x1b[2Jb\\rc\\x9bd\\u202ee\n"


def test_what_is_wrong_is_said_in_a_line(tmp_path, capsys):
    assert main(["sample", "--model", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert main(["sample", "--temperature", "-1"]) == 1
    assert "temperature -1.0" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["sample", "--tempreature", "1"])
    assert "--tempreature" in capsys.readouterr().err


def test_train_still_takes_the_values_of_a_recipe(monkeypatch):
    told = []

    def note(args):
        told.append(args.flags)
        return 0

    monkeypatch.setattr(training, "train", note)
    assert main(["train", "x.toml", "--train.steps=3"]) == 0
    assert told == [["--train.steps=3"]]


@pytest.mark.parametrize("words", [["serve"], ["chat", "--web"]])
def test_it_listens_until_it_is_told_to_stop(folder, words):
    script = [sys.executable, "-m", "llm_utils", *words, "--model", folder]
    with subprocess.Popen(
        [*script, "--port", "0"], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            line = next(x for x in process.stderr if "http://" in x)
            url = line.split("http://")[1].split()[0]
            body = {"model": "tiny", "max_tokens": 3,
                    "messages": [{"role": "user", "content": "a"}]}  # fmt: skip
            end = time.monotonic() + 60
            got = httpx.post(f"http://{url}/v1/chat/completions", json=body,
                             timeout=60)  # fmt: skip
            assert time.monotonic() < end
            assert json.loads(got.text)["usage"]["completion_tokens"] == 3
            page = httpx.get(f"http://{url}/", timeout=20)
            assert ("Talk with tiny" in page.text) == (words[0] == "chat")
        finally:
            process.terminate()


def test_without_the_extra_packages_it_says_which(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", "--model", folder]) == 1
    assert "pip install 'llm-utils[app]'" in capsys.readouterr().err
