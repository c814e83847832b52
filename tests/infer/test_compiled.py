"""The compiled step is the model; uncompiled it is fast to test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import torch
from bugs import with_bug
from tiny import ListCache, ids, tiny
from torch._dynamo.utils import counters

from llm_utils.infer import compiled as module
from llm_utils.infer.cache import RollingCache, new_cache
from llm_utils.infer.compiled import Compiled
from llm_utils.infer.sample import generate

NAMES = ["tiny-gpt2", "tiny-llama", "tiny-qwen"]
CUTS = [3, 1, 1, 4, 1, 1, 1]
SIZES = [{}, {"n_kv_heads": 1}, {"tie_embeddings": False}, {"d_head": 4}]
close = torch.testing.assert_close


@pytest.fixture
def not_compiled() -> Iterator[None]:
    """The same code, run as it is written."""
    with torch.compiler.set_stance("force_eager"):
        yield


@torch.no_grad()
def assert_the_model_itself(model, compiled, B: int) -> None:
    x = ids(B, 12)
    cache = new_cache(model, B, 12)
    parts = [compiled(c, cache=cache) for c in x.split(CUTS, 1)]
    close(torch.cat(parts, 1), model(x), atol=1e-10, rtol=0)
    close(compiled(x), model(x), atol=0, rtol=0)
    assert {layer.length for layer in cache} == {12}


@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("not_compiled")
def test_a_step_is_the_models_own(name: str, sizes, B: int) -> None:
    model = tiny(name, **sizes)
    assert_the_model_itself(model, Compiled(model), B)


BUGS = [
    ("gate", "F.silu(mapped(x, ffn.gate)) * up",
     "F.silu(up) * mapped(x, ffn.gate)"),
    ("no past", "kv.narrow(3, 0, len(here.seen))",
     "kv.narrow(3, len(here.seen) - 1, 1)"),
    ("future", "kv.narrow(3, 0, len(here.seen))",
     "kv.narrow(3, 0, kv.shape[3])"),
    ("place", "narrow(0, start, 1)", "narrow(0, start - 1, 1)"),
    ("order", "w.chunk(PLACES)", "w.chunk(PLACES)[::-1]"),
    ("angle", "table[:, here.place]", "table[:, here.place + 1]"),
    ("no bias", "y if bias is None else y + bias", "y"),
    ("not counted", "layer.length = start + 1", "layer.length = start"),
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=[name for name, *_ in BUGS])
@pytest.mark.usefixtures("not_compiled")
def test_planted_bugs_are_noticed(bug, tmp_path) -> None:
    wrong = with_bug(tmp_path, module, *bug[1:])
    noticed = 0
    for name in NAMES:
        model = tiny(name)
        try:
            assert_the_model_itself(model, wrong.Compiled(model), 1)
        except (AssertionError, IndexError):
            noticed += 1
    assert noticed


@pytest.mark.skipif(
    not (shutil.which("g++") or shutil.which("clang++")),
    reason="needs a C++ compiler",
)
def test_two_functions_serve_all_lengths() -> None:
    """One for one text, one for several, and the same tokens."""
    torch._dynamo.reset()
    counters.clear()
    model = tiny("tiny-llama", n_kv_heads=2, n_layers=1, d_head=8)
    compiled = Compiled(model)
    for B, T, n in ((1, 2, 9), (1, 7, 5), (3, 5, 10), (2, 4, 20), (1, 3, 30)):
        prompt = ids(B, T, seed=n)
        cache = new_cache(model, B, T + n)
        fast = [*generate(compiled, prompt, n, cache=cache)]
        slow = [*generate(model, prompt, n)]
        assert torch.equal(torch.stack(slow), torch.stack(fast))
    assert counters["stats"]["unique_graphs"] == 2
    assert_the_model_itself(model, compiled, 2)
    other = tiny("tiny-qwen", n_kv_heads=2, n_layers=1, d_head=8)
    step = Compiled(other)
    assert_the_model_itself(other, step, 2)
    other.norm.weight = torch.nn.Parameter(other.norm.weight * 2)
    other.blocks[0].attn.q.weight.data *= 3
    assert_the_model_itself(other, step, 2)
    assert_the_model_itself(model, compiled, 2)
    torch._dynamo.reset()


def test_it_reads_the_weights_as_they_are_now() -> None:
    """Nothing is copied: training on changes what it says."""
    model = tiny("tiny-llama")
    with torch.compiler.set_stance("force_eager"):
        compiled = Compiled(model)
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1.1)
        assert_the_model_itself(model, compiled, 2)


def test_the_second_step_is_compiled_like_the_first() -> None:
    before = {**module.OPTIONS}
    for _ in range(2):
        Compiled(tiny("tiny-llama"))
    assert before == module.OPTIONS and "guard_filter_fn" in before


# --- at the border -----------------------------------------------------------


def test_models_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no lean step for Block with MoE"):
        Compiled(tiny("tiny-moe"))
    with pytest.raises(ValueError, match=r"window.*take Lean"):
        Compiled(tiny("tiny-llama", window=3))


@pytest.mark.usefixtures("not_compiled")
def test_a_cache_that_does_not_fit_is_left_as_it_was() -> None:
    model = tiny("tiny-llama")
    compiled, one = Compiled(model), ids(2, 1)
    full, fewer = new_cache(model, 2, 4), new_cache(model, 2, 4)[:1]
    compiled(ids(2, 4), cache=full)
    for cache, says in (
        (full, "position 4 has no place in a cache of 4"),
        (new_cache(model, 1, 4), "one cache serves one model"),
        (new_cache(model, 2, 4, dtype=torch.float32), "one cache serves one"),
        (fewer, "1 caches for 2 blocks"),
    ):
        for layer in cache:
            layer.length = layer.length or 1
        before = [(layer.length, layer.kv.clone()) for layer in cache]
        with pytest.raises(ValueError, match=says):
            compiled(one, cache=cache)
        for layer, (length, kv) in zip(cache, before, strict=True):
            assert layer.length == length and torch.equal(layer.kv, kv)


@pytest.mark.usefixtures("not_compiled")
@torch.no_grad()
def test_with_a_cache_of_your_own_the_model_runs(monkeypatch) -> None:
    model, x = tiny("tiny-llama"), ids(2, 6)
    compiled = Compiled(model)
    monkeypatch.setattr(compiled, "step", None)
    for cache in (
        [ListCache() for _ in model.blocks],
        [RollingCache(2, 2, 6, 8, dtype=torch.float64) for _ in model.blocks],
        [new_cache(model, 2, T)[i] for i, T in enumerate((8, 9))],
    ):
        parts = [compiled(part, cache=cache) for part in x.split(1, 1)]
        close(torch.cat(parts, 1), model(x), atol=1e-10, rtol=0)
