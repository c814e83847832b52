"""Explorers: things to play with, in a notebook and in the printed-out page.

An explorer is one JavaScript file and one small class. In Jupyter it is a
widget; its stored output also holds the data that lets the book's HTML run the
same JavaScript without a kernel. The PDF has a still figure beside it.

To add one, say `attention_explorer`:
1. `llm_utils/widgets/attention.py`: a subclass of `Explorer` whose synced
   traits are plain JSON, and a function `attention_explorer(...)` that checks
   what it is given and returns one.
2. `llm_utils/assets/attention_explorer.js`, and `.css` if it needs any: no
   import, one `export default { render({ model, el }) {...} }`. All explorers
   share the helpers of `assets/explorer.js`; `bpe_stepper.js` is the example.
3. A line in HOMES below. A file here is read only when its name is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attention import attention_explorer
    from .banding import banding_explorer
    from .base import Explorer
    from .batching import batching_explorer
    from .bpe import bpe_stepper
    from .budget import budget_explorer
    from .decode_cost import decode_cost_explorer
    from .grouping import group_explorer
    from .ladder import ladder_explorer
    from .lora import lora_explorer
    from .next_token import next_token_explorer
    from .positions import positions_explorer
    from .run_cost import run_cost_explorer
    from .sampling import sampling_explorer
    from .signal import signal_explorer
    from .tilting import tilting_explorer
    from .valley import valley_explorer
    from .verdict import verdict_explorer

__all__ = [
    "EXPLORER_MIME",
    "Explorer",
    "attention_explorer",
    "banding_explorer",
    "batching_explorer",
    "bpe_stepper",
    "budget_explorer",
    "decode_cost_explorer",
    "group_explorer",
    "ladder_explorer",
    "lora_explorer",
    "next_token_explorer",
    "positions_explorer",
    "run_cost_explorer",
    "sampling_explorer",
    "signal_explorer",
    "tilting_explorer",
    "valley_explorer",
    "verdict_explorer",
]

EXPLORER_MIME = "application/vnd.llm-utils.explorer+json"
"""The output that book/_ext/static_widgets.py turns into a live page."""

HOMES = {
    "Explorer": "base",
    "attention_explorer": "attention",
    "banding_explorer": "banding",
    "batching_explorer": "batching",
    "bpe_stepper": "bpe",
    "budget_explorer": "budget",
    "decode_cost_explorer": "decode_cost",
    "group_explorer": "grouping",
    "ladder_explorer": "ladder",
    "lora_explorer": "lora",
    "next_token_explorer": "next_token",
    "positions_explorer": "positions",
    "run_cost_explorer": "run_cost",
    "sampling_explorer": "sampling",
    "signal_explorer": "signal",
    "tilting_explorer": "tilting",
    "valley_explorer": "valley",
    "verdict_explorer": "verdict",
}
"""In which file of this package each name lives."""


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{HOMES[name]}", __name__), name)
