"""Breaks of the rules of anatomy, of chapters and of exercises."""

from __future__ import annotations

from helpers import code
from planted import (
    ANSWER,
    BUGS,
    FILLER,
    NAME,
    Planted,
    drop,
    extra,
    in_exercises,
    in_solutions,
    put,
    swap,
)


def renamed(where: str, heading: str) -> Planted:
    return swap(where, heading, "## Something else")


def long_cells(nb) -> None:
    for cell in nb.cells:
        if cell.id.startswith(("step-", "plot-")):
            cell.source += "\n1" * 9


BREAKS = {
    "parts_in_order": [
        renamed("hand", "## Pairs by hand"),
        renamed("package", "## The package's version"),
        renamed("world", "## Against the world"),
        renamed("experiment", "## Experiment: how many?"),
        renamed("play", "## Play"),
        renamed("bugs", "## Common bugs"),
        renamed("ending", "## Summary"),
        renamed("ending", "## Check your understanding"),
        renamed("ending", "## Exercises"),
        renamed("ending", "## Further reading"),
        Planted(lambda nb: nb.cells.insert(3, nb.cells.pop(-1))),
    ],
    "opening_promises": [
        swap("title", "# Tokens", "Tokens"),
        swap("opening", "you will have", "there is"),
        swap("opening", "{glue:text}`cost`", "seconds"),
        drop("start"),
    ],
    "hand_comes_first": [
        swap("start", "print(1234)", "class A:\n    pass"),
        put("hand", source="## Pairs by hand\n\nLook."),
    ],
    "package_is_proved": [
        drop("source"),
        drop("same"),
        swap("same", "assert_same(f, g, x)", "assert f(x) == 3"),
        swap("package", "| why |", "| then |"),
        swap("package", "Planted", "Here is"),
    ],
    "claims_are_asserted": [
        put("theirs", source="print(theirs)"),
        swap("plot-many", "assert few < many", "print(few)"),
        drop("plot-many"),
    ],
    "play_plays": [drop("explorer"), put("explorer", outputs=[])],
    "bugs_have_symptoms": [
        drop("bug"),
        swap("bugs", "**Symptom.**", "So."),
        swap("bug", "**Cause.**", "So."),
        swap("bug", "**Check.**", "So."),
        put("bug-one", outputs=[]),
        put("bugs", source=BUGS.split("###")[0]),
    ],
    "questions_have_answers": [
        swap("ending", "**6.** Is it so?", "Is it so?"),
        swap("ending", "**6.**", "**7.**"),
        swap("ending", "<summary>Answer</summary>", "<summary>So</summary>"),
        swap("ending", ANSWER, "Yes."),
    ],
    "ending_leads_on": [
        swap("ending", "Count, join, repeat.", ""),
        swap("ending", "Count, join, repeat.", FILLER),
        swap("ending", f"(../../exercises/{NAME})", "(../../exercises/)"),
        swap("ending", f"(../../solutions/{NAME})", "(../../solutions/)"),
        swap("ending", "- {cite:t}`gage1994bpe`: where it all began.\n", ""),
        swap("ending", "{cite:t}`gage1994bpe`", "Gage"),
        swap("ending", ": where it all began.", "."),
    ],
    "deep_enough": [
        swap("more", FILLER, "Few words."),
        swap("more", FILLER, f"{FILLER} {FILLER}"),
        drop(*(f"plot-{n}" for n in range(3))),
        drop(*(f"step-{n}" for n in range(9))),
        extra(*(code("1", id=f"more-{n}") for n in range(30))),
        Planted(long_cells),
    ],
    "enough_exercises": [
        in_solutions(drop("task-6")),
        in_solutions(swap("task-7", "Exercise 7", "Exercise 8")),
        in_solutions(swap("task-7", "Exercise 7: count", "Exercise 7")),
        in_exercises(swap("task-4", "Find the bug", "Implement")),
        in_exercises(swap("task-1", "Warm-up, about", "About")),
        in_exercises(swap("task-7", "Stretch, about", "About")),
    ],
    "exercises_are_whole": [
        in_solutions(swap("task-3", "About 5 minutes, with paper.", "Long.")),
        in_solutions(swap("task-2", "Implement", "Think hard")),
        in_solutions(swap("hints-2", "Hint 2: the idea", "Hint 2")),
        in_solutions(drop("hints-2")),
        in_solutions(swap("answer-2", "### BEGIN SOLUTION", "")),
        in_solutions(swap("check-2", "check.f(f)", "check.f(f)\nprint(1)")),
        in_solutions(drop("why-2")),
        in_exercises(drop("answer-2")),
        in_exercises(drop("check-2")),
    ],
    "exercises_know_their_chapter": [
        in_solutions(swap("title", "../../chapters/", "../../chapter/")),
        in_solutions(swap("title", "../../exercises/", "../../exercise/")),
        in_exercises(swap("title", "../../solutions/", "../../solution/")),
    ],
}
