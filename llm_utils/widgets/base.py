"""What all explorers share: their assets, their state, their stored output."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, ClassVar

import anywidget

from . import EXPLORER_MIME

SHARED = ("explorer", "controls")
"""What comes before an explorer's own script and style."""


def asset(name: str) -> str:
    """The text of a file of `llm_utils/assets`, "" where there is none."""
    path = files("llm_utils") / "assets" / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


class Explorer(anywidget.AnyWidget):
    """Base of the explorers. A new one is a subclass and a JavaScript file.

    class AttentionMap(Explorer):
        module, title = "attention_map", "Attention map"
        weights = traitlets.List().tag(sync=True)

    runs `assets/attention_map.js` (after the files of SHARED, and with
    `attention_map.css`, if there is one). All it shows must be in its
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
            cls._esm = "".join(asset(f"{x}.js") for x in SHARED) + code
            names = (*SHARED, cls.module)
            cls._css = "".join(asset(f"{x}.css") for x in names)
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        # A stored notebook names the package, wherever the class lives in it.
        name = f"{__package__}.{type(self).__name__}"
        self.set_trait("_anywidget_id", name)

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
