"""Breaks of the rules of text: figures, numbers, references, formulas."""

from __future__ import annotations

from helpers import text
from planted import (
    Planted,
    cell_of,
    drop,
    extra,
    figure,
    glued,
    put,
    says,
    swap,
)


def mystnb(**new: object) -> Planted:
    """The first figure with other metadata."""
    return put("plot-0", metadata={"mystnb": figure(0)["mystnb"] | new})


def alt(words: str) -> Planted:
    return mystnb(image={"alt": words})


def caption(words: str) -> Planted:
    return mystnb(figure={"name": "fig-0", "caption": words})


def given(number: str, why: str, **also: str) -> Planted:
    """A number in the text that the cell's metadata call given."""

    def edit(nb) -> None:
        cell = cell_of(nb, "more")
        cell.source += f" It has {number} bytes."
        cell.metadata["given"] = {number: why, **also}

    return Planted(edit)


SPEAKS = "![Two boxes stand beside one arrow.]({})"
SILENT = '<img src="setup.md" alt="boxes">\n\n'

BREAKS = {
    "figures_speak": [
        put("plot-0", metadata={}),
        mystnb(figure={}),
        alt("a.png"),
        alt("a curve falls to a line and rests."),
        alt("A curve falls to a line and rests"),
        alt("A curve falls."),
        alt(figure(0)["mystnb"]["figure"]["caption"]),
        caption("The loss"),
        caption("The loss stops at the floor of entropy"),
    ],
    "images_speak": [
        says("![](../../book/_static/page.png)"),
        says("![page](../../book/_static/page.png)"),
        extra(text(SILENT, id="image")),
        extra(text("```{image} a.png\n:alt: page\n```", id="image")),
        extra(text("```{figure} a.png\n\nIt shows.\n```", id="image")),
    ],
    "images_are_local": [
        says(SPEAKS.format("https://example.org/a.png")),
        extra(text('<img src="//example.org/a.png" alt="x">\n', id="image")),
    ],
    "figures_referred": [
        swap("more", "{numref}`fig-0`", "the figure"),
        swap("play", "{numref}`fig-10`", "`fig-10`"),
    ],
    "play_has_a_still": [drop("plot-still")],
    "glued_once": [
        swap("opening", "{glue:text}`cost`", "{glue:text}`price`"),
        swap("opening", "{glue:text}`cost`", "little"),
        extra(glued("cost", "1", "again")),
    ],
    "numbers_glued": [
        says("It is 3.5 here."),
        says("We saw 3.5. Others {cite:t}`gage1994bpe` did not."),
        says("Others {cite:t}`gage1994bpe` did. But: It was 3.5."),
        says("It takes 20% more."),
        says("It takes 20 percent more."),
        says("It is 4 times as fast."),
        says("There are 12 long tokens."),
        says("We saw 1,234 of them."),  # a cell prints 1234
        swap("hand", "[^a]: Twice.", "## Next\n\nIt is 3.5."),
        caption("After 9 seconds the loss stops at its floor."),
        given("256", "obvious"),
        given("256", "the values of a byte", **{"257": "not in the text"}),
    ],
    "references_resolve": [
        says("See {ref}`nowhere`."),
        says("See {eq}`eq-nowhere`."),
        says("See {numref}`Figure %s <fig-nowhere>`."),
        caption("See {ref}`nowhere`, it says much more."),
        extra(text("```{note}\nSee {ref}`nowhere`.\n```", id="note")),
    ],
    "citations_resolve": [
        says("{cite:p}`gage1994bpe,nobody2020`"),
        says("{cite:t}`nobody2020`"),
    ],
    "terms_resolve": [
        says("{term}`flux capacitor`"),
        says("{term}`tokens <flux>`"),
    ],
    "links_lead_somewhere": [
        says("[there](../nowhere.md)"),
        says("[chapter 99](#ch-that-nobody-wrote)"),
        swap("ending", "../../exercises/", "../exercises/"),
    ],
    "formulas_referred": [
        swap("hand", "{eq}`eq-sum`", "it"),
    ],
    "terms_introduced": [
        swap("opening", "{term}`tokenizer`", "tokenizer"),
        says("Two byte-pair encodings differ."),
        says("WordPiece is older."),
        says("Every token counts. A {term}`token` does."),
    ],
    "formulas_compile": [
        says("So $\\frac{1}$ it is."),
        says("So $\\undefinedmacro$ it is."),
        swap("hand", "a + b = c", "a + \\left( b = c"),
        extra(text("\\begin{align}\na &= b \\\\\n\\end{aligned}", id="align")),
        extra(text("```{math}\n\\sqrt{\n```", id="math")),
        says("So $\\frac{1}{2} it is."),
        says("So $x it is."),
        caption("The loss stops at $\\mathbf{V$ after all."),
    ],
}
