"""The lean step is the model, one token at a time."""

from __future__ import annotations

import pytest
import torch
from bugs import with_bug
from tiny import ids, tiny

from llm_utils.infer import lean as module
from llm_utils.infer.cache import new_cache
from llm_utils.infer.lean import Lean
from llm_utils.infer.quantize import quantize_model
from llm_utils.infer.sample import generate
from llm_utils.model.block import Block

NAMES = ["tiny-gpt2", "tiny-llama", "tiny-qwen"]


@torch.no_grad()
def assert_the_model_itself(model, lean, slack: int = 0) -> None:
    x = ids(3, 12)
    cache = new_cache(model, 3, 12, slack=slack)
    cuts = [4, 1, 1, 2, 1, 1, 1, 1]
    parts = [lean(part, cache=cache) for part in x.split(cuts, 1)]
    torch.testing.assert_close(
        torch.cat(parts, 1), model(x), atol=1e-10, rtol=0
    )
    torch.testing.assert_close(lean(x), model(x), atol=0, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "sizes",
    [{}, {"window": 3}, {"n_kv_heads": 1}, {"tie_embeddings": False}],
    ids=str,
)
def test_a_step_is_the_models_own(name: str, sizes) -> None:
    model = tiny(name, **sizes)
    assert_the_model_itself(model, Lean(model))


def test_a_cache_that_could_go_back_holds_more_than_the_window() -> None:
    model = tiny("tiny-llama", window=3)
    for slack in (2, 16):  # rolling, and all kept
        assert_the_model_itself(model, Lean(model), slack)


BUGS = [
    ("order", "joined(attn.q, attn.k, attn.v)",
     "joined(attn.k, attn.q, attn.v)"),
    ("gate", "joined(*gate, ffn.up)", "joined(ffn.up, *gate)"),
    ("no stream", "torch.addmm(x if bias is None else x + bias, y, w)",
     "x + y @ w"),
    ("place", "narrow(1, start, 1)", "narrow(1, start + 1, 1)"),
    ("no norm", "normed(x, self.norm2)", "x"),
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=[name for name, *_ in BUGS])
def test_planted_bugs_are_noticed(bug, tmp_path) -> None:
    wrong = with_bug(tmp_path, module, *bug[1:])
    noticed = 0
    for name in NAMES:
        model = tiny(name, n_kv_heads=4)
        try:
            assert_the_model_itself(model, wrong.Lean(model))
        except (AssertionError, IndexError):
            noticed += 1
    assert noticed


def test_generating_with_it_gives_the_same_tokens() -> None:
    model, prompt = tiny("tiny-qwen"), ids(2, 5)
    slow = [*generate(model, prompt, 10)]
    cache = new_cache(model, 2, 15)
    fast = [*generate(Lean(model), prompt, 10, cache=cache)]
    assert torch.equal(torch.stack(slow), torch.stack(fast))


def test_blocks_that_it_does_not_know() -> None:
    wrong = tiny("tiny-llama", d_ff=32)
    quantize_model(wrong, 8, 16)
    training = tiny("tiny-gpt2", dropout=0.1).train()
    post = tiny("tiny-gpt2")
    for block in post.blocks:
        assert isinstance(block, Block)
        block.add = lambda x, norm, branch: norm(x + branch(x))
    for model in (tiny("tiny-moe"), wrong, training, post):
        with pytest.raises(ValueError, match="no lean step for Block"):
            Lean(model)
    Lean(training.eval())
