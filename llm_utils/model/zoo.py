"""Four architectures as recipes; their differences are the lesson.

Chapter 6 reads them side by side. Names and sizes are those of the released
models, except for the tiny ones, which are for trying things out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch

from llm_utils.model.attention import Attention
from llm_utils.model.block import Block
from llm_utils.model.ffn import MLP, SwiGLU
from llm_utils.model.gpt import GPT, ModelConfig
from llm_utils.model.moe import MoE
from llm_utils.model.norm import LayerNorm, RMSNorm
from llm_utils.model.positions import Rotary
from llm_utils.model.rope_scaling import Llama3Scaling


def gpt2_block(c: ModelConfig, layer: int) -> Block:
    """LayerNorm, multi-head attention and a GELU MLP, all with biases.

    Goes with positions="learned". Radford et al. (2019), section 2.3.
    """
    attn = Attention(c.d_model, c.n_heads, c.n_kv_heads, c.d_head, bias=True)
    ffn = MLP(c.d_model, c.d_ff)
    norm = partial(LayerNorm, c.d_model, c.norm_eps)
    return Block(attn, ffn, norm, dropout=c.dropout)


def llama_block(c: ModelConfig, layer: int) -> Block:
    """RMSNorm, grouped heads turned by RoPE and SwiGLU, no biases.

    Touvron et al. (2023), section 2.2; Grattafiori et al. (2024), section 3.2.
    """
    rope = Rotary(c.d_head, c.rope_base, c.rope_scaling)
    attn = Attention(
        c.d_model, c.n_heads, c.n_kv_heads, c.d_head, rope, window=c.window
    )
    ffn = SwiGLU(c.d_model, c.d_ff)
    norm = partial(RMSNorm, c.d_model, c.norm_eps)
    return Block(attn, ffn, norm, dropout=c.dropout)


def qwen_block(c: ModelConfig, layer: int) -> Block:
    """Llama's, with queries and keys normalized before they are turned.

    Yang et al. (2025), section 2.
    """
    rope = Rotary(c.d_head, c.rope_base, c.rope_scaling)
    attn = Attention(
        c.d_model, c.n_heads, c.n_kv_heads, c.d_head, rope, window=c.window,
        qk_norm=partial(RMSNorm, c.d_head, c.norm_eps),
    )  # fmt: skip
    ffn = SwiGLU(c.d_model, c.d_ff)
    norm = partial(RMSNorm, c.d_model, c.norm_eps)
    return Block(attn, ffn, norm, dropout=c.dropout)


def moe_block(c: ModelConfig, layer: int) -> Block:
    """Llama's, with a mixture of experts in place of the SwiGLU.

    Jiang et al. (2024), section 2.
    """
    rope = Rotary(c.d_head, c.rope_base, c.rope_scaling)
    attn = Attention(
        c.d_model, c.n_heads, c.n_kv_heads, c.d_head, rope, window=c.window
    )
    ffn = MoE(c.d_model, c.d_ff, c.n_experts, c.top_k)
    norm = partial(RMSNorm, c.d_model, c.norm_eps)
    return Block(attn, ffn, norm, dropout=c.dropout)


class Preset(NamedTuple):
    """A recipe and the sizes it is cooked in."""

    make_block: Callable[[ModelConfig, int], Block]
    cfg: ModelConfig


def _gpt2(n_layers: int, d_model: int, n_heads: int) -> Preset:
    cfg = ModelConfig(
        50_257, n_layers, d_model, n_heads, max_len=1024, positions="learned"
    )
    return Preset(gpt2_block, cfg)


_TINY = ModelConfig(256, n_kv_heads=2, d_ff=176, max_len=256)

PRESETS = {
    "gpt2": _gpt2(12, 768, 12),
    "gpt2-medium": _gpt2(24, 1024, 16),
    "gpt2-large": _gpt2(36, 1280, 20),
    "gpt2-xl": _gpt2(48, 1600, 25),
    "llama-3.2-1b": Preset(
        llama_block,
        ModelConfig(
            128_256, 16, 2048, 32, 8, 64, 8192,
            max_len=131_072, rope_base=500_000.0,
            rope_scaling=Llama3Scaling(32.0, 1.0, 4.0, 8192),
        ),
    ),
    "qwen3-0.6b": Preset(
        qwen_block,
        ModelConfig(
            151_936, 28, 1024, 16, 8, 128, 3072,
            max_len=40_960, rope_base=1_000_000.0, norm_eps=1e-6,
        ),
    ),
    "mixtral-8x7b": Preset(
        moe_block,
        ModelConfig(
            32_000, 32, 4096, 32, 8, 128, 14_336,
            max_len=32_768, rope_base=1_000_000.0, tie_embeddings=False,
        ),
    ),
    "tiny-gpt2": Preset(
        gpt2_block, ModelConfig(256, max_len=256, positions="learned")
    ),
    "tiny-llama": Preset(llama_block, _TINY),
    "tiny-qwen": Preset(qwen_block, replace(_TINY, d_head=32)),
    "tiny-moe": Preset(moe_block, replace(_TINY, d_ff=88, n_experts=4)),
}  # fmt: skip


def build(name: str, rng: torch.Generator | None = None, **sizes: Any) -> GPT:
    """A model from a preset, with other sizes where they are given.

    build("tiny-llama", rng, vocab_size=512). What follows from other sizes in
    the preset (d_ff = 4 * d_model) follows from them here. On the meta device
    it costs no memory: with torch.device("meta"): build("gpt2-xl").n_params.
    Chapter 6.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}: choose one of {list(PRESETS)}")
    make_block, cfg = PRESETS[name]
    usual = ModelConfig(1, 1, cfg.d_model, cfg.n_heads)
    free = {
        size: 0  # filled in anew
        for size in ("n_kv_heads", "d_head", "d_ff")
        if getattr(cfg, size) == getattr(usual, size)
    }
    return GPT(replace(cfg, **free | sizes), make_block, rng)
