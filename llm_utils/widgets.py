"""Explorers: things to play with, in a notebook and in the printed-out page.

An explorer is one JavaScript file and one small class. In Jupyter it is a
widget; its stored output also holds the data that lets the book's HTML run the
same JavaScript without a kernel. The PDF has a still figure beside it.
Chapter 1 brings the first one, `bpe_stepper`.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

if TYPE_CHECKING:
    from .text.bpe import ByteBPE

EXPLORER_MIME = "application/vnd.llm-utils.explorer+json"
"""The output that book/_ext/static_widgets.py turns into a live page."""

MAX_MERGES = 20_000
"""More than this is too much for one page (about 10 bytes a merge)."""


def asset(name: str) -> str:
    """The text of a file of `llm_utils/assets`, "" where there is none."""
    path = files("llm_utils") / "assets" / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


class Explorer(anywidget.AnyWidget):
    """Base of the explorers. A new one is a subclass and a JavaScript file.

    class AttentionMap(Explorer):
        module, title = "attention_map", "Attention map"
        weights = traitlets.List().tag(sync=True)

    runs `assets/attention_map.js` (after `explorer.js`, which all share, and
    with `attention_map.css`, if there is one). All it shows must be in its
    synced traits, as plain JSON: they are what a page without a kernel gets.
    Long lists of numbers are best one string, a single line of the notebook.
    """

    module: ClassVar[str]
    title: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "module" in vars(cls):  # traitlets makes nameless subclasses
            code = asset(f"{cls.module}.js")
            if not code:
                raise ValueError(f"no llm_utils/assets/{cls.module}.js")
            cls._esm = asset("explorer.js") + code
            cls._css = asset("explorer.css") + asset(f"{cls.module}.css")
        super().__init_subclass__(**kwargs)

    def state(self) -> dict[str, Any]:
        """The synced traits of the subclass: what its JavaScript reads."""
        own = set(self.trait_names(sync=True))
        own -= set(Explorer.class_trait_names(sync=True))
        return {k: getattr(self, k) for k in sorted(own) if k[0] != "_"}

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, the data for a page without a kernel, and one line."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        line = f"{self.title}: run this cell to play, or open the HTML edition."
        explorer = {
            "module": self.module,
            "title": self.title,
            "state": self.state(),
        }
        data |= {"text/plain": line, EXPLORER_MIME: explorer}
        return data, metadata


class BPEStepper(Explorer):
    """The widget that `bpe_stepper` returns; `text` and `step` can be set."""

    module, title = "bpe_stepper", "BPE stepper"
    text = traitlets.Unicode("").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    merges = traitlets.Unicode("").tag(sync=True)  # "left right left right"
    byte_order = traitlets.Unicode("").tag(sync=True)  # hex; "": identity


def bpe_stepper(
    tokenizer: ByteBPE, text: str = "", step: int = 0
) -> BPEStepper:
    """Play with a tokenizer: type a text, step through its merges.

    text: what to begin with; the first 300 bytes of it are shown. step: how
    many merges are already applied (0: single bytes; a large number: all).
    The steps are those of `tokenizer.trace(text)`; special tokens are text.
    ValueError for a pattern other than GPT-2's, or over 20,000 merges.
    """
    from .text.bpe import GPT2_PATTERN

    if tokenizer.pattern != GPT2_PATTERN:
        raise ValueError(
            f"the stepper cuts text as GPT-2 does, not by "
            f"{tokenizer.pattern!r}: train with pattern=GPT2_PATTERN"
        )
    if len(tokenizer.merges) > MAX_MERGES:
        raise ValueError(
            f"{len(tokenizer.merges)} merges are too many for a page: show "
            f"ByteBPE.from_merges(merges[:{MAX_MERGES}])"
        )
    if step < 0:
        raise ValueError(f"step={step}: count merges from 0 (single bytes)")
    order = tokenizer.byte_order
    ids = {order[i : i + 1]: i for i in range(256)}
    pairs: list[int] = []
    for rank, (a, b) in enumerate(tokenizer.merges):
        pairs += ids[a], ids[b]
        ids[a + b] = 256 + rank
    return BPEStepper(
        text=text,
        step=step,
        merges=" ".join(map(str, pairs)),
        byte_order="" if order == bytes(range(256)) else order.hex(),
    )
