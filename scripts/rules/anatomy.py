"""Rules of anatomy: what a chapter holds, in which order, and how much."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

from nbformat import NotebookNode

from scripts.rules.chapter import PARTS, count_words, is_chapter, part, parts
from scripts.rules.figures import EXPLORER
from scripts.rules.notebook import (
    bits,
    calls,
    code_cells,
    is_figure,
    sections,
    text_cells,
    tree_of,
)
from scripts.rules.references import keys_in

LEAST = {"words": 4500, "figures": 10, "code cells": 35}
MOST_CELLS, MEDIAN_LINES = 60, 8
FIGURES_PER_1000 = 2
BUGS, QUESTIONS, WORKS = 2, 6, 8
SUMMARY_WORDS = 150


def parts_in_order(notebook: NotebookNode, path: Path) -> list[str]:
    """A chapter has all its parts, in the order that readers know."""
    if not is_chapter(path):
        return []
    found = parts(notebook)
    lost = [f"there is no part {name!r}" for name in PARTS if name not in found]
    places = [place for place, _ in found.values()]
    if places != sorted(places):
        there = sorted(found, key=lambda name: found[name][0])
        lost.append("the parts stand in the order " + ", ".join(there))
    return lost


def opening_promises(notebook: NotebookNode, path: Path) -> list[str]:
    """It opens on something that runs, a promise and the cost."""
    if not is_chapter(path):
        return []
    title = next((s for s in sections(notebook) if s.level == 1), None)
    if title is None:
        return ["there is no title"]
    first = "".join(s.text for s in sections(notebook)[:2])
    found = []
    if not re.search(r"\byou\s+(?:will|can)\b", first):
        found.append("the opening does not say what you will be able to do")
    if "{glue:text}`cost`" not in first:
        found.append("the opening does not quote the cost")
    if not any(cell.outputs for cell in title.code):
        found.append("the opening shows nothing that runs")
    return found


def hand_comes_first(notebook: NotebookNode, path: Path) -> list[str]:
    """Numbers on paper come before any class is written."""
    hand = part(notebook, path, "by hand")
    if hand is None:
        return []
    found = []
    if len(re.findall(r"\d+", hand.text)) < 3:
        found.append("the part by hand works with fewer than three numbers")
    place = parts(notebook)["by hand"][0]
    for section in sections(notebook)[: place + 1]:
        found += [
            f"{cell.id}: a class before the part by hand has ended"
            for cell in section.code
            if any(isinstance(n, ast.ClassDef) for n in tree_of(cell).body)
        ]
    return found


DELTA_TABLE = re.compile(r"^\|(?:[^|\n]+\|){2,}\s*why\s*\|$", re.M | re.I)


def package_is_proved(notebook: NotebookNode, path: Path) -> list[str]:
    """The package's source is shown, compared line by line, and proved equal;
    a planted bug shows that the proof can fail."""
    version = part(notebook, path, "the package's version")
    if version is None:
        return []
    trees = [tree_of(cell) for cell in version.code]
    found = []
    if not any(True for t in trees for _ in calls(t, "show_source")):
        found.append("no show_source in the package's version")
    delta = any(True for t in trees for _ in calls(t, "show_delta"))
    if not delta and not DELTA_TABLE.search(version.text):
        found.append("neither show_delta nor a table that ends in 'why'")
    if not any(map(proves, trees)):
        found.append("no assert_same, and no assert that two calls are equal")
    if not re.search(r"\bplant(?:ed|s)?\b", version.text, re.IGNORECASE):
        found.append("no planted bug in the package's version")
    return found


def proves(tree: ast.AST) -> bool:
    """Whether code compares two results: assert_same, or f(x) == g(x)."""
    if any(True for _ in calls(tree, "assert_same")):
        return True
    return any(
        isinstance(node, ast.Assert)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.ops[0], ast.Eq)
        and isinstance(node.test.left, ast.Call)
        and isinstance(node.test.comparators[0], ast.Call)
        for node in ast.walk(tree)
    )


def claims_are_asserted(notebook: NotebookNode, path: Path) -> list[str]:
    """The world's tool and the experiment are held to what the text says."""
    found = []
    for name in ("against the world", "experiment"):
        section = part(notebook, path, name)
        if section is None:
            continue
        nodes = [n for cell in section.code for n in ast.walk(tree_of(cell))]
        if not any(isinstance(n, ast.Assert) for n in nodes):
            found.append(f"{name}: nothing is asserted")
        if name == "experiment" and not any(map(is_figure, section.code)):
            found.append(f"{name}: no figure shows what was measured")
    return found


def play_plays(notebook: NotebookNode, path: Path) -> list[str]:
    """The part to play with holds an explorer."""
    play = part(notebook, path, "play")
    if play is None:
        return []
    outputs = [output for cell in play.code for output in cell.outputs]
    if any(EXPLORER in output.get("data", {}) for output in outputs):
        return []
    return ["play: no explorer among the outputs"]


def bugs_have_symptoms(notebook: NotebookNode, path: Path) -> list[str]:
    """Two bugs or more, each with its symptom in a cell, cause and check."""
    everything = sections(notebook) if is_chapter(path) else []
    found, bugs, inside = [], 0, False
    for section in everything:
        if section.level == 2:
            inside = bool(re.search(PARTS["common bugs"], section.title))
        elif inside and section.level == 3:
            bugs += 1
            for word in ("Symptom", "Cause", "Check"):
                if f"**{word}.**" not in section.text:
                    found.append(f"{section.title!r} has no **{word}.**")
            if not any(cell.outputs for cell in section.code):
                found.append(f"{section.title!r}: no cell shows the symptom")
    if everything and bugs < BUGS:
        found.append(f"{bugs} common bugs, not {BUGS} or more")
    return found


QUESTION = re.compile(
    r"^\*\*(\d+)\.\*\*(.*?)(?=^\*\*\d+\.\*\*|\Z)", re.M | re.S
)
ANSWER = re.compile(
    r"<details>\s*<summary>Answer</summary>\n\n(.+?)</details>", re.S
)


def questions_have_answers(notebook: NotebookNode, path: Path) -> list[str]:
    """Six questions or more, numbered, each with a folded answer and a why."""
    check = part(notebook, path, "check your understanding")
    if check is None:
        return []
    asked = QUESTION.findall(check.text)
    found = []
    if len(asked) < QUESTIONS:
        found.append(f"{len(asked)} questions, not {QUESTIONS} or more")
    if [int(n) for n, _ in asked] != list(range(1, len(asked) + 1)):
        found.append("the questions are not numbered 1, 2, 3 ...")
    for number, text in asked:
        answer = ANSWER.search(text)
        if answer is None:
            found.append(f"question {number} has no folded answer")
        elif count_words(answer[1]) < 12:
            found.append(f"the answer to question {number} does not say why")
    return found


def ending_leads_on(notebook: NotebookNode, path: Path) -> list[str]:
    """A short summary, links to exercises and solutions, works to read."""
    if not is_chapter(path):
        return []
    found = []
    summary = part(notebook, path, "summary")
    if summary and not 0 < count_words(summary.text) <= SUMMARY_WORDS:
        found.append(f"the summary is empty or over {SUMMARY_WORDS} words")
    exercises = part(notebook, path, "exercises")
    here = f"{path.parent.name}/{path.name}"
    for folder in ("exercises", "solutions"):
        link = f"../../{folder}/{here}"
        if exercises and f"]({link})" not in exercises.text:
            found.append(f"the part on exercises does not link to {link}")
    reading = part(notebook, path, "further reading")
    if reading:
        found += reading_gaps(reading.text)
    return found


def reading_gaps(text: str) -> list[str]:
    entries = re.findall(r"^- (.*(?:\n  .*)*)", text, re.MULTILINE)
    found = [] if len(entries) >= WORKS else [f"{len(entries)} works to read"]
    for entry in entries:
        if not any(keys_in(bit) for bit in bits(entry)):
            found.append(f"further reading cites nothing in {entry[:40]!r}")
        elif count_words(entry) < 3:
            found.append(f"further reading does not say why: {entry[:40]!r}")
    return found


def deep_enough(notebook: NotebookNode, path: Path) -> list[str]:
    """Enough prose, figures and steps; short cells."""
    if not is_chapter(path):
        return []
    code = [cell for cell in code_cells(notebook) if cell.source.strip()]
    pictures = sum(
        bit.kind == "image"
        for cell in text_cells(notebook)
        for bit in bits(cell.source)
    )
    has = {
        "words": sum(count_words(c.source) for c in text_cells(notebook)),
        "figures": pictures + sum(map(is_figure, code)),
        "code cells": len(code),
    }
    found = [f"{has[k]} {k}, not {n}" for k, n in LEAST.items() if has[k] < n]
    if has["figures"] * 1000 < FIGURES_PER_1000 * has["words"]:
        found.append(f"{has['figures']} figures in {has['words']} words")
    if len(code) > MOST_CELLS:
        found.append(f"{len(code)} code cells, over {MOST_CELLS}")
    lines = [len(cell.source.strip().split("\n")) for cell in code]
    median = statistics.median(lines or [0])
    if median > MEDIAN_LINES:
        found.append(f"the median code cell has {median} lines")
    return found
