"""The book's figures: arrays and tokens in, matplotlib figures out.

One visual language from the first chapter to the last: what a color, a strip
or a grid means is decided here, and nowhere else. Every function returns the
Axes it drew on (of several panels, a list), so that a chapter can go on from
there; call `plt.show()` after it. Captions and alt texts belong to the chapter.
"""

from .charts import bars, dots, histogram, label_line
from .curves import label_ends, loss_curve
from .grids import Grid, tensor_grid, tensor_product
from .maps import attention_map, heat, mask_grid
from .parts import Branch, Part, Repeat
from .plane import vectors_2d
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
    HATCHES,
    INK,
    MARK,
    MUTED,
    NARROW,
    PAPER,
    RULE,
    SERIES,
    SIGNED,
    SOFT,
    WEIGHTS,
    axes,
    canvas,
    ink,
    line,
    panels,
    tint,
    use_style,
)
from .wiring import wiring

__all__ = [
    "COLORS",
    "DASHES",
    "FULL",
    "GAP",
    "HATCHES",
    "INK",
    "MARK",
    "MUTED",
    "NARROW",
    "PAPER",
    "ROW",
    "RULE",
    "SERIES",
    "SIGNED",
    "SOFT",
    "WEIGHTS",
    "Branch",
    "Grid",
    "Part",
    "Repeat",
    "attention_map",
    "axes",
    "bars",
    "box",
    "canvas",
    "dots",
    "heat",
    "histogram",
    "ink",
    "label_ends",
    "label_line",
    "line",
    "loss_curve",
    "mask_grid",
    "merge_tree",
    "panels",
    "tensor_grid",
    "tensor_product",
    "text_grid",
    "tint",
    "token_strip",
    "token_width",
    "use_style",
    "vectors_2d",
    "visible",
    "wiring",
]
