"""What a layer remembers, so that no token is read twice.

Chapter 11 derives both caches: one that keeps all keys and values of a text,
and one that rolls over those a window can still see. They fit the `Cache`
protocol of `model/attention`, and a text can be taken back in them, which
`speculative` needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_utils.model.attention import Attention
from llm_utils.model.gpt import GPT

Device = torch.device | str | None


class _Room:
    """Memory for n positions of one layer, set up once: (2, B, K, n, D)."""

    def __init__(
        self, sizes: tuple[int, ...], device: Device, dtype: torch.dtype | None
    ) -> None:
        if min(sizes) < 1:
            raise ValueError(f"B, K, positions, D = {sizes}: all 1 or more")
        with torch.inference_mode(False):  # may be written in any mode
            self.kv = torch.zeros(2, *sizes, device=device, dtype=dtype)
        self.length = 0

    @property
    def n_bytes(self) -> int:
        """Bytes of keys and values, used or not."""
        return self.kv.nbytes

    def _check(self, k: Tensor) -> None:
        """ValueError unless (B, K, T, D) belongs into this cache."""
        B, K, _, D = self.kv.shape[1:]
        right = k.shape[:2] == (B, K) and k.shape[-1] == D
        if not right or k.dtype != self.kv.dtype:
            raise ValueError(
                f"keys of shape {tuple(k.shape)} in {k.dtype} for a cache of "
                f"({B}, {K}, T, {D}) in {self.kv.dtype}: one cache serves one "
                "model, one batch size and one dtype"
            )
        if k.requires_grad and torch.is_grad_enabled():
            raise ValueError(
                "a cache is for reading on, not for training: call the model "
                "under torch.inference_mode() or torch.no_grad()"
            )


class KVCache(_Room):
    """Keys and values of one layer, as many as max_len positions.

    A step writes T rows and returns views of all that is filled: nothing is
    copied, whatever the length. Chapter 11; Pope et al. (2022), section 3.
    """

    def __init__(
        self, B: int, K: int, max_len: int, D: int,
        device: Device = None, dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__((B, K, max_len, D), device, dtype)

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append 2 x (B, K, T, D); return all, 2 x (B, K, length, D).

        ValueError where they do not fit, before anything is written.
        """
        stop = self.length + k.shape[-2]
        self._check(k)
        if stop > self.kv.shape[-2]:
            raise ValueError(
                f"position {stop - 1} has no place in a cache of "
                f"{self.kv.shape[-2]}: make a longer one, or crop the text"
            )
        new = self.kv.narrow(3, self.length, k.shape[-2])
        new[0], new[1] = k, v
        self.length = stop
        k, v = self.kv.narrow(3, 0, stop).unbind()
        return k, v

    def crop(self, length: int) -> None:
        """Forget all but the first `length` positions: only a number moves."""
        if not 0 <= length <= self.length:
            raise ValueError(
                f"crop to {length} of {self.length} positions: give a number "
                "from 0 to what the cache holds"
            )
        self.length = length


class RollingCache(_Room):
    """The last positions of one layer, as many as window + slack.

    Position t lies in place t modulo their number, over one that no query can
    see any more, so memory is flat in the length. `slack` positions can be
    taken back by `crop`. Chapter 11; Jiang et al. (2023), section 2.
    """

    def __init__(
        self, B: int, K: int, window: int, D: int, device: Device = None,
        dtype: torch.dtype | None = None, slack: int = 0,
    ) -> None:  # fmt: skip
        if slack < 0:
            raise ValueError(f"slack={slack}: 0 or more can be taken back")
        super().__init__((B, K, window + slack, D), device, dtype)
        self.window, self.slack = window, slack
        self.furthest = 0  # length before anything was taken back

    def extend(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append 2 x (B, K, T, D); return all that these T queries may see.

        That is up to window - 1 positions before the first of them, in order,
        so that the mask of `attend` fits; a single query needs no order.
        """
        self._check(k)
        T, size = k.shape[-2], self.kv.shape[-2]
        if T == 1 and not self.slack:
            place = self.length % size
            self.kv[0, :, :, place] = k[:, :, 0]
            self.kv[1, :, :, place] = v[:, :, 0]
            self._move_on(1)
            filled = min(self.length, size)
            return self.kv[0, :, :, :filled], self.kv[1, :, :, :filled]
        past = self.kv[:, :, :, self._places(self.window - 1)]
        seen = torch.cat((past, torch.stack((k, v))), -2)
        self._move_on(T)
        kept = min(T, size)
        self.kv[:, :, :, self._places(kept)] = seen[:, :, :, -kept:]
        return seen[0], seen[1]

    def crop(self, length: int) -> None:
        """Take back the last positions, `slack` of them at most."""
        first = max(0, self.furthest - self.slack)
        if not first <= length <= self.length:
            raise ValueError(
                f"crop to {length} of {self.length} positions: what the window "
                f"of any before {first} saw is lost; a larger slack keeps more"
            )
        self.length = length

    def _move_on(self, T: int) -> None:
        self.length += T
        self.furthest = max(self.furthest, self.length)

    def _places(self, n: int) -> Tensor:
        """Where the last n positions lie, or all, the oldest first."""
        last = range(max(0, self.length - n), self.length)
        size = self.kv.shape[-2]
        places = [t % size for t in last]
        return torch.tensor(places, dtype=torch.int64, device=self.kv.device)


def new_cache(
    model: GPT,
    batch_size: int,
    max_len: int,
    dtype: torch.dtype | None = None,
    slack: int = 0,
) -> list[KVCache | RollingCache]:
    """One empty cache per layer: rolling where the layer has a window.

    max_len: prompt and answer together. dtype: None is that of the weights.
    slack: how many positions rolling caches can take back. Chapter 11.
    """
    if max_len > model.cfg.max_len:
        raise ValueError(
            f"max_len={max_len}, but the model reads {model.cfg.max_len} "
            "tokens at most"
        )
    like, D = model.tokens.weight, model.cfg.d_head
    kind = (like.device, dtype or like.dtype)
    caches: list[KVCache | RollingCache] = []
    for block in model.blocks:
        attn = block.attn
        assert isinstance(attn, Attention)
        K, window = attn.n_kv_heads, attn.window
        if window is not None and window + slack < max_len:
            caches.append(RollingCache(batch_size, K, window, D, *kind, slack))
        else:
            caches.append(KVCache(batch_size, K, max_len, D, *kind))
    return caches


def crop(cache: Sequence[KVCache | RollingCache], length: int) -> None:
    """Take a text back to its first `length` tokens, in all layers."""
    for layer in cache:
        layer.crop(length)
