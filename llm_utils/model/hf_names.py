"""What Hugging Face calls things: the only file that holds their names.

Tables, read in chapter 6: for each family of models the sizes in config.json,
what else must stand there, and the names of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from llm_utils.model.block import Block
from llm_utils.model.gpt import ModelConfig
from llm_utils.model.zoo import gpt2_block, llama_block, moe_block, qwen_block


class Row(NamedTuple):
    """One of their tensors, and ours that it holds, one above the other.

    {i} counts layers, {e} experts. `turned`: stored as (in, out), not as
    torch's (out, in).
    """

    theirs: str
    ours: tuple[str, ...]
    turned: bool = False


def _layer(prefix: str, names: Mapping[str, str]) -> tuple[Row, ...]:
    return tuple(
        Row(f"{prefix}.{theirs}", (f"blocks.{{i}}.{ours}",))
        for ours, theirs in names.items()
    )


_GPT2_WEIGHTS = (
    Row("transformer.wte.weight", ("tokens.weight",)),
    Row("transformer.wpe.weight", ("positions.weight",)),
    *_layer(
        "transformer.h.{i}",
        {
            "norm1.weight": "ln_1.weight",
            "norm1.bias": "ln_1.bias",
            "attn.out.bias": "attn.c_proj.bias",
            "norm2.weight": "ln_2.weight",
            "norm2.bias": "ln_2.bias",
            "ffn.up.bias": "mlp.c_fc.bias",
            "ffn.down.bias": "mlp.c_proj.bias",
        },
    ),
    *(
        Row(
            f"transformer.h.{{i}}.{theirs}.weight",
            tuple(f"blocks.{{i}}.{name}.weight" for name in ours),
            turned=True,
        )
        for theirs, ours in {
            "attn.c_attn": ("attn.q", "attn.k", "attn.v"),
            "attn.c_proj": ("attn.out",),
            "mlp.c_fc": ("ffn.up",),
            "mlp.c_proj": ("ffn.down",),
        }.items()
    ),
    Row(
        "transformer.h.{i}.attn.c_attn.bias",
        tuple(f"blocks.{{i}}.attn.{name}.bias" for name in "qkv"),
    ),
    Row("transformer.ln_f.weight", ("norm.weight",)),
    Row("transformer.ln_f.bias", ("norm.bias",)),
)
_LLAMA_FRAME = (
    Row("model.embed_tokens.weight", ("tokens.weight",)),
    *_layer(
        "model.layers.{i}",
        {
            "norm1.weight": "input_layernorm.weight",
            "attn.q.weight": "self_attn.q_proj.weight",
            "attn.k.weight": "self_attn.k_proj.weight",
            "attn.v.weight": "self_attn.v_proj.weight",
            "attn.out.weight": "self_attn.o_proj.weight",
            "norm2.weight": "post_attention_layernorm.weight",
        },
    ),
    Row("model.norm.weight", ("norm.weight",)),
)
_LLAMA_WEIGHTS = (
    *_LLAMA_FRAME,
    *_layer(
        "model.layers.{i}.mlp",
        {
            "ffn.gate.weight": "gate_proj.weight",
            "ffn.up.weight": "up_proj.weight",
            "ffn.down.weight": "down_proj.weight",
        },
    ),
)
_QWEN_WEIGHTS = (
    *_LLAMA_WEIGHTS,
    *_layer(
        "model.layers.{i}.self_attn",
        {
            "attn.q_norm.weight": "q_norm.weight",
            "attn.k_norm.weight": "k_norm.weight",
        },
    ),
)
_MIXTRAL_WEIGHTS = (
    *_LLAMA_FRAME,
    *_layer(
        "model.layers.{i}.block_sparse_moe",
        {
            "ffn.router.weight": "gate.weight",
            "ffn.experts.{e}.gate.weight": "experts.{e}.w1.weight",
            "ffn.experts.{e}.up.weight": "experts.{e}.w3.weight",
            "ffn.experts.{e}.down.weight": "experts.{e}.w2.weight",
        },
    ),
)
HEAD = Row("lm_head.weight", ("head.weight",))  # unless embeddings are tied
# Masks and tables that old files carry along; both are computed, not learned.
COMPUTED = r".*\.attn\.(masked_)?bias|.*rotary_emb\.inv_freq"

_GPT2_SIZES = {
    "vocab_size": "vocab_size",
    "n_layers": "n_layer",
    "d_model": "n_embd",
    "n_heads": "n_head",
    "d_ff": "n_inner",
    "max_len": "n_positions",
    "norm_eps": "layer_norm_epsilon",
    "dropout": "resid_pdrop",
    "tie_embeddings": "tie_word_embeddings",
}
_LLAMA_SIZES = {
    "vocab_size": "vocab_size",
    "n_layers": "num_hidden_layers",
    "d_model": "hidden_size",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "d_head": "head_dim",
    "d_ff": "intermediate_size",
    "max_len": "max_position_embeddings",
    "norm_eps": "rms_norm_eps",
    "tie_embeddings": "tie_word_embeddings",
}
_LLAMA_FIXED = {
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
}


@dataclass(frozen=True)
class Family:
    """A model_type of transformers, and the recipe that is the same model."""

    model_type: str
    architecture: str
    make_block: Callable[[ModelConfig, int], Block]
    weights: tuple[Row, ...]
    sizes: Mapping[str, str]  # our field -> their key in config.json
    defaults: Mapping[str, Any]  # their keys that a file may leave out
    fixed: Mapping[str, Any]  # their keys that only this value fits
    positions: str = "none"

    def rows(self, cfg: ModelConfig) -> Iterator[Row]:
        """The table, written out for a model of these sizes."""
        head = () if cfg.tie_embeddings else (HEAD,)
        for row in (*self.weights, *head):
            layers = range(cfg.n_layers if "{i}" in row.theirs else 1)
            experts = range(cfg.n_experts if "{e}" in row.theirs else 1)
            for i in layers:
                for e in experts:
                    ours = tuple(name.format(i=i, e=e) for name in row.ours)
                    yield Row(row.theirs.format(i=i, e=e), ours, row.turned)


_UNTIED = {"tie_word_embeddings": False}
FAMILIES = (
    Family(
        "gpt2", "GPT2LMHeadModel", gpt2_block, _GPT2_WEIGHTS, _GPT2_SIZES,
        {"tie_word_embeddings": True, "n_inner": 0, "resid_pdrop": 0.1,
         "layer_norm_epsilon": 1e-5},
        {"activation_function": "gelu_new", "scale_attn_weights": True,
         "scale_attn_by_inverse_layer_idx": False,
         "add_cross_attention": False, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
        positions="learned",
    ),
    Family(
        "llama", "LlamaForCausalLM", llama_block, _LLAMA_WEIGHTS, _LLAMA_SIZES,
        {**_UNTIED, "num_key_value_heads": 0, "head_dim": 0,
         "rms_norm_eps": 1e-6},
        _LLAMA_FIXED,
    ),
    Family(
        "mistral", "MistralForCausalLM", llama_block, _LLAMA_WEIGHTS,
        {**_LLAMA_SIZES, "window": "sliding_window"},
        {**_UNTIED, "num_key_value_heads": 8, "head_dim": 0,
         "rms_norm_eps": 1e-6, "sliding_window": 4096},
        {"hidden_act": "silu", "attention_dropout": 0.0},
    ),
    Family(
        "qwen3", "Qwen3ForCausalLM", qwen_block, _QWEN_WEIGHTS, _LLAMA_SIZES,
        {**_UNTIED, "num_key_value_heads": 32, "head_dim": 128,
         "rms_norm_eps": 1e-6},
        {"hidden_act": "silu", "attention_bias": False,
         "attention_dropout": 0.0, "use_sliding_window": False},
    ),
    Family(
        "mixtral", "MixtralForCausalLM", moe_block, _MIXTRAL_WEIGHTS,
        {**_LLAMA_SIZES, "window": "sliding_window", "top_k":
         "num_experts_per_tok", "n_experts": "num_local_experts"},
        {**_UNTIED, "num_key_value_heads": 8, "head_dim": 0,
         "rms_norm_eps": 1e-5, "sliding_window": None,
         "num_experts_per_tok": 2, "num_local_experts": 8},
        {"hidden_act": "silu", "attention_dropout": 0.0,
         "router_jitter_noise": 0.0},
    ),
)  # fmt: skip
# Only training feels these, so that a file may hold any value.
TRAINING_ONLY = {
    "embd_pdrop", "attn_pdrop", "attention_dropout", "router_jitter_noise",
}  # fmt: skip
# Other names for the same function.
SAME = {"gelu_pytorch_tanh": "gelu_new", "swish": "silu"}
