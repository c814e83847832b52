"""Draw the cover: one line of a story, as bytes and as tokens in the making.

    python -m scripts.cover

The tokenizer is the package's own, trained on TinyWorld; each row shows the
line after more merges than the row above. Writes an SVG for the HTML book and
a PDF for the title page, byte for byte the same on every run.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from llm_utils.text.bpe import ByteBPE
from llm_utils.text.tinyworld import TinyWorld

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "book" / "_static"
LINE = "Once there was a red kite, and Mia ran after it."
MERGES = (0, 8, 24, 60, 110, 180, 300, 600)
# From one byte to a whole word: from paper to ink.
TINTS = ("#eaf1f6", "#c3dbea", "#93bfdb", "#5f9dc6", "#2f7bae")
DEEPEST = "#0b4f7d"


def rows() -> list[list[str]]:
    """The line as a list of token texts, one list for each count of merges."""
    text = TinyWorld("full").corpus(300_000, seed=1)
    merges = ByteBPE.train(text + LINE * 40, 256 + max(MERGES)).merges
    out = []
    for count in MERGES:
        tokenizer = ByteBPE.from_merges(merges[:count])
        out.append([tokenizer.decode([i]) for i in tokenizer.encode(LINE)])
    return out


def color(token: str) -> tuple[str, str]:
    """Fill and ink for a token: the longer, the deeper."""
    size = max(0, len(token.strip()) - 1)
    fill = TINTS[size] if size < len(TINTS) else DEEPEST
    return fill, "#ffffff" if size >= 3 else "#17405e"


def draw_row(ax: Axes, tokens: list[str], top: float) -> None:
    x = 0.0
    for token in tokens:
        fill, ink = color(token)
        gap = 0.08
        box = FancyBboxPatch(
            (x + gap, top - 0.86),
            len(token) - 2 * gap,
            0.86,
            boxstyle="round,pad=0,rounding_size=0.16",
            facecolor=fill,
            edgecolor="none",
        )
        ax.add_patch(box)
        for i, char in enumerate(token):
            ax.text(
                x + i + 0.5, top - 0.45, char, color=ink, fontsize=9.2,
                ha="center", va="center", family="monospace",
            )  # fmt: skip
        x += len(token)


def draw(path: Path, pitch: float) -> None:
    """The cover as a file; `pitch` is the distance of the rows."""
    # Text as outlines needs no font where the file is shown.
    plt.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "cover"})
    plt.rcParams["font.monospace"] = ["JetBrains Mono", "DejaVu Sans Mono"]
    height = pitch * (len(MERGES) - 1) + 1
    fig = plt.figure(figsize=(9.6, 9.6 * height * 1.25 / len(LINE)))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, len(LINE)), ylim=(-height, 0.02))
    ax.axis("off")
    for number, tokens in enumerate(rows()):
        draw_row(ax, tokens, -pitch * number)
    stamp = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None}
    fig.savefig(path, metadata=stamp, transparent=True)
    plt.close(fig)


def main() -> None:
    draw(STATIC / "cover.svg", pitch=1.1)
    draw(ROOT / "book" / "_latex" / "cover.pdf", pitch=1.1)


if __name__ == "__main__":
    main()
