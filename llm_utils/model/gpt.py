"""The whole model: ids in, a score for every next token out.

Chapter 6 assembles it from the parts of chapters 2 to 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from llm_utils.model.attention import Attention, Cache
from llm_utils.model.block import Block
from llm_utils.model.embedding import TokenEmbedding
from llm_utils.model.ffn import MLP, SwiGLU
from llm_utils.model.positions import POSITIONS
from llm_utils.model.rope_scaling import Scaling


@dataclass(frozen=True)
class ModelConfig:
    """The sizes of a decoder. A 0 is filled in: see the comments.

    What the blocks are made of is no size: a recipe says it (`zoo`). Chapter
    6; appendix C gives the names that other libraries use.
    """

    vocab_size: int
    n_layers: int = 4
    d_model: int = 64
    n_heads: int = 4
    n_kv_heads: int = 0  # 0: n_heads
    d_head: int = 0  # 0: d_model / n_heads
    d_ff: int = 0  # 0: 4 * d_model
    max_len: int = 1024
    positions: str = "none"  # added at the input: none, learned, sinusoidal
    rope_base: float = 10_000.0
    rope_scaling: Scaling | None = None
    window: int | None = None  # keys a query sees; None: all
    n_experts: int = 8  # of a mixture of experts
    top_k: int = 2  # experts per token
    norm_eps: float = 1e-5
    dropout: float = 0.0
    tie_embeddings: bool = True

    def __post_init__(self) -> None:
        if self.d_head == 0 and self.d_model % self.n_heads:
            raise ValueError(
                f"{self.n_heads} heads do not divide d_model={self.d_model}: "
                "choose another number, or give d_head"
            )
        for name, value in (
            ("n_kv_heads", self.n_heads),
            ("d_head", self.d_model // self.n_heads),
            ("d_ff", 4 * self.d_model),
        ):
            object.__setattr__(self, name, getattr(self, name) or value)
        for name, value in vars(self).items():
            if type(value) is int and value < 1:
                raise ValueError(f"{name}={value} must be 1 or more")
        if self.positions not in POSITIONS:
            raise ValueError(
                f"positions={self.positions!r}: choose one of {list(POSITIONS)}"
            )


class GPT(nn.Module):
    """(B, T) -> (B, T, V): logits of the token after each position.

    make_block(cfg, layer) gives the blocks: a recipe of `zoo`, or your own.
    Assembled in chapter 6; Radford et al. (2019), section 2.3.
    """

    def __init__(
        self,
        cfg: ModelConfig,
        make_block: Callable[[ModelConfig, int], Block],
        rng: torch.Generator | None = None,
    ) -> None:
        """rng: draws the initial weights; None takes torch's own."""
        super().__init__()
        self.cfg, self.make_block = cfg, make_block
        self.tokens = TokenEmbedding(cfg.vocab_size, cfg.d_model)
        self.positions = POSITIONS[cfg.positions](cfg.max_len, cfg.d_model)
        blocks = [make_block(cfg, layer) for layer in range(cfg.n_layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = blocks[-1].last_norm()
        self.head = (
            None
            if cfg.tie_embeddings
            else TokenEmbedding(cfg.vocab_size, cfg.d_model)
        )
        init_weights(self, rng)

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        cache: Sequence[Cache] | None = None,
    ) -> Tensor:
        """mask: of all layers, None is causal; cache: one per layer."""
        return (self.head or self.tokens).unembed(self.stream(ids, mask, cache))

    def stream(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        cache: Sequence[Cache] | None = None,
    ) -> Tensor:
        """(B, T) -> (B, T, C): the residual stream after the last norm."""
        caches: Sequence[Cache | None] = cache or [None] * len(self.blocks)
        if len(caches) != len(self.blocks):
            raise ValueError(
                f"{len(caches)} caches for {len(self.blocks)} blocks: give one "
                "per layer"
            )
        start = caches[0].length if caches[0] is not None else 0
        check_ids(ids, self.cfg, start, self.tokens.weight.device)
        if mask is not None:
            check_mask(mask, ids.shape[1], self.tokens.weight)
        x = self.positions(self.tokens(ids), start)
        for block, past in zip(self.blocks, caches, strict=True):
            x = block(x, mask, past)
        return self.norm(x)

    @property
    def n_params(self) -> int:
        """How many numbers are learned; tied ones count once."""
        return sum(p.numel() for p in self.parameters())


def writers(model: nn.Module) -> Iterator[nn.Linear]:
    """The linear maps whose output is added to the residual stream."""
    for module in model.modules():
        if isinstance(module, Attention):
            yield module.out
        elif isinstance(module, (MLP, SwiGLU)):
            yield module.down


@torch.no_grad()
def init_weights(
    model: GPT, rng: torch.Generator | None = None, std: float = 0.02
) -> None:
    """Matrices from N(0, std), biases 0, and norms 1.

    What writes to the stream is smaller by sqrt(2 * n_layers), so that the
    stream's size does not grow with depth. Chapters 5 and 6; Radford et al.
    (2019), section 2.3.
    """
    for name, p in model.named_parameters():
        if p.dim() > 1:
            p.normal_(0.0, std, generator=rng)
        elif name.endswith("bias"):
            p.zero_()
    for linear in writers(model):
        linear.weight /= math.sqrt(2 * len(model.blocks))


def check_ids(
    ids: Tensor, cfg: ModelConfig, start: int, device: torch.device
) -> None:
    """ValueError unless the model can take these ids (B, T) at `start`.

    Values are looked at on the CPU only: elsewhere it would mean waiting.
    """
    if ids.dim() != 2 or ids.is_floating_point():
        raise ValueError(
            f"ids of shape {tuple(ids.shape)} and {ids.dtype}: give integers "
            "(B, T); ids[None] makes a batch of one sequence"
        )
    if start + ids.shape[1] > cfg.max_len:
        raise ValueError(
            f"{start + ids.shape[1]} tokens > max_len={cfg.max_len}: crop the "
            "text to its last tokens"
        )
    if ids.device != device:
        raise ValueError(
            f"ids are on {ids.device}, the model is on {device}: ids.to(...)"
        )
    if device.type != "cpu" or torch.compiler.is_compiling() or not len(ids):
        return
    low, high = (int(x) for x in ids.aminmax())
    if low < 0 or high >= cfg.vocab_size:
        raise ValueError(
            f"ids run from {low} to {high}, but vocab_size={cfg.vocab_size}: "
            "wrong tokenizer?"
        )


def check_mask(mask: Tensor, T: int, weight: Tensor) -> None:
    """ValueError unless it can be the mask of T queries, or their bias."""
    if mask.dim() < 2 or mask.shape[-2] != T:
        raise ValueError(
            f"a mask of shape {tuple(mask.shape)} for T={T} queries: give "
            "(T, S), or anything that broadcasts to (B, H, T, S)"
        )
    if mask.dtype not in (torch.bool, weight.dtype):
        raise ValueError(
            f"the mask is {mask.dtype}: give bool, True = may look, or a bias "
            f"of the model's own {weight.dtype}"
        )
    if mask.device != weight.device:
        raise ValueError(
            f"the mask is on {mask.device}, the model on {weight.device}"
        )
