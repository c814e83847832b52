"""The exported folder: transformers writes the same, token for token."""

from __future__ import annotations

import json

import pytest
import served
import torch

from llm_utils.infer import export as module
from llm_utils.infer.evaluate import Report, Score
from llm_utils.infer.export import export
from llm_utils.infer.load import load
from llm_utils.infer.sample import generate
from llm_utils.train.base import load_base

REPORT = Report(
    (Score("bits per byte", 0.154, (0.151, 0.157), 20),
     Score("which person", 0.61, (0.5, 0.7), 40, 1 / 3)), 0.149,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("out") / "tiny"
    by = served.speaker()
    sampling = {"temperature": 0.8, "top_p": 0.9}
    return export(
        by.model, by.tokenizer, place, "Tiny", "It tells of a cat.", REPORT,
        "mit", sampling,
    )  # fmt: skip


def transformers_of(folder):
    auto = pytest.importorskip("transformers")
    model = auto.AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
    return model.eval(), auto.AutoTokenizer.from_pretrained(folder)


def greedy_in_both(agrees, model, tokenizer, folder, text, n):
    theirs, their_tokenizer = transformers_of(folder)
    end = "<|endoftext|>"
    ids = tokenizer.encode(end + text, "all")
    theirs_ids = their_tokenizer(end + text)["input_ids"]
    agrees("transformers", "ids of an exported folder", ids, theirs_ids)
    x = torch.tensor([ids])
    out = theirs.generate(
        x, do_sample=False, max_new_tokens=n, temperature=None, top_p=None,
        pad_token_id=ids[0],
    )[0, len(ids) :]  # fmt: skip
    stop = [tokenizer.special_tokens[end]]
    ours = [int(i) for i in generate(model, x, n, stop_ids=stop)]
    what = "what an exported folder writes, greedily: tokens and text"
    agrees("transformers", what, ours, out.tolist())
    theirs_text = their_tokenizer.decode(out)
    agrees("transformers", what, tokenizer.decode(ours), theirs_text)
    return ours


def test_transformers_writes_the_same_token_for_token(agrees, folder):
    by = served.speaker()
    both = by.model, by.tokenizer
    assert len(greedy_in_both(agrees, *both, folder, "a cat", 40)) > 9


def test_the_base_model_too(agrees, tmp_path):
    model, tokenizer = load_base()
    folder = export(model, tokenizer, tmp_path / "base", "base")
    text = "It was a sunny day."
    both = model, tokenizer
    assert len(greedy_in_both(agrees, *both, folder, text, 120)) > 40


def test_all_files_are_there_and_plain(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "README.md", "config.json", "generation_config.json",
        "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    record = json.loads((folder / "generation_config.json").read_text())
    assert record["do_sample"] and record["top_p"] == 0.9
    by = served.speaker()
    assert record["eos_token_id"] == by.tokenizer.vocab_size - 1


def test_the_card_says_what_was_measured_and_what_it_is(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlicense: mit\nlibrary_name: transformers\n")
    assert "# Tiny\n\nIt tells of a cat." in card
    assert "`LlamaForCausalLM`" in card and "286 tokens" in card
    assert "| bits per byte | 0.154 | 0.151 to 0.157 | 20 |  |" in card
    assert "| which person | 61.0% | 50.0% to 70.0% | 40 | 33.3% |" in card
    assert "0.149 bits per byte" in card
    params = sum(p.numel() for p in served.speaker().model.parameters())
    assert f"{params:,} parameters" in card


def test_without_numbers_the_card_says_so(tmp_path):
    by = served.speaker()
    folder = export(by.model, by.tokenizer, tmp_path / "x", "x")
    card = (folder / "README.md").read_text()
    assert "Nobody has measured it." in card and "license" not in card


def test_an_older_export_is_replaced_and_anything_else_is_not(tmp_path):
    by = served.speaker()
    folder = tmp_path / "x"
    export(by.model, by.tokenizer, folder, "one")
    (folder / "stale.txt").write_text("old")
    export(by.model, by.tokenizer, folder, "two")
    assert not (folder / "stale.txt").exists()
    assert "# two" in (folder / "README.md").read_text()
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds other files"):
        export(by.model, by.tokenizer, thesis, "x")
    assert (thesis / "thesis.tex").exists()


def test_a_folder_that_does_not_give_the_model_back_gets_no_name(
    tmp_path, monkeypatch
):
    real = module.to_hf

    def damaging(model, *rest):
        real(model, *rest)
        other = served.tiny(model.cfg.vocab_size, d_model=32)
        with torch.no_grad():
            next(other.parameters()).mul_(1.01)
        real(other, *rest)

    monkeypatch.setattr(module, "to_hf", damaging)
    by = served.speaker()
    with pytest.raises(ValueError, match="does not give back"):
        export(by.model, by.tokenizer, tmp_path / "x", "x")
    assert not list(tmp_path.iterdir())


def test_it_loads_again(folder):
    by = served.speaker()
    model, tokenizer = load(folder)
    assert tokenizer.merges == by.tokenizer.merges
    for a, b in zip(model.parameters(), by.model.parameters(), strict=True):
        assert torch.equal(a, b)
