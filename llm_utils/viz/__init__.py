"""The book's figures: arrays and tokens in, matplotlib figures out.

One visual language from the first chapter to the last: what a color, a strip
or a grid means is decided here, and nowhere else. Every function returns the
Axes it drew on, so that a chapter can go on from there; call `plt.show()`
after it. Captions and alt texts belong to the chapter.
"""

from .charts import bars, label_line
from .strips import (
    GAP,
    ROW,
    box,
    merge_tree,
    text_grid,
    token_strip,
    token_width,
    visible,
)
from .style import (
    COLORS,
    DASHES,
    FULL,
    INK,
    MARK,
    MUTED,
    NARROW,
    PAPER,
    RULE,
    SOFT,
    axes,
    canvas,
    line,
    use_style,
)

__all__ = [
    "COLORS",
    "DASHES",
    "FULL",
    "GAP",
    "INK",
    "MARK",
    "MUTED",
    "NARROW",
    "PAPER",
    "ROW",
    "RULE",
    "SOFT",
    "axes",
    "bars",
    "box",
    "canvas",
    "label_line",
    "line",
    "merge_tree",
    "text_grid",
    "token_strip",
    "token_width",
    "use_style",
    "visible",
]
