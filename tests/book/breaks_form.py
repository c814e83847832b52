"""Breaks of the rules of form, of code and of the launch cells."""

from __future__ import annotations

from helpers import code, output, printed, shown, text
from planted import (
    Planted,
    cell_of,
    drop,
    extra,
    in_exercises,
    in_solutions,
    put,
    source_of,
    swap,
)

from scripts import launch

ERROR = output("error", ename="E", evalue="", traceback=[])
WARNING = output("stream", name="stderr", text="UserWarning: look")
OTHER = "[run](https://{}/blob/main/a.ipynb)"


def shows(source: str, stored: str) -> Planted:
    """A chapter with one more cell that shows source."""
    markdown = shown("text/markdown", stored)
    return extra(code(source, markdown, id="shows", count=99))


OTHER_SOURCE = source_of("count_pairs")
MERGE = "from llm_utils.text import merges\nshow_source(merges.merge)"
DELTA = """\
from llm_utils.text.merges import merge


def mine(x):
    return x


show_delta(mine, merge)"""


def pieces(nb) -> None:
    cell_of(nb, "start").outputs = [printed("12"), printed("34\n")]


def times(nb) -> None:
    cell_of(nb, "start").metadata["execution"] = {"iopub": "2026-01-01"}


def version(nb) -> None:
    nb.metadata["language_info"] = {"name": "python", "version": "3.11.7"}


BREAKS = {
    "unique_ids": [
        put("start", id="same"),
        put("start", id="0123456789abcdef"),
    ],
    "all_run": [
        put("start", execution_count=None),
        put("start", execution_count=77),
        put("start", outputs=[ERROR]),
        put("start", outputs=[WARNING]),
        put("start", outputs=[printed("a\x04b\n")]),
        extra(code("", count=None, id="empty")),
    ],
    "not_run": [
        in_exercises(put("answer-1", outputs=[printed("1\n")])),
        in_exercises(put("answer-1", execution_count=3)),
    ],
    "cells_fit": [
        put("start", source="1\n" * 41),
        put("start", source="x" * 81),
    ],
    "few_ignored": [
        extra(*(code("1", id=f"i{n}", tags=["nbval-ignore-output"])
                for n in range(9)))
    ],
    "skips_agree": [put("start", metadata={"tags": ["nbval-skip"]})],
    "clean_code": [
        put("start", source="eval('1')"),
        put("start", source="try:\n    1\nexcept:\n    2"),
        put("start", source="def f():\n    global x"),
        put("start", source="def f("),
    ],
    "footnotes_match": [
        swap("hand", "aloud.[^a]", "aloud.[^b]"),
        swap("hand", "aloud.[^a]", "aloud."),
    ],
    "folds_close": [
        swap("ending", "</details>", ""),
        swap("ending", "<summary>Answer</summary>", ""),
        swap("ending", "</summary>\n\n", "</summary>\n"),
    ],
    "in_normal_form": [Planted(pieces), Planted(times), Planted(version)],
    "imports_of_the_week": [
        put("start", source="from llm_utils.model.gpt import GPT"),
        put("start", source="import llm_utils.align.dpo"),
        put("start", source="from llm_utils import train"),
        in_solutions(put("imports", source="import llm_utils.infer")),
        in_exercises(put("imports", source="import llm_utils.infer.cache")),
    ],
    "imports_of_the_chapter": [
        put("start", source="from llm_utils.text.tinyworld.world import x"),
        put("start", source="import llm_utils.text.tinyworld.judge"),
        in_solutions(
            put("imports", source="from llm_utils.text.tinyworld import judge")
        ),
    ],
    "checks_of_its_own": [
        in_solutions(put("imports", source="import llm_utils.checks.other")),
        in_exercises(
            put("imports", source="from llm_utils.checks import other as check")
        ),
    ],
    "source_is_of_today": [
        put("source", outputs=[]),
        put("source", outputs=[shown("text/markdown", OTHER_SOURCE)]),
        swap("source", "show_source(merge)", "show_source(merge, doc=False)"),
        shows(MERGE, source_of("merge").replace("pair", "par", 1)),
        shows(DELTA, "```diff\n-def mine(x):\n+def murge(\n```"),
        shows(DELTA, "```diff\n-def mine(y):\n+def merge(\n```"),
        shows(DELTA, "```diff\n```"),
    ],
    "launch_cells": [
        drop("badge"),
        drop("bootstrap"),
        swap("badge", "01_tokenization", "02_other"),
        swap("badge", "github/", "github/you/"),
        swap("bootstrap", f"@{launch.release()}", "@old"),
        put("badge", metadata={}),
        Planted(lambda nb: nb.cells.append(nb.cells.pop(2))),
        in_solutions(swap("badge", "solutions", "chapters")),
        in_exercises(swap("badge", "exercises", "solutions")),
    ],
    "own_address": [
        extra(text(OTHER.format(f"{host}other/book"), id="other"))
        for host in ("colab.research.google.com/github/", "github.com/",
                     "mybinder.org/v2/gh/", "raw.githubusercontent.com/")
    ],
}  # fmt: skip
