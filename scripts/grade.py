"""Grade the notebooks that a class hands in.

    python -m scripts.grade exercises/week1_text/01_tokenization.ipynb \
        handed_in/*.ipynb --csv grades.csv

Everything but the answers is taken from the exercise notebook, so an edited
task or check changes nothing. Each notebook then runs from top to bottom in
an empty folder, errors and all, and each exercise is what its check says:
right, not yet, not started; or error, where the cell stopped. Written answers
are copied into a text file beside the table (grades.txt), since no check
reads those.

The answers are programs of other people: run this where they can do no harm,
in a container for instance.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode, ValidationError
from nbformat.reader import NotJSONError

from llm_utils.checks.result import UNSTARTED
from scripts import cells
from scripts.exercises import TEXT_STUB

ANSWER, CHECK = "-solution", "-check"
VERDICTS = {"Right.": "right", "Not yet.": "not yet", UNSTARTED: "not started"}


@dataclass
class Grades:
    """What one notebook earned, exercise by exercise."""

    name: str
    marks: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def right(self) -> int:
        return sum(mark == "right" for mark in self.marks.values())


def with_answers(official: NotebookNode, handed: NotebookNode) -> NotebookNode:
    """The exercise notebook with the reader's answers and added cells.

    Added cells stay behind the cell of ours that they followed.
    """
    theirs: dict[str, str] = {}
    added: dict[str, list[NotebookNode]] = {}
    ours = {cell.id for cell in official.cells}
    last = ""
    for cell in handed.cells:
        if cell.get("id") in ours:
            last = cell.id
            theirs[last] = cell.source
        else:
            added.setdefault(last, []).append(cell)
    merged = list(added.get("", []))
    for cell in official.cells:
        if is_answer(cell) and cell.id in theirs:
            cell.source = theirs[cell.id]
        merged += [cell, *added.get(cell.id, [])]
    official.cells = merged
    return official


def is_answer(cell: NotebookNode) -> bool:
    """A cell that the reader fills in: code to complete, or text to write."""
    return cell.id.endswith(ANSWER) or TEXT_STUB[0] in cell.source


def run(notebook: NotebookNode, timeout: int) -> None:
    """Run all cells in an empty folder; errors stay in the outputs."""
    with TemporaryDirectory(prefix="grade-") as folder:
        NotebookClient(
            notebook,
            timeout=timeout,
            interrupt_on_timeout=True,
            allow_errors=True,
            resources={"metadata": {"path": folder}},
        ).execute()


def mark(cell: NotebookNode) -> str:
    """right, not yet, not started or error: what a check's output says."""
    for output in reversed(cell.get("outputs", [])):
        if output.output_type == "error":
            return "error"
        text = output.get("data", {}).get("text/plain", "")
        for start, verdict in VERDICTS.items():
            if text.startswith(start):
                return verdict
    return "error"


def grade(exercise: Path, handed: Path, timeout: int = 300) -> Grades:
    """Run one handed-in notebook. A file that is none is said, not raised."""
    grades = Grades(str(handed))
    official = cells.read(exercise)
    texts = {c.id for c in official.cells if TEXT_STUB[0] in c.source}
    checks = [c.id for c in official.cells if c.id.endswith(CHECK)]
    try:
        notebook = with_answers(official, cells.read(handed))
        run(notebook, timeout)
    except (OSError, ValueError, NotJSONError, ValidationError) as error:
        grades.trouble = f"{type(error).__name__}: {str(error)[:200]}"
    except DeadKernelError:
        grades.trouble = "its kernel died"
    if grades.trouble:
        grades.marks = {name.removesuffix(CHECK): "error" for name in checks}
        return grades
    by_id = {cell.id: cell for cell in notebook.cells}
    for name in checks:
        grades.marks[name.removesuffix(CHECK)] = mark(by_id[name])
    for name in sorted(texts):
        if TEXT_STUB[0] not in by_id[name].source:
            grades.written[name.removesuffix(ANSWER)] = by_id[name].source
    return grades


def store(grades: Sequence[Grades], table: Path) -> None:
    """A row for each notebook; its written answers in a text file beside."""
    exercises = list(grades[0].marks)
    with table.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["notebook", "right", *exercises, "trouble"])
        for g in grades:
            marks = [g.marks[x] for x in exercises]
            out.writerow([g.name, g.right, *marks, g.trouble])
    written = [
        f"{g.name}, {name}\n\n{text}\n"
        for g in grades
        for name, text in g.written.items()
    ]
    if written:
        table.with_suffix(".txt").write_text("\n".join(written), "utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("exercise", type=Path, help="as the book has it")
    parser.add_argument("notebooks", type=Path, nargs="+", help="handed in")
    parser.add_argument("--csv", type=Path, default=Path("grades.csv"))
    parser.add_argument("--timeout", type=int, default=300, help="s a cell")
    args = parser.parse_args(argv)
    if not args.exercise.is_file():
        parser.error(f"{args.exercise} is no file: name the exercise notebook")
    grades = []
    for path in args.notebooks:
        grades.append(grade(args.exercise, path, args.timeout))
        g = grades[-1]
        print(f"{g.right} of {len(g.marks)}  {g.name}  {g.trouble}".rstrip())
    store(grades, args.csv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
