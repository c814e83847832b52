"""A chapter and its solutions that keep every rule, and ways to break them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import PNG, code, notebook, printed, shown, text
from nbformat import NotebookNode

from scripts import exercises, launch, links
from scripts.notebooks import normalize
from scripts.rules import code as code_rules
from scripts.rules.figures import EXPLORER

ROOT = Path(__file__).resolve().parents[2]
NAME = "week1_text/01_tokenization.ipynb"  # so that links lead somewhere
CHAPTER = ROOT / "chapters" / NAME
SOLUTIONS = ROOT / "solutions" / NAME
EXERCISES = ROOT / "exercises" / NAME
FIGURES = 10
FILLER = " ".join(["Words follow words until the page is full."] * 570)
GLUED = "application/papermill.record/text/plain"


def figure(number: int) -> dict[str, Any]:
    return {
        "mystnb": {
            "image": {"alt": f"Curve {number} falls to a line and rests."},
            "figure": {
                "name": f"fig-{number}",
                "caption": f"The loss of run {number} stops at $\\log V$.",
            },
        }
    }


def glued(name: str, value: str, id: str) -> NotebookNode:
    out = shown(GLUED, f"'{value}'", scrapbook={"name": name})
    return code(f'glue("{name}", x)', out, id=id)


def source_of(name: str) -> str:
    """What show_source gives for a name of llm_utils.text.merges."""
    from llm_utils.notebook import show_source
    from llm_utils.text import merges

    return str(show_source(getattr(merges, name)).data)


OPENING = """\
Words fail on a new word. At the end of this chapter you will have a
{term}`tokenizer` that does not. It takes {glue:text}`cost` to run."""
BY_HAND = """\
## Pairs by hand

Of 12 letters 3.5 pairs are common, so $12 - 3 = 9$ stay:

$$
a + b = c
$$ (eq-sum)

Read {eq}`eq-sum` aloud.[^a] See {cite:t}`gage1994bpe`.

[^a]: Twice."""
PACKAGE = """\
## The package's version

| by hand | package | why |
|---|---|---|
| slow | quick | less work |

Planted: one bug."""
BUGS = "\n".join(
    ["## Common bugs", *["", "### {}", "", "**Symptom.** It ends.", "",
     "**Cause.** It forgets.", "", "**Check.** Count."]]
)  # fmt: skip
FOLDED = "<details>\n<summary>Answer</summary>\n\n{}\n\n</details>"
ANSWER = (
    "Yes, because every step adds one entry to the table and takes none away."
)
WHY = FOLDED.format(ANSWER)
ENDING = "\n\n".join(
    ["## Summary", "Count, join, repeat.", "## Check your understanding"]
    + [f"**{n}.** Is it so?\n\n{WHY}" for n in range(1, 7)]
    + ["## Exercises", f"[Do](../../exercises/{NAME})."]
    + [f"[See](../../solutions/{NAME})."]
    + ["## Further reading"]
    + ["\n".join(["- {cite:t}`gage1994bpe`: where it all began."] * 8)]
)  # fmt: skip


def chapter() -> NotebookNode:
    """A chapter that keeps every rule."""
    numrefs = ", ".join(f"{{numref}}`fig-{n}`" for n in range(FIGURES))
    made = [
        text("# Tokens", id="title"),
        text("", id="badge"),
        code("", id="bootstrap"),
        text(OPENING, id="opening"),
        code("print(1234)", printed("1234\n"), id="start"),
        text(BY_HAND, id="hand"),
        text(f"## More\n\n{FILLER} See {numrefs}.", id="more"),
        *(code("plot()", shown(PNG, "AA=="), id=f"plot-{n}", **figure(n))
          for n in range(FIGURES)),
        text(PACKAGE, id="package"),
        code("from llm_utils.text.merges import merge\n\nshow_source(merge)",
             shown("text/markdown", source_of("merge")), id="source"),
        code("assert_same(f, g, x)", id="same"),
        text("## Against the world", id="world"),
        code("assert ours == theirs", id="theirs"),
        text("## Experiment: how many?", id="experiment"),
        code("assert few < many\nplot()", shown(PNG, "AA=="), id="plot-many",
             **figure(FIGURES)),
        text("{numref}`fig-10` shows it.\n\n## Play", id="play"),
        code("explore()", shown(EXPLORER, "{}"), id="explorer"),
        code("plot()", shown(PNG, "AA=="), id="plot-still", **figure(11)),
        text("See {numref}`fig-11`.\n\n" + BUGS.format("One"), id="bugs"),
        code("print(2)", printed("2\n"), id="bug-one"),
        text(BUGS.format("Two").removeprefix("## Common bugs\n"), id="bug"),
        code("%timeit x\nprint(3)", printed("3\n"), id="bug-two"),
        *(code(f"x = {n}", id=f"step-{n}") for n in range(18)),
        glued("cost", "9 seconds", id="cost"),
        text(ENDING, id="ending"),
    ]  # fmt: skip
    return finished(made, CHAPTER)


def finished(made: list[NotebookNode], path: Path) -> NotebookNode:
    """A notebook of these cells, with its launch cells, run from the top."""
    nb = notebook(*made)
    launch.write(nb, path, links.address(), launch.release())
    for count, cell in enumerate(code_rules.code_cells(nb), start=1):
        cell.execution_count = count
    return normalize(nb)


HINTS = "\n\n".join(
    f"<details><summary>{title}</summary>\n\nCount.\n\n</details>"
    for title in ("Hint 1: a nudge", "Hint 2: the idea",
                  "Hint 3: nearly the answer")
)  # fmt: skip
LABELS = [
    "Implement. Warm-up, about 5 minutes", "Implement. About 10 minutes",
    "Predict, then run. About 5 minutes, with paper",
    "Find the bug. About 9 minutes", "Measure and explain. About 20 minutes",
    "Implement. About 15 minutes", "Implement. Stretch, about 30 minutes",
]  # fmt: skip


def solutions() -> NotebookNode:
    """Solutions that keep every rule."""
    made = [
        text(f"# Solutions: tokens\n\n[Read](../../chapters/{NAME}).\n\n"
             f"[Back](../../exercises/{NAME}), [on](../../solutions/{NAME}).",
             id="title"),
        code("from llm_utils.checks import tokenization as check",
             id="imports"),
    ]  # fmt: skip
    for n, label in enumerate(LABELS, start=1):
        task = f"## Exercise {n}: count\n\n*{label}.*\n\nCount."
        answer = "def f():\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION"
        made += [
            text(task, id=f"task-{n}"),
            text(HINTS, id=f"hints-{n}"),
            code(answer, id=f"answer-{n}"),
            code("check.f(f)", id=f"check-{n}"),
            text("**Why it is so.** It is.", id=f"why-{n}"),
        ]
        made[-1].metadata["tags"] = ["solution-only"]
    return finished(made, SOLUTIONS)


def exercise() -> NotebookNode:
    """The exercises of these solutions."""
    nb = solutions()
    nb.cells = [exercises.strip_cell(c, "x") for c in nb.cells
                if c.metadata.get("tags") != ["solution-only"]]  # fmt: skip
    return nb


@dataclass(frozen=True)
class Planted:
    """A sound notebook with one thing broken."""

    edit: Callable[[NotebookNode], None]
    base: Callable[[], NotebookNode] = chapter
    path: Path = CHAPTER

    def make(self) -> NotebookNode:
        nb = self.base()
        self.edit(nb)
        return nb


def cell_of(nb: NotebookNode, where: str) -> NotebookNode:
    return next(cell for cell in nb.cells if cell.id == where)


def put(where: str, **new: Any) -> Planted:
    """One cell with other fields."""

    def edit(nb: NotebookNode) -> None:
        for name, value in new.items():
            setattr(cell_of(nb, where), name, value)

    return Planted(edit)


def swap(where: str, old: str, new: str) -> Planted:
    """One cell with a part of its source replaced, once."""

    def edit(nb: NotebookNode) -> None:
        cell = cell_of(nb, where)
        assert old in cell.source, f"{old!r} is not in {where}"
        cell.source = cell.source.replace(old, new, 1)

    return Planted(edit)


def says(words: str) -> Planted:
    """One more sentence, in the middle of the chapter."""
    return swap("more", " See ", f" {words} See ")


def extra(*cells: NotebookNode) -> Planted:
    return Planted(lambda nb: nb.cells.extend(cells))


def drop(*where: str) -> Planted:
    """A notebook that lacks some cells."""

    def edit(nb: NotebookNode) -> None:
        nb.cells = [cell for cell in nb.cells if cell.id not in where]

    return Planted(edit)


def in_solutions(broken: Planted) -> Planted:
    return Planted(broken.edit, solutions, SOLUTIONS)


def in_exercises(broken: Planted) -> Planted:
    return Planted(broken.edit, exercise, EXERCISES)
