"""What the tests of the model share: tiny models, properties, a cache."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import build

RECIPES = ("tiny-gpt2", "tiny-llama", "tiny-qwen", "tiny-moe")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def stirred(model: nn.Module, seed: int = 0, std: float = 0.3) -> nn.Module:
    """The same model with weights so large that each of them matters."""
    rng = seeded(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(std * torch.randn(p.shape, generator=rng))
    return model.double().eval()


def tiny(name: str, **sizes) -> GPT:
    """A preset, smaller still, in float64."""
    small = {"vocab_size": 31, "n_layers": 2, "d_model": 32, "d_ff": 24}
    model = stirred(build(name, seeded(), **{**small, **sizes}))
    assert isinstance(model, GPT)
    return model


def ids(*shape: int, vocab_size: int = 31, seed: int = 0) -> Tensor:
    return torch.randint(vocab_size, shape, generator=seeded(seed))


class ListCache:
    """One layer's keys and values, in the simplest way; see `Cache`."""

    def __init__(self) -> None:
        self.length = 0
        self.kv: list[tuple[Tensor, Tensor]] = []

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        self.length += k.shape[-2]
        self.kv.append((k, v))
        keys, values = zip(*self.kv, strict=True)
        return torch.cat(keys, -2), torch.cat(values, -2)


@torch.no_grad()
def assert_causal(model, x: Tensor, t: int) -> None:
    """Changing what comes after t moves nothing up to t, and some after it.

    x: ids (B, T), or vectors (B, T, C).
    """
    now = model(x)
    future = x.clone()
    later = future[:, t + 1 :]
    future[:, t + 1 :] = later.flip(-1) if x.is_floating_point() else 30 - later
    new = model(future)
    assert not torch.equal(future, x), "vacuous test"
    torch.testing.assert_close(
        new[:, : t + 1], now[:, : t + 1], atol=1e-12, rtol=0
    )
    assert not torch.allclose(new[:, t + 1 :], now[:, t + 1 :]), "vacuous test"


@torch.no_grad()
def assert_cached_is_full(model: GPT, x: Tensor, cuts: list[int]) -> None:
    """Chunk by chunk with a cache, the logits are those of one pass."""
    cache = [ListCache() for _ in model.blocks]
    parts = [model(chunk, cache=cache) for chunk in x.split(cuts, dim=1)]
    assert {layer.length for layer in cache} == {x.shape[1]}
    torch.testing.assert_close(
        torch.cat(parts, 1), model(x), atol=1e-12, rtol=0
    )
