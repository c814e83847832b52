"""Weights in 8 or 4 bits: small integers, and a scale for each group of them.

Chapter 11 derives it. Only weights are rounded; the arithmetic stays in
floating point. Dettmers et al. (2022), section 2; Frantar et al. (2023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Quantized(NamedTuple):
    """A matrix (O, I) as integers, with a scale for each `group` of a row."""

    codes: Tensor  # (O, I), int8; of 4 bits (O, I / 2), uint8: two in a byte
    scales: Tensor  # (O, I / group), the weight's dtype
    bits: int

    @property
    def n_bytes(self) -> int:
        """Bytes of codes and scales."""
        return self.codes.nbytes + self.scales.nbytes


def quantize(w: Tensor, bits: int = 8, group: int = 64) -> Quantized:
    """(O, I) -> Quantized: the nearest multiples of each group's scale.

    The scale is the group's largest magnitude / (2 ** (bits - 1) - 1), so no
    weight moves by more than half a scale. ValueError if I is odd or not a
    multiple of group. Chapter 11; Dettmers et al. (2022), equation 1.
    """
    if bits not in (4, 8):
        raise ValueError(f"bits={bits}: choose 4 or 8")
    if w.dim() != 2 or group < 1 or w.shape[1] % group or w.shape[1] % 2:
        raise ValueError(
            f"weights of shape {tuple(w.shape)} in groups of {group}: give a "
            "matrix (O, I) with I even and divisible by group"
        )
    if not w.isfinite().all():
        raise ValueError("the weights hold NaN or inf: nothing is near them")
    most = 2 ** (bits - 1) - 1
    groups = w.detach().unflatten(1, (-1, group))  # (O, I / group, group)
    scales = groups.abs().amax(-1) / most
    safe = torch.where(scales > 0, scales, 1.0)  # a group of zeros
    codes = (groups / safe[..., None]).round().clamp(-most, most)
    codes = codes.flatten(1).to(torch.int8)
    return Quantized(pack(codes) if bits == 4 else codes, scales, bits)


def dequantize(x: Quantized) -> Tensor:
    """Quantized -> (O, I): codes times scales."""
    codes = unpack(x.codes) if x.bits == 4 else x.codes
    groups = codes.unflatten(1, (x.scales.shape[1], -1))
    return (groups * x.scales[..., None]).flatten(1)


def pack(codes: Tensor) -> Tensor:
    """(O, I) int8 from -8 to 7 -> (O, I / 2) uint8: even columns low."""
    low, high = codes[:, ::2], codes[:, 1::2]
    return ((low & 15) | (high << 4)).view(torch.uint8)


def unpack(packed: Tensor) -> Tensor:
    """(O, I / 2) uint8 -> (O, I) int8: the exact inverse of pack."""
    two = packed.view(torch.int8)
    low = (two << 4) >> 4  # shifts of signed bytes bring the sign back
    return torch.stack((low, two >> 4), -1).flatten(1)


class QuantLinear(nn.Module):
    """(..., I) -> (..., O): a linear layer whose weight is Quantized.

    The weight is made anew for each call: this saves memory, and time only
    where a kernel reads the codes themselves. Chapter 11.
    """

    codes: Tensor
    scales: Tensor

    def __init__(
        self, linear: nn.Linear, bits: int = 8, group: int = 64
    ) -> None:
        super().__init__()
        codes, scales, self.bits = quantize(linear.weight, bits, group)
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)
        self.bias = linear.bias

    @property
    def weight(self) -> Tensor:
        """(O, I): what the layer computes with."""
        return dequantize(Quantized(self.codes, self.scales, self.bits))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype), self.bias)


def quantize_model(
    model: nn.Module,
    bits: int = 8,
    group: int = 64,
    where: Callable[[str], bool] = lambda name: True,
) -> nn.Module:
    """Replace each nn.Linear of the model, in place, by a QuantLinear.

    where(name): which of them. Embeddings and norms stay as they are. Copy the
    model first to keep the old one: copy.deepcopy(model). ValueError, and
    nothing replaced, if a layer does not fit the group. Chapter 11.
    """
    new = {
        name: QuantLinear(layer, bits, group)
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Linear) and where(name)
    }
    for name, layer in new.items():
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, layer)
    return model


def model_bytes(model: nn.Module) -> int:
    """Bytes of all weights and codes; tied ones count once."""
    kept = {id(x): x for x in (*model.parameters(), *model.buffers())}
    return sum(x.nbytes for x in kept.values())
