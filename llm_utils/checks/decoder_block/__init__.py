"""Checks of chapter 5's exercises: `check.block(block)` and eleven more.

Each name here is an `Exercise`; call it with your function (or your answer).
"""

from llm_utils.checks.decoder_block.capacity import within_capacity
from llm_utils.checks.decoder_block.feed_forward import matched_width, swiglu
from llm_utils.checks.decoder_block.load import balance
from llm_utils.checks.decoder_block.noise import dropout
from llm_utils.checks.decoder_block.norms import layer_norm
from llm_utils.checks.decoder_block.rms import rms_norm
from llm_utils.checks.decoder_block.routing import expert_weights
from llm_utils.checks.decoder_block.stream import (
    explanation,
    relative_change,
    stream_sizes,
)
from llm_utils.checks.decoder_block.wiring import block

__all__ = [
    "balance",
    "block",
    "dropout",
    "expert_weights",
    "explanation",
    "layer_norm",
    "matched_width",
    "relative_change",
    "rms_norm",
    "stream_sizes",
    "swiglu",
    "within_capacity",
]
