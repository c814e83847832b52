"""Caches: the full pass, in pieces; a window, rolling; and nothing too much."""

from __future__ import annotations

import logging

import pytest
import torch
import transformers as hf
from bugs import with_bug
from tiny import RECIPES, ids, randn, tiny
from torch import Tensor

from llm_utils.infer import cache as module
from llm_utils.infer.cache import KVCache, RollingCache, crop, new_cache
from llm_utils.infer.sample import generate
from llm_utils.model.hf import to_hf

hf.utils.logging.set_verbosity(logging.CRITICAL)
hf.utils.logging.disable_progress_bar()
close = torch.testing.assert_close

CUTS = [[12], [1] * 12, [5, 1, 1, 5], [1, 11], [7, 1, 1, 1, 2]]
SIZES = [{}, {"window": 4}, {"positions": "none"}, {"n_kv_heads": 1}]


@torch.no_grad()
def assert_cached_is_full(model, cuts, make=new_cache) -> None:
    """Chunk by chunk into a cache, the logits are those of one pass."""
    x = ids(2, 12)
    cache = make(model, 2, 12)
    parts = [model(chunk, cache=cache) for chunk in x.split(cuts, dim=1)]
    assert {layer.length for layer in cache} == {12}
    close(torch.cat(parts, 1), model(x), atol=1e-12, rtol=0)


# --- equal to the full pass --------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("cuts", CUTS, ids=str)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_cache_changes_nothing(name: str, cuts, sizes) -> None:
    assert_cached_is_full(tiny(name, **sizes), cuts)


def test_sinusoidal_positions_go_on_where_they_were() -> None:
    model = tiny("tiny-gpt2", positions="sinusoidal")
    assert_cached_is_full(model, [5, 1, 6])


BUGS = [
    ("position", "self.length = stop", "self.length = stop - 1"),
    ("values", "new[0], new[1] = k, v", "new[0], new[1] = k, k"),
    ("all of it", "self.kv.narrow(3, 0, stop).unbind()", "self.kv.unbind()"),
    ("no order", "return torch.tensor(places,",
     "return torch.tensor(sorted(places),"),
    ("too short", "self._places(self.window - 1)",
     "self._places(self.window - 2)"),
    ("old place", "place = self.length % size", "place = 0"),
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=[name for name, *_ in BUGS])
def test_planted_bugs_are_noticed(bug, tmp_path) -> None:
    wrong = with_bug(tmp_path, module, *bug[1:])
    models = [tiny("tiny-llama"), tiny("tiny-llama", window=4)]
    noticed = False
    for model in models:
        for cuts in CUTS:
            try:
                assert_cached_is_full(model, cuts, wrong.new_cache)
            except (AssertionError, RuntimeError):
                noticed = True
    assert noticed


@pytest.mark.filterwarnings("ignore:`past_key_values`:FutureWarning")
@torch.no_grad()
def test_transformers_own_cache_agrees(agrees, tmp_path) -> None:
    """Prefill, then token by token, beside DynamicCache."""
    ours = tiny("tiny-qwen")
    to_hf(ours, None, tmp_path)
    theirs = hf.AutoModelForCausalLM.from_pretrained(
        tmp_path, dtype=torch.float64
    ).eval()
    cache, past = new_cache(ours, 2, 12), hf.DynamicCache()
    for chunk in ids(2, 12).split([6, 1, 1, 4], dim=1):
        a = ours(chunk, cache=cache)
        b = theirs(chunk, past_key_values=past, use_cache=True).logits
        what = "logits with a cache, part after part"  # theirs turns
        agrees("transformers", what, a, b, atol=1e-5, rtol=0)  # in float32
    keys, what = past.layers[1].keys, "the keys that a cache holds"
    agrees("transformers", what, cache[1].kv[0], keys, atol=1e-5, rtol=0)


# --- flat memory, no copies --------------------------------------------------


def test_nothing_is_copied_and_nothing_grows() -> None:
    cache = KVCache(1, 2, 8, 4, dtype=torch.float64)
    place, n_bytes = cache.kv.data_ptr(), cache.n_bytes
    assert n_bytes == 2 * 1 * 2 * 8 * 4 * 8
    for t in range(8):
        k, _ = cache.extend(randn(1, 2, 1, 4), randn(1, 2, 1, 4))
        assert k.data_ptr() == place and k.shape[-2] == t + 1
    assert (cache.kv.data_ptr(), cache.n_bytes) == (place, n_bytes)


@torch.no_grad()
def test_a_rolling_cache_holds_a_window_of_any_text() -> None:
    model = tiny("tiny-llama", window=4)
    for n in (8, 64, 256):
        cache = new_cache(model, 1, n)
        sizes = {(type(x), x.n_bytes) for x in cache}
        assert sizes == {(RollingCache, 2 * 2 * 4 * 8 * 8)}
        for token in ids(1, n).split(1, dim=1):
            last = model(token, cache=cache)
        close(last[:, -1], model(ids(1, n))[:, -1], atol=1e-12, rtol=0)
        assert {(type(x), x.n_bytes) for x in cache} == sizes
    short = new_cache(model, 1, 4)  # all of it fits
    assert {type(x) for x in short} == {KVCache}


# --- taking back -------------------------------------------------------------


@torch.no_grad()
def assert_can_go_back(model, back: int) -> None:
    """Read a wrong ending, take it back, read the right one."""
    x, wrong = ids(1, 12), ids(1, back, seed=5)
    cache = new_cache(model, 1, 20, slack=back)
    model(x[:, :7], cache=cache)
    for n in range(back):
        model(wrong[:, n : n + 1], cache=cache)
    crop(cache, 7)
    parts = [model(c, cache=cache) for c in x[:, 7:].split([1, 3, 1], 1)]
    close(torch.cat(parts, 1), model(x)[:, 7:], atol=1e-12, rtol=0)
    crop(cache, 12 - back)
    again = model(x[:, 12 - back :], cache=cache)
    close(again, model(x)[:, 12 - back :], atol=1e-12, rtol=0)


@pytest.mark.parametrize("window", [None, 1, 3, 4])
@pytest.mark.parametrize("back", [1, 2, 5])
def test_a_text_can_be_taken_back(window, back: int) -> None:
    assert_can_go_back(tiny("tiny-qwen", window=window), back)


def test_what_is_overwritten_cannot_come_back() -> None:
    cache = RollingCache(1, 1, 4, 2, slack=2)
    cache.extend(torch.zeros(1, 1, 9, 2), torch.zeros(1, 1, 9, 2))
    cache.crop(7)
    with pytest.raises(ValueError, match=r"crop to 6 of 7.*larger slack"):
        cache.crop(6)
    with pytest.raises(ValueError, match="crop to 8 of 7"):
        cache.crop(8)


# --- at the border -----------------------------------------------------------


def kv(*shape: int, **kind) -> tuple[Tensor, Tensor]:
    return torch.ones(shape, **kind), torch.ones(shape, **kind)


def test_overflow_is_refused_and_leaves_the_cache_as_it_was() -> None:
    cache = KVCache(1, 2, 4, 3)
    cache.extend(*kv(1, 2, 3, 3))
    before = cache.kv.clone()
    with pytest.raises(ValueError, match="position 4 has no place in a cache"):
        cache.extend(*kv(1, 2, 2, 3))
    assert cache.length == 3 and torch.equal(cache.kv, before)
    cache.extend(*kv(1, 2, 1, 3))


def test_a_cache_serves_what_it_was_made_for() -> None:
    for cache in (KVCache(2, 2, 4, 3), RollingCache(2, 2, 4, 3)):
        for wrong in (kv(1, 2, 1, 3), kv(2, 1, 1, 3), kv(2, 2, 1, 4),
                      kv(2, 2, 1, 3, dtype=torch.bfloat16)):  # fmt: skip
            with pytest.raises(ValueError, match="one cache serves one"):
                cache.extend(*wrong)
        with pytest.raises(ValueError, match="not for training"):
            cache.extend(*kv(2, 2, 1, 3, requires_grad=True))
        with torch.no_grad():
            cache.extend(*kv(2, 2, 1, 3, requires_grad=True))
    for kind, sizes in ((KVCache, (0, 1, 1, 1)), (RollingCache, (1, 1, 0, 1))):
        with pytest.raises(ValueError, match="all 1 or more"):
            kind(*sizes)
    with pytest.raises(ValueError, match="slack=-1"):
        RollingCache(1, 1, 4, 1, slack=-1)
    with pytest.raises(ValueError, match="crop to 5 of 0"):
        KVCache(1, 1, 8, 1).crop(5)
    with pytest.raises(ValueError, match="reads 256 tokens at most"):
        new_cache(tiny("tiny-llama"), 1, 257)


def test_a_cache_made_in_inference_mode_can_be_used_outside() -> None:
    model = tiny("tiny-llama")
    with torch.inference_mode():
        cache = new_cache(model, 1, 12)
        model(ids(1, 4), cache=cache)
    with torch.no_grad():
        model(ids(1, 4), cache=cache)
    assert cache[0].length == 8


def test_a_cache_may_be_of_another_precision() -> None:
    model = tiny("tiny-llama").bfloat16()
    assert {c.kv.dtype for c in new_cache(model, 1, 4)} == {torch.bfloat16}
    full = new_cache(model, 1, 4, dtype=torch.float32)
    assert {c.kv.dtype for c in full} == {torch.float32}


# --- with chapter 10 ---------------------------------------------------------


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-llama"])
def test_generating_is_the_same_with_a_cache(name: str, window) -> None:
    model, prompt = tiny(name, window=window), ids(3, 5)
    slow = torch.stack([*generate(model, prompt, 12)])
    cache = new_cache(model, 3, 16)
    fast = torch.stack([*generate(model, prompt, 12, cache=cache)])
    assert torch.equal(slow, fast)
    assert cache[0].length == 16  # the last token is not read again
