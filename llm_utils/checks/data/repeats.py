"""Exercise 2 of chapter 7: how much of a page stood there before.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _share(hits: float, of: float) -> float:
    return hits / of if of else 0.0


def _repeated(
    text: str,
    weigh: str = "characters",
    which: str = "later",
    of: str = "lines",
    strip: bool = True,
    empty: bool = False,
) -> float:
    """The share, with its mistakes as knobs."""
    lines = text.split("\n") if empty or not strip else _lines(text)
    if strip:
        lines = [line.strip() for line in lines]
    elif not empty:
        lines = [line for line in lines if line.strip()]
    counts, seen, before = Counter(lines), set[str](), None
    hit = []
    for line in lines:
        hit.append(
            {
                "all": counts[line] > 1,
                "next": line == before,
                "first": line in seen or counts[line] == 1,
            }.get(which, line in seen)
        )
        seen.add(line)
        before = line
    size = [len(line) if weigh == "characters" else 1 for line in lines]
    twice = sum(n for n, h in zip(size, hit, strict=True) if h)
    return _share(twice, len(text) if of == "text" else sum(size))


def _once(text: str) -> float:
    """Each line that repeats is counted once, however often it does."""
    counts = Counter(_lines(text))
    twice = sum(len(line) for line, n in counts.items() if n > 1)
    return _share(twice, sum(map(len, _lines(text))))


def _unguarded(text: str) -> float:
    lines = _lines(text)
    return _repeated(text) / (1 if lines else 0)


repeated_share = Exercise(
    name="repeated_share",
    asks="write repeated_share(text), a number from 0 to 1",
    reference=_repeated,
    cases=[
        ("ab\nab",),
        ("abc\nd\nd",),
        ("abcd\nxy\nabcd",),
        ("a\n\n\n\nb",),
        ("go\n go \nstay",),
        ("a\nb\na\na\ncdef",),
        ("",),
        ("Home\nNews\nIt rained all day.\nHome\nNews",),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-3),
    show=lambda x: f"{x:.3g}" if isinstance(x, float) else ascii(x),
    mistakes=[
        Mistake(
            "You count lines. Count the characters in them: a menu of ten "
            "words is little beside a paragraph.",
            partial(_repeated, weigh="lines"),
        ),
        Mistake(
            "You count the first of equal lines as well. It is no "
            "repetition: only those after it are.",
            partial(_repeated, which="all"),
        ),
        Mistake(
            "A line that stands there three times repeats twice, and you "
            "count it once.",
            _once,
        ),
        Mistake(
            "You compare each line with the one before it. A menu comes "
            "again at the end of the page: remember all lines so far.",
            partial(_repeated, which="next"),
        ),
        Mistake(
            "You divide by the length of the whole text, with its line ends "
            "and empty places. Divide by the characters of the lines that "
            "you count.",
            partial(_repeated, of="text"),
        ),
        Mistake(
            "You compare lines with the spaces at their ends. Strip them "
            "first.",
            partial(_repeated, strip=False),
        ),
        Mistake(
            "You count empty lines as lines that repeat, and lines are what "
            "you count. Leave out the empty ones, and count characters.",
            partial(_repeated, weigh="lines", empty=True),
        ),
        Mistake(
            "That is the share of what does not repeat.",
            lambda text: (1 - _repeated(text)) * bool(_lines(text)),
        ),
        Mistake(
            "A text without any line makes you divide by zero. Nothing "
            "repeats in it: return 0.",
            _unguarded,
        ),
        Mistake(
            "That is a percentage. A share is a number from 0 to 1.",
            lambda text: 100 * _repeated(text),
        ),
        Mistake(
            "That is how many characters repeat. Divide by all of them.",
            lambda text: _repeated(text) * sum(map(len, _lines(text))),
        ),
    ],
    praise="Nothing in it knows what a menu is: a rule about form finds "
    "one in any language.",
)
