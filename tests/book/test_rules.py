"""Every page keeps the rules, and every rule can be broken."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import breaks_anatomy
import breaks_form
import breaks_text
import pytest
from helpers import code, notebook, printed, text
from planted import (
    CHAPTER,
    EXERCISES,
    ROOT,
    SOLUTIONS,
    chapter,
    exercise,
    says,
    solutions,
)

from llm_utils.notebook import show_source, source_of
from llm_utils.text.merges import PairTable, merge
from scripts import cells, notebooks, rules
from scripts.rules import code as code_rules
from scripts.rules import form, references
from scripts.rules.notebook import as_notebook

BREAKS = breaks_form.BREAKS | breaks_text.BREAKS | breaks_anatomy.BREAKS
PLANTED = [(name, b) for name, makes in BREAKS.items() for b in makes]
SOUND = [(chapter, CHAPTER), (solutions, SOLUTIONS), (exercise, EXERCISES)]
PAGES = [*references.pages(), ROOT / "CONTRIBUTING.md", ROOT / "README.md"]
BY_NAME = {rule.__name__: rule for rule in rules.RULES}


@pytest.mark.parametrize(
    "path", references.notebooks(), ids=lambda p: "-".join(p.parts[-3:])
)
@pytest.mark.parametrize("name", BY_NAME)
def test_the_book_keeps_the_rule(path: Path, name: str) -> None:
    rule = BY_NAME[name]
    assert rule(cells.read(path), path) == [], rule.__doc__


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
@pytest.mark.parametrize("rule", rules.PAGE_RULES, ids=lambda r: r.__name__)
def test_the_pages_keep_the_rule(path: Path, rule) -> None:
    assert rule(as_notebook(path), path) == [], rule.__doc__


@pytest.mark.parametrize(("make", "path"), SOUND, ids=lambda x: "")
@pytest.mark.parametrize("name", BY_NAME)
def test_a_sound_notebook_is_not_blamed(name: str, make, path: Path) -> None:
    assert BY_NAME[name](make(), path) == []


@pytest.mark.parametrize(("name", "broken"), PLANTED)
def test_a_planted_break_is_found(name: str, broken) -> None:
    assert BY_NAME[name](broken.make(), broken.path)


def test_every_rule_has_a_planted_break() -> None:
    assert set(BY_NAME) == set(BREAKS)


def test_every_rule_says_what_it_holds() -> None:
    for rule in rules.RULES:
        assert (rule.__doc__ or "").split("\n\n")[0].strip().endswith(".")


@pytest.mark.parametrize(
    "words",
    [
        "On 16 pages {cite:t}`gage1994bpe` saw 3.5 bytes, or 20%.",
        "It has `3.5` bytes, $3.5$ bytes, and stands in chapter 3.",
        "In 1994 there was version 3, and GPT-2 came 25 years later.",
    ],
)
def test_numbers_that_were_not_measured_here_may_be_typed(words: str) -> None:
    nb = says(words).make()
    assert BY_NAME["numbers_glued"](nb, CHAPTER) == []


def delta_of_today() -> str:
    """What show_delta gives for `mine` of breaks_form.DELTA and merge."""
    mine, new = "def mine(x):\n    return x", source_of(merge, False)
    lines = difflib.unified_diff(
        mine.splitlines(), new.splitlines(), n=2, lineterm=""
    )
    return "\n".join(["```diff", *list(lines)[2:], "```"])


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        (breaks_form.DELTA, delta_of_today()),
        (
            "from llm_utils.text import merges as m\n"
            "show_source(m.merge, m.PairTable.merge, doc=False)",
            show_source(merge, PairTable.merge, doc=False).data,
        ),
    ],
)
def test_source_of_today_is_not_blamed(source: str, stored: str) -> None:
    nb = breaks_form.shows(source, stored).make()
    assert code_rules.source_is_of_today(nb, CHAPTER) == []


# -- what belongs to the book as a whole


def test_every_work_of_the_bibliography_is_cited_and_stands_once() -> None:
    bib = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    book, pages = references.this_book(), references.every_page()
    assert references.uncited(book, pages) == []
    assert references.doubled(bib) == []


def test_a_work_that_nobody_cites_is_found() -> None:
    page = notebook(text("{cite:p}`a,b` and {cite:t}`words <c>`"))
    book = references.Book(frozenset(), ("a", "b", "c", "d"), ())
    assert references.uncited(book, [page]) == ["d"]


def test_a_work_that_stands_twice_is_found() -> None:
    entry = "@book{{{},\n  title = {{{}}},\n  doi = {{{}}}\n}}\n"
    first = entry.format("a", "On {T}ime", "10/1")
    assert references.doubled(first + entry.format("b", "Space", "10/2")) == []
    assert references.doubled(first + entry.format("a", "Space", "10/2"))
    assert references.doubled(first + entry.format("b", "On time", "10/2"))
    assert references.doubled(first + entry.format("b", "Space", "10/1"))


def test_a_label_stands_on_one_page_only() -> None:
    given = [x for page in references.every_page()
             for x in references.labels_of(page)]  # fmt: skip
    assert sorted(given) == sorted(set(given))


def test_every_module_of_a_stage_names_its_chapter() -> None:
    """So that `imports_of_the_chapter` has something to read."""
    folders = [ROOT / "llm_utils" / stage for stage in rules.STAGES]
    files = [f for folder in folders for f in folder.rglob("*.py")]
    lost = [f.name for f in files if code_rules.chapter_of(f) is None]
    assert [name for name in lost if name != "__init__.py"] == []


def test_the_chapter_of_a_module_is_read_from_its_docstring(tmp_path) -> None:
    file = tmp_path / "new.py"
    file.write_text('"""Heads.\n\nDerived in chapter\n3; see chapter 11."""')
    assert code_rules.chapter_of(file) == 3
    assert code_rules.file_of("text.tinyworld.TinyWorld").name == "__init__.py"
    assert code_rules.file_of("text.bpe.ByteBPE").name == "bpe.py"


# -- running again changes nothing


@pytest.mark.parametrize("path", references.notebooks(), ids=lambda p: p.parent)
def test_a_notebook_is_stored_byte_for_byte(path: Path, tmp_path) -> None:
    again = tmp_path / path.name
    cells.write(notebooks.normalize(cells.read(path)), again)
    assert again.read_bytes() == path.read_bytes()


def run_twice(nb, folder: Path, monkeypatch) -> list[bytes]:
    """What `make notebooks` stores of a notebook, run and run again."""
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a figure is an output
    monkeypatch.setattr(notebooks, "ROOT", folder)
    monkeypatch.setattr(notebooks, "STAMPS", folder / "stamps.json")
    path = folder / "chapters" / "week1_text" / "01_x.ipynb"
    cells.write(nb, path)
    (folder / "requirements.lock").write_text("")
    stored = []
    for _ in range(2):
        notebooks.refresh(path, {}, force=True)
        stored.append(path.read_bytes())
    return stored


def test_running_twice_changes_nothing(tmp_path, monkeypatch) -> None:
    draw = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    slider = "from ipywidgets import IntSlider\nIntSlider(3)"
    nb = notebook(
        code("import sys\nprint(1)\nprint(2, file=sys.stderr)", id="print"),
        code(draw, id="draw"),
        code(slider, id="slide"),
    )
    first, second = run_twice(nb, tmp_path, monkeypatch)
    assert first == second
    outputs = [c["outputs"] for c in json.loads(first)["cells"]]
    assert all(outputs), "vacuous: nothing was stored"


def test_an_output_of_chance_is_reported(tmp_path, monkeypatch) -> None:
    chance = "import os\nprint(os.urandom(8).hex())"
    nb = notebook(
        code("print(1)", id="sure"),
        code(chance, id="chance"),
        code(chance, id="said", tags=[form.IGNORED]),
    )
    stored = run_twice(nb, tmp_path, monkeypatch)
    first, second = (cells.nbformat.reads(s.decode(), 4) for s in stored)
    found = notebooks.unstable(first, second)
    assert found == ["chance: its output changes from run to run"]


def test_the_same_outputs_are_stable() -> None:
    one = notebook(code("print(1)", printed("1\n"), id="one"))
    assert notebooks.unstable(one, one) == []
