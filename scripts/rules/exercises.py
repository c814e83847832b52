"""Rules of exercises: each is graded, timed, hinted at and checked."""

from __future__ import annotations

import re
from pathlib import Path

from nbformat import NotebookNode

from scripts.rules.notebook import Section, sections, whole

LEAST = 7
KINDS = {"Implement": 3, "Predict, then run": 1, "Find the bug": 1,
         "Measure and explain": 1}  # fmt: skip
HEADING = re.compile(r"^Exercise (\d+): \S")
LABEL = re.compile(
    r"\A\s*\*(?P<kind>[A-Z][a-z, ]+)\. "
    r"(?:(?P<grade>Warm-up|Stretch), )?[Aa]bout \d+ minutes"
    r"(?:, with paper)?\.\*$",
    re.MULTILINE,
)
HINTS = ["Hint 1: a nudge", "Hint 2: the idea", "Hint 3: nearly the answer"]
CHECK = re.compile(r"^check\.\w+\([\w.]+\)$", re.MULTILINE)
SLOT = re.compile(r"BEGIN SOLUTION|YOUR CODE HERE")
WHY = "**Why it is so.**"


def exercises(notebook: NotebookNode, path: Path) -> list[Section]:
    """The exercises of a notebook of exercises or solutions."""
    if not {"exercises", "solutions"} & set(path.parts):
        return []
    everything = sections(notebook)
    return [
        whole(everything, place)
        for place, section in enumerate(everything)
        if section.level == 2 and section.title.startswith("Exercise")
    ]


def enough_exercises(notebook: NotebookNode, path: Path) -> list[str]:
    """Seven exercises or more, numbered, of all four kinds, and graded."""
    if not {"exercises", "solutions"} & set(path.parts):
        return []
    all_of_them, found = exercises(notebook, path), []
    numbers = [HEADING.match(section.title) for section in all_of_them]
    if [n and int(n[1]) for n in numbers] != [*range(1, len(numbers) + 1)]:
        found.append("the exercises are not titled 'Exercise 1: ...' and so on")
    if len(all_of_them) < LEAST:
        found.append(f"{len(all_of_them)} exercises, not {LEAST} or more")
    labels = [m for s in all_of_them if (m := LABEL.match(s.text))]
    for kind, least in KINDS.items():
        there = sum(label["kind"] == kind for label in labels)
        if there < least:
            found.append(f"{there} to {kind.lower()!r}, not {least} or more")
    grades = [label["grade"] for label in labels]
    if grades and (grades[0], grades[-1]) != ("Warm-up", "Stretch"):
        found.append("they do not go from a warm-up to a stretch")
    return found


def exercises_are_whole(notebook: NotebookNode, path: Path) -> list[str]:
    """Each has its kind and minutes, three folded hints, a place for the
    answer, one line that checks it and, in the solutions, a why."""
    found = []
    for section in exercises(notebook, path):
        name = section.title.split(":")[0]
        label = LABEL.match(section.text)
        if label is None:
            found.append(f"{name}: no line '*Implement. About 10 minutes.*'")
        elif label["kind"] not in KINDS:
            found.append(f"{name}: no such kind as {label['kind']!r}")
        hints = re.findall(r"<summary>(Hint.*?)</summary>", section.text)
        if hints != HINTS:
            found.append(f"{name}: the hints are {hints}")
        code = [cell.source for cell in section.code]
        if not any(map(SLOT.search, code)):
            found.append(f"{name}: no place for the answer")
        if not any(map(CHECK.fullmatch, code)):
            found.append(f"{name}: no cell that is one line, check.x(x)")
        if "solutions" in path.parts and WHY not in section.text:
            found.append(f"{name}: the solution does not say why")
    return found


def exercises_know_their_chapter(
    notebook: NotebookNode, path: Path
) -> list[str]:
    """Exercises link to their chapter and to their solutions, and back."""
    if not {"exercises", "solutions"} & set(path.parts):
        return []
    text = "".join(section.text for section in sections(notebook)[:2])
    here = f"{path.parent.name}/{path.name}"
    other = "solutions" if "exercises" in path.parts else "exercises"
    links = {re.sub(r"/\./", "/", x) for x in re.findall(r"\]\((.+?)\)", text)}
    return [
        f"the page does not open with a link to {folder}/{here}"
        for folder in ("chapters", other)
        if f"../../{folder}/{here}" not in links
    ]
