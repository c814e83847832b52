"""Chapter 6's cell for the real GPT-2, run on a stand-in for its folder.

The stand-in lies in a Hub cache as the real folder would, with the same
config.json, the same tensors under the same names (no prefix, and the masks
that old files carry along), the real tokenizer in the old spelling; only the
weights are random.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from llm_utils.model.hf_tokenizer import tokenizer_json
from llm_utils.text.bpe import ByteBPE
from scripts import cells

transformers = pytest.importorskip("transformers")
ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "chapters" / "week2_model" / "06_gpt.ipynb"
CONFIG = {
    "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1, "bos_token_id": 50256, "embd_pdrop": 0.1,
    "eos_token_id": 50256, "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024,
    "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
    "resid_pdrop": 0.1, "summary_activation": None,
    "summary_first_dropout": 0.1, "summary_proj_to_labels": True,
    "summary_type": "cls_index", "summary_use_proj": True,
    "task_specific_params": {
        "text-generation": {"do_sample": True, "max_length": 50}
    },
    "vocab_size": 50257,
}  # fmt: skip
COMMIT = "0" * 40


def tokenizer_of_2019() -> dict[str, object]:
    """Merges are "a b"; the end of a text stands in the vocabulary too."""
    record = tokenizer_json(ByteBPE.gpt2())
    model = record["model"]
    model["vocab"] |= {"<|endoftext|>": 50256}
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    for part in (record["pre_tokenizer"], record["decoder"]):
        del part["use_regex"]
    return record


def tensors_of_2019() -> dict[str, torch.Tensor]:
    """All that the real file lists; every matrix of one size is different."""
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**CONFIG))
    state = model.transformer.state_dict()
    mask = torch.ones(1024, 1024).tril()[None, None]
    masks = {f"h.{i}.attn.bias": mask.clone() for i in range(12)}
    return {k: v.contiguous() for k, v in (state | masks).items()}


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[Path, Path]]:
    """A Hub cache and the folder in it; half a gigabyte, gone afterwards."""
    try:
        tokenizer = tokenizer_of_2019()
    except OSError as error:
        pytest.skip(f"GPT-2's files are not to be had: {error}")
    with tempfile.TemporaryDirectory() as home:
        repo = Path(home) / "hub" / "models--openai-community--gpt2"
        folder = repo / "snapshots" / COMMIT
        folder.mkdir(parents=True)
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text(COMMIT)
        (folder / "config.json").write_text(json.dumps(CONFIG))
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
        save_file(
            tensors_of_2019(), folder / "model.safetensors", {"format": "pt"}
        )
        yield Path(home), folder


def source(cell_id: str, function: str = "") -> str:
    """A cell of the chapter, or one function in it."""
    found = {cell.id: cell.source for cell in cells.read(CHAPTER).cells}
    code = found[cell_id]
    if not function:
        return code
    tree = ast.parse(code)
    kept = [x for x in tree.body if getattr(x, "name", "") == function]
    assert len(kept) == 1
    return ast.unparse(kept[0])


AROUND = """
import sys
import torch
from llm_utils.text.bpe import ByteBPE
from llm_utils.model.hf import from_hf
from llm_utils.model.hf_tokenizer_read import tokenizer_from_hf
from llm_utils.model.zoo import build
bpe = ByteBPE.train("the cat sat. " * 9, 256)

def seeded(seed):
    return torch.Generator().manual_seed(seed)
"""
AFTER = """
if len(sys.argv) > 1:
    import transformers
    theirs = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1])
    words = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
    given = words("The city of Paris is the capital of", return_tensors="pt")
    ids = torch.tensor([gpt2_bpe.encode(lead)])
    assert torch.equal(given.input_ids, ids)
    with torch.no_grad():
        a, b = theirs(ids).logits, gpt2(ids)
    print("gap", f"{(a - b).abs().max():.6e}", "of", f"{a.std():.2f}")
    long = theirs.generate(**given, max_new_tokens=12, do_sample=False)
    assert torch.equal(long, said)
    assert words.decode(long[0]) == gpt2_bpe.decode(said[0].tolist())
    print("same text")
"""


def run_cell(home: Path, *args: str) -> str:
    code = "\n".join(
        [AROUND, source("greedy", "greedy"), source("real"), AFTER]
    )
    env = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    env.pop("HF_HUB_CACHE", None)
    done = subprocess.run(
        [sys.executable, "-c", code, *args], cwd=ROOT, env=env,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_cell_runs_with_the_folder(agrees, hub: tuple[Path, Path]) -> None:
    home, folder = hub
    said = run_cell(home, str(folder))
    assert "SKIPPED" not in said
    assert "124,439,808 parameters: The city of Paris" in said
    assert "same text" in said
    gap = re.search(r"^gap (\S+) of", said, re.MULTILINE)
    assert gap is not None
    agrees(
        "transformers", "logits of GPT-2 at its full size, random weights",
        float(gap[1]), 0.0, atol=1e-4, rtol=0,
    )  # fmt: skip
    agrees.held("transformers", "what GPT-2 at its full size writes, greedily")


def test_without_the_folder_it_says_so(tmp_path: Path) -> None:
    said = run_cell(tmp_path)
    assert said.startswith("SKIPPED")
    assert "124,439,808" not in said


def test_a_folder_without_its_weights_is_no_gpt2(
    hub: tuple[Path, Path],
) -> None:
    """A download that was broken off leaves config.json alone."""
    home, folder = hub
    weights, aside = folder / "model.safetensors", folder / "aside"
    weights.rename(aside)
    try:
        assert run_cell(home).startswith("SKIPPED")
    finally:
        aside.rename(weights)
