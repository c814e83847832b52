"""A Llama without autograd: forward, loss and every gradient, by hand.

Appendix A builds it from the functions of `backward`. It reads the weights of
chapter 6's `GPT` with `llama_block`, by their names in its `state_dict`, so
that the same weights run both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_utils.appendix.backward import (
    attention_bwd,
    embedding_bwd,
    linear_bwd,
    rms_norm_bwd,
    rope_bwd,
    softmax_ce_bwd,
    swiglu_bwd,
)
from llm_utils.model.attention import (
    attention_weights,
    merge_heads,
    repeat_heads,
    split_heads,
)
from llm_utils.model.gpt import GPT, ModelConfig
from llm_utils.model.positions import Rotary, rotate
from llm_utils.model.zoo import llama_block
from llm_utils.text.next_token import next_token_loss

Weights = Mapping[str, Tensor]  # as in state_dict: "blocks.0.attn.q.weight"
Kept = dict[str, Tensor]  # what a forward pass leaves for the backward pass
Turns = tuple[Tensor, Tensor]  # cos and signed sin, (T, D) each


def weights_of(model: GPT) -> dict[str, Tensor]:
    """Copies of a model's weights that no autograd follows.

    ValueError unless the model is a plain Llama: `llama_block`, no window, no
    dropout, no positions at the input, tied embeddings. Appendix A.
    """
    cfg = model.cfg
    plain = cfg.window is None and not cfg.dropout and cfg.tie_embeddings
    if (
        model.make_block is not llama_block
        or not plain
        or cfg.positions != "none"
    ):
        raise ValueError(
            "by hand only a plain Llama is written out: build('tiny-llama')"
        )
    return {name: w.detach().clone() for name, w in model.state_dict().items()}


def turns(cfg: ModelConfig, T: int, like: Tensor) -> Turns:
    """-> 2 x (T, D): cos and signed sin of RoPE for positions 0 to T - 1."""
    table = Rotary(cfg.d_head, cfg.rope_base, cfg.rope_scaling).table(T)
    cos, sin = table.to(like)
    return cos, sin


def block_fwd(
    w: Callable[[str], Tensor], cfg: ModelConfig, x: Tensor, turn: Turns
) -> tuple[Tensor, Kept]:
    """(B, T, C) -> (B, T, C), and what its backward pass will need.

    w("attn.q") is a weight of this block. Appendix A.
    """
    C, H, K = (cfg.d_model,), cfg.n_heads, cfg.n_kv_heads
    n1 = F.rms_norm(x, C, w("norm1"), cfg.norm_eps)
    q = rotate(split_heads(n1 @ w("attn.q").mT, H), *turn)
    k = rotate(split_heads(n1 @ w("attn.k").mT, K), *turn)
    v = split_heads(n1 @ w("attn.v").mT, K)
    p = attention_weights(q, k)
    o = merge_heads(p @ repeat_heads(v, H))
    x1 = x + o @ w("attn.out").mT
    n2 = F.rms_norm(x1, C, w("norm2"), cfg.norm_eps)
    gate, up = n2 @ w("ffn.gate").mT, n2 @ w("ffn.up").mT
    h = F.silu(gate) * up
    kept = {"x": x, "n1": n1, "q": q, "k": k, "v": v, "p": p, "o": o}
    kept |= {"x1": x1, "n2": n2, "gate": gate, "up": up, "h": h}
    return x1 + h @ w("ffn.down").mT, kept


def block_bwd(
    w: Callable[[str], Tensor],
    cfg: ModelConfig,
    gy: Tensor,
    kept: Kept,
    turn: Turns,
) -> tuple[Tensor, dict[str, Tensor]]:
    """gy (B, T, C) -> gx (B, T, C), and a gradient for each weight.

    block_fwd's lines from the last to the first. Appendix A.
    """
    g: dict[str, Tensor] = {}

    def back(name: str, gout: Tensor, x: Tensor) -> Tensor:
        gx, g[name], _ = linear_bwd(gout, x, w(name))
        return gx

    def norm(name: str, gout: Tensor, x: Tensor) -> Tensor:
        gx, g[name] = rms_norm_bwd(gout, x, w(name), cfg.norm_eps)
        return gx

    gh = back("ffn.down", gy, kept["h"])
    ggate, gup = swiglu_bwd(gh, kept["gate"], kept["up"])
    gn2 = back("ffn.gate", ggate, kept["n2"]) + back("ffn.up", gup, kept["n2"])
    gx1 = gy + norm("norm2", gn2, kept["x1"])  # both ways out of a sum
    go = split_heads(back("attn.out", gx1, kept["o"]), cfg.n_heads)
    gq, gk, gv = attention_bwd(go, *(kept[name] for name in "qkvp"))
    gn1 = back("attn.q", merge_heads(rope_bwd(gq, *turn)), kept["n1"])
    gn1 = gn1 + back("attn.k", merge_heads(rope_bwd(gk, *turn)), kept["n1"])
    gn1 = gn1 + back("attn.v", merge_heads(gv), kept["n1"])
    return gx1 + norm("norm1", gn1, kept["x"]), g


def of_block(weights: Weights, layer: int) -> Callable[[str], Tensor]:
    """The weights of one block, by their names within it."""
    return lambda name: weights[f"blocks.{layer}.{name}.weight"]


@torch.no_grad()
def loss_and_grads(
    weights: Weights,
    cfg: ModelConfig,
    x: Tensor,
    y: Tensor,
    recompute: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    """ids (B, T), targets (B, T) -> loss (), and a gradient per weight.

    What loss.backward() leaves in .grad. recompute: each block keeps its input
    alone and runs forward once more in the backward pass. Appendix A.
    """
    table, last = weights["tokens.weight"], weights["norm.weight"]
    turn = turns(cfg, x.shape[1], table)
    stream, tape = table[x], []
    for layer in range(cfg.n_layers):
        before = stream
        stream, kept = block_fwd(of_block(weights, layer), cfg, stream, turn)
        tape.append({"x": before} if recompute else kept)
    normed = F.rms_norm(stream, last.shape, last, cfg.norm_eps)
    logits = normed @ table.mT
    loss = next_token_loss(logits, y)

    grads: dict[str, Tensor] = {}
    glogits = softmax_ce_bwd(logits, y)
    gnormed, ghead, _ = linear_bwd(glogits, normed, table)
    g, grads["norm.weight"] = rms_norm_bwd(gnormed, stream, last, cfg.norm_eps)
    for layer in reversed(range(cfg.n_layers)):
        w, kept = of_block(weights, layer), tape.pop()
        if recompute:
            _, kept = block_fwd(w, cfg, kept["x"], turn)
        g, found = block_bwd(w, cfg, g, kept, turn)
        grads |= {f"blocks.{layer}.{n}.weight": v for n, v in found.items()}
    # Tied: the table was used twice, at the bottom and as the head.
    grads["tokens.weight"] = ghead + embedding_bwd(g, x, len(table))
    return loss, grads
