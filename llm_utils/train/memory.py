"""Where the memory of training goes, by formula and by watching.

Chapter 9 derives it: weights, gradients, the optimizer's averages, and what
the forward pass keeps for the backward pass.
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from llm_utils.model.attention import Attention
from llm_utils.model.ffn import MLP, SwiGLU
from llm_utils.model.gpt import GPT
from llm_utils.model.moe import MoE
from llm_utils.model.norm import LayerNorm, RMSNorm


def kept_numbers(layer: nn.Module, d_model: int) -> int:
    """Numbers that a layer keeps per token for its backward pass.

    A sum over the parts of a layer: the gradient of a product needs both its
    factors. Attention is the fused kernel, which keeps no (T, T) weights.
    Chapter 9; Korthikanti et al. (2023), section 4.1, for today's kernels.
    """
    C = d_model
    if isinstance(layer, LayerNorm):
        return C + 2  # its input, a mean and a spread
    if isinstance(layer, RMSNorm):
        return 2 * C + 1  # its input, normed before the weight, a spread
    if isinstance(layer, MLP):
        return C + 2 * layer.up.out_features  # before and after the GELU
    if isinstance(layer, SwiGLU):
        return C + 4 * layer.up.out_features  # gate, SiLU, up, product
    if isinstance(layer, MoE):
        each = kept_numbers(layer.experts[0], C) + C  # and its output
        indices = len(layer.experts) + 8 * layer.top_k
        return C + layer.top_k * each + indices
    if isinstance(layer, Attention):
        q, kv = layer.q.out_features, layer.k.out_features
        kept = C + 2 * q + 2 * kv + layer.n_heads
        if not isinstance(layer.q_norm, nn.Identity):
            kept += 3 * q + 2 * kv + layer.n_heads + layer.n_kv_heads
        return kept
    raise ValueError(f"no formula for what {type(layer).__name__} keeps")


def block_numbers(block: nn.Module, d_model: int) -> int:
    """Numbers that one block keeps per token. Chapter 9."""
    names = ("norm1", "attn", "norm2", "ffn")
    parts = [block.get_submodule(name) for name in names]
    return sum(kept_numbers(part, d_model) for part in parts)


def activation_bytes(
    model: GPT, B: int, T: int, checkpointed: bool = False, itemsize: int = 4
) -> int:
    """Bytes held at the end of the forward pass, its loss included.

    checkpointed: each block keeps its input alone; the bytes then include one
    block computed anew, for its turn in the backward pass. Chapter 9.
    """
    C, V, L = model.cfg.d_model, model.cfg.vocab_size, len(model.blocks)
    blocks = [block_numbers(block, C) for block in model.blocks]
    ends = kept_numbers(model.norm, C) + C + V  # the head's input, log p
    inside = L * C + max(blocks) if checkpointed else sum(blocks)
    return itemsize * B * T * (ends + inside)


class Memory(NamedTuple):
    """Bytes on one device while training."""

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        return sum(self)


def training_memory(
    n_params: int,
    activations: float = 0.0,
    mixed: bool = False,
    stage: int = 0,
    n_devices: int = 1,
) -> Memory:
    """Bytes on each of n_devices, trained by AdamW.

    In float32 a parameter takes 4 + 4 + 8 bytes. mixed: weights and gradients
    in 2 bytes, and the optimizer keeps a float32 copy of the weights: 2 + 2 +
    12. stage: what ZeRO cuts in n_devices parts: 1 the optimizer, 2 gradients
    too, 3 weights too (FSDP). Chapter 9; Rajbhandari et al. (2020), section 5.
    """
    if stage not in (0, 1, 2, 3):
        raise ValueError(f"stage={stage}: ZeRO has stages 0, 1, 2 and 3")
    bytes_each = (2, 2, 12) if mixed else (4, 4, 8)
    cuts = [n_devices if stage >= first else 1 for first in (3, 2, 1)]
    weights, gradients, optimizer = (
        n_params * size / n for size, n in zip(bytes_each, cuts, strict=True)
    )
    return Memory(weights, gradients, optimizer, activations)


def optimizer_bytes(opt: torch.optim.Optimizer) -> int:
    """Bytes of the tensors that an optimizer keeps between steps."""
    tensors = (x for x in tree_leaves(list(opt.state.values())))
    return sum(x.nbytes for x in tensors if isinstance(x, torch.Tensor))


def saved_bytes(model: nn.Module, f: Any) -> int:
    """Bytes that f() saves for its backward pass, parameters left out."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(x: torch.Tensor) -> torch.Tensor:
        storage = x.untyped_storage()
        kept[storage.data_ptr()] = storage
        return x

    with saved_tensors_hooks(pack, lambda x: x):
        f()
    return sum(s.nbytes() for at, s in kept.items() if at not in own)


class MemoryTrace(TorchDispatchMode):
    """Bytes of all tensors born inside a `with`, after each operation.

    trace: one number per operation; peak: the largest. Whoever holds a tensor
    keeps it alive: nothing is estimated. Works on any device. Chapter 9.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trace: list[int] = []
        self._live: dict[int, int] = {}

    @property
    def peak(self) -> int:
        return max(self.trace, default=0)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        old = {
            id(x.untyped_storage())
            for x in tree_leaves((args, kwargs))
            if isinstance(x, torch.Tensor)
        }
        for x in tree_leaves(out):
            if isinstance(x, torch.Tensor):
                self._watch(x.untyped_storage(), old)
        self.trace.append(sum(self._live.values()))
        return out

    def _watch(self, storage: torch.UntypedStorage, old: set[int]) -> None:
        key = id(storage)
        if key in self._live or key in old:  # known, or born outside
            return
        self._live[key] = storage.nbytes()
        weakref.finalize(storage, self._live.pop, key, None)


def checkpoint_blocks(model: GPT) -> GPT:
    """The same model; its blocks forget what they computed until backward.

    Each block keeps its input and runs a second time in the backward pass:
    the memory of one block instead of all, for a third more work. Changes the
    model it is given, and returns it. Chapter 9; Chen et al. (2016).
    """
    for block in model.blocks:
        forward = type(block).forward.__get__(block)
        again = partial(checkpoint, forward, use_reentrant=False)
        block.forward = again
    return model
