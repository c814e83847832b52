"""The decoder block: attention and feed-forward, each added to the stream.

Chapter 5 derives it. Pure wiring: the parts come ready-made.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from llm_utils.model.attention import Cache

Layer = Callable[[Tensor], Tensor]  # (B, T, C) -> (B, T, C)


def pre_norm(x: Tensor, norm: Layer, branch: Layer) -> Tensor:
    """x + branch(norm(x)): the stream itself is never normalized.

    Chapter 5; Xiong et al. (2020).
    """
    return x + branch(norm(x))


def post_norm(x: Tensor, norm: Layer, branch: Layer) -> Tensor:
    """norm(x + branch(x)): as in Vaswani et al. (2017). Chapter 5."""
    return norm(x + branch(x))


ORDERS = {"pre": pre_norm, "post": post_norm}


class Block(nn.Module):
    """(B, T, C) -> (B, T, C): look around, then think; twice a residual.

    attn takes (x, mask, cache), ffn takes x, norm makes a new norm. Derived in
    chapter 5.
    """

    def __init__(
        self,
        attn: nn.Module,
        ffn: nn.Module,
        norm: Callable[[], nn.Module],
        order: str = "pre",
        dropout: float = 0.0,
    ) -> None:
        """dropout: on what is added to the stream, in training."""
        super().__init__()
        if order not in ORDERS:
            raise ValueError(f"order={order!r}: choose one of {list(ORDERS)}")
        self.norm1, self.attn = norm(), attn
        self.norm2, self.ffn = norm(), ffn
        self.drop = nn.Dropout(dropout)
        self.new_norm, self.order = norm, order
        self.add = ORDERS[order]

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        def look(x: Tensor) -> Tensor:
            return self.drop(self.attn(x, mask, cache))

        def think(x: Tensor) -> Tensor:
            return self.drop(self.ffn(x))

        return self.add(self.add(x, self.norm1, look), self.norm2, think)

    def last_norm(self) -> nn.Module:
        """The norm that the stream still needs after the last block."""
        return self.new_norm() if self.order == "pre" else nn.Identity()
