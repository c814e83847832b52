"""Every notebook keeps the rules, and every rule can be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import PNG, code, notebook, output, printed, shown, text

from scripts import cells, rules
from scripts.notebooks import all_notebooks

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = Path("chapters/week1_text/01_x.ipynb")
EXERCISE = Path("exercises/week1_text/01_x.ipynb")
EVERY = [*all_notebooks(), *sorted((ROOT / "exercises").rglob("*.ipynb"))]
BADGE = "colab.research.google.com/github/{}/blob/main/a.ipynb"
FIGURE = {
    "mystnb": {
        "image": {"alt": "A curve falls towards a dashed line, then rests."},
        "figure": {"name": "fig-01", "caption": "The loss stops at the floor."},
    }
}


def glued(name: str, id: str):
    return code("glue()", shown("x", "1", scrapbook={"name": name}), id=id)


def sound():
    """A notebook that keeps every rule."""
    return notebook(
        text("# Tokens\n\n{glue:text}`n` words[^a].\n\n[^a]: Few.", id="intro"),
        text(
            "<details><summary>Hint</summary>\n\nCount.\n\n</details>", id="h"
        ),
        code("from llm_utils.text.bpe import ByteBPE", id="imports", count=1),
        code("plot()", shown(PNG, "AA=="), id="plot", count=2, **FIGURE),
        code("%timeit x\nprint(1)", printed("1\n"), id="print", count=3),
        code(
            "glue()", shown("x", "1", scrapbook={"name": "n"}), id="n", count=4
        ),
    )


def change(where: str, **new):
    """A break: the sound notebook with one cell changed."""

    def planted():
        nb = sound()
        cell = next(c for c in nb.cells if c.id == where)
        for name, value in new.items():
            setattr(cell, name, value)
        return nb

    return planted


def add(*made):
    def planted():
        nb = sound()
        nb.cells += made
        return nb

    return planted


ERROR = output("error", ename="E", evalue="", traceback=[])
BREAKS = {
    "unique_ids": [
        change("imports", id="plot"),
        change("imports", id="0123456789abcdef"),
    ],
    "all_run": [
        change("print", execution_count=None),
        change("print", execution_count=7),
        change("print", outputs=[ERROR]),
        add(code("", count=None, id="empty")),
    ],
    "figures_speak": [
        change("plot", metadata={}),
        change("plot", metadata={"mystnb": FIGURE["mystnb"] | {"figure": {}}}),
        change(
            "plot",
            metadata={"mystnb": FIGURE["mystnb"] | {"image": {"alt": "a.png"}}},
        ),
    ],
    "cells_fit": [
        change("print", source="1\n" * 41),
        change("print", source="x" * 81),
    ],
    "few_ignored": [
        change("print", metadata={"tags": ["nbval-ignore-output"]})
    ],
    "skips_agree": [change("print", metadata={"tags": ["nbval-skip"]})],
    "clean_code": [
        change("print", source="eval('1')"),
        change("print", source="try:\n    1\nexcept:\n    2"),
        change("print", source="def f():\n    global x"),
        change("print", source="def f("),
    ],
    "imports_of_the_week": [
        change("imports", source="from llm_utils.model.gpt import GPT"),
        change("imports", source="import llm_utils.align.dpo"),
        change("imports", source="from llm_utils import train"),
    ],
    "glued_once": [
        change("intro", source="{glue:text}`m`"),
        change("intro", source="no number"),
        add(glued("n", "again")),
    ],
    "footnotes_match": [
        change("intro", source="{glue:text}`n`[^b]"),
        change("intro", source="{glue:text}`n`\n\n[^b]: Note."),
    ],
    "folds_close": [
        change("h", source="<details><summary>A</summary>\n\nB"),
        change("h", source="<details>\n\nB</details>"),
        change("h", source="<details><summary>A</summary>\nB</details>"),
    ],
    "own_address": [change("h", source=BADGE.format("other/book"))],
}
PLANTED = [(rule, make) for rule, makes in BREAKS.items() for make in makes]


@pytest.mark.parametrize("path", EVERY, ids=lambda p: "-".join(p.parts[-3:]))
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda r: r.__name__)
def test_the_book_keeps_the_rule(path: Path, rule) -> None:
    assert rule(cells.read(path), path) == [], rule.__doc__


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda r: r.__name__)
def test_a_sound_notebook_is_not_blamed(rule) -> None:
    path = EXERCISE if rule is rules.own_address else CHAPTER
    assert rule(sound(), path) == []


@pytest.mark.parametrize(("name", "make"), PLANTED)
def test_a_planted_break_is_found(name: str, make) -> None:
    assert getattr(rules, name)(make(), CHAPTER)


def test_an_exercise_with_outputs_is_found() -> None:
    assert rules.not_run(sound(), EXERCISE)


def test_every_rule_has_a_planted_break() -> None:
    names = {rule.__name__ for rule in rules.RULES}
    assert names == set(BREAKS) | {"not_run"}
