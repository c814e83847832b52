"""Exercise 3 of chapter 7: how much two texts have in common.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number

Parts = tuple[str, ...]
Cut = Callable[[str, int], list[Parts]]


def _grams(text: str, n: int, lower: bool = True, short: bool = True,
           last: int = 1, step: int = 1) -> list[Parts]:  # fmt: skip
    """n words in a row, as often as they stand there."""
    words = (text.lower() if lower else text).split()
    if short and len(words) < n:
        return [tuple(words)]
    ends = range(0, len(words) - n + last, step)
    return [tuple(words[i : i + n]) for i in ends]


def _characters(text: str, n: int) -> list[Parts]:
    text = text.lower()
    return [tuple(text[i : i + n]) for i in range(max(1, len(text) - n + 1))]


def _words(text: str, n: int) -> list[Parts]:
    return [(word,) for word in text.lower().split()]


def _unordered(text: str, n: int) -> list[Parts]:
    return [tuple(sorted(gram)) for gram in _grams(text, n)]


def _share(hits: float, of: float) -> float:
    return hits / of if of else 0.0


def _jaccard(
    a: str, b: str, n: int, cut: Cut = _grams, of: str = "either"
) -> float:
    """The Jaccard index, with its mistakes as knobs."""
    x, y = set(cut(a, n)), set(cut(b, n))
    both = len(x & y)
    below = {
        "first": len(x),
        "smaller": min(len(x), len(y)),
        "larger": max(len(x), len(y)),
        "sum": len(x) + len(y),
        "mean": (len(x) + len(y)) / 2,
        "one": 1,
        "only one": len(x ^ y) or 1,
    }
    return _share(both, below.get(of, len(x | y)))


def _counted(a: str, b: str, n: int) -> float:
    x, y = Counter(_grams(a, n)), Counter(_grams(b, n))
    return _share((x & y).total(), (x | y).total())


jaccard = Exercise(
    name="jaccard",
    asks="write jaccard(a, b, n), a number from 0 to 1",
    reference=_jaccard,
    cases=[
        ("a b", "a b", 1),
        ("a b", "a c", 1),
        ("a b c", "a b d", 2),
        ("The cat", "the cat", 1),
        ("a b c d", "a b", 2),
        ("a b", "a b c d", 2),
        ("a b a b a", "a b", 2),
        ("b a c", "a b c", 2),
        ("so it", "so it", 3),
        ("a cat.", "a cat", 1),
        ("i saw a cat today", "i saw a cat at home today", 3),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-3),
    show=lambda x: f"{x:.3g}" if isinstance(x, float) else ascii(x),
    mistakes=[
        Mistake(
            "You divide by the shingles of the first text. Then a text that "
            "is part of a longer one counts as its copy, and the answer "
            "depends on which comes first. Divide by all that either has.",
            partial(_jaccard, of="first"),
        ),
        Mistake(
            "You divide by the shingles of the smaller set. Divide by all "
            "that either has: the union.",
            partial(_jaccard, of="smaller"),
        ),
        Mistake(
            "You divide by the shingles of the larger set. Divide by all "
            "that either has: the union.",
            partial(_jaccard, of="larger"),
        ),
        Mistake(
            "You add the sizes of both sets, so what they share is counted "
            "twice, and a text is only half like itself. Take it off once.",
            partial(_jaccard, of="sum"),
        ),
        Mistake(
            "You divide by the mean size of the two sets. That is Dice's "
            "coefficient, another measure. Divide by the union.",
            partial(_jaccard, of="mean"),
        ),
        Mistake(
            "That is how many shingles both have. Divide by how many either "
            "has.",
            partial(_jaccard, of="one"),
        ),
        Mistake(
            "You count a shingle as often as it stands there. A set has it "
            "once.",
            _counted,
        ),
        Mistake(
            "You cut the text into characters. A shingle is n words.",
            partial(_jaccard, cut=_characters),
        ),
        Mistake(
            "You compare single words, whatever n is. A shingle is n words "
            "in a row.",
            partial(_jaccard, cut=_words),
        ),
        Mistake(
            "You forget the order of the words inside a shingle. Make it a "
            "tuple, as they stand in the text.",
            partial(_jaccard, cut=_unordered),
        ),
        Mistake(
            "The last shingle is missing. m words have m - n + 1 shingles "
            "of n.",
            partial(_jaccard, cut=partial(_grams, last=0)),
        ),
        Mistake(
            "Your shingles do not overlap. One begins at every word.",
            partial(_jaccard, cut=lambda t, n: _grams(t, n, step=n)),
        ),
        Mistake(
            "'The' and 'the' are two words for you. Make letters small first.",
            partial(_jaccard, cut=partial(_grams, lower=False)),
        ),
        Mistake(
            "You drop punctuation. Here it belongs to its word: cut at "
            "spaces, and nowhere else.",
            partial(
                _jaccard,
                cut=lambda t, n: _grams(re.sub(r"[^\w\s]", "", t), n),
            ),
        ),
        Mistake(
            "You divide by the shingles that only one of the texts has. "
            "Divide by all that either has: the union.",
            partial(_jaccard, of="only one"),
        ),
        Mistake(
            "A text of fewer than n words has no shingle, so two equal short "
            "texts have nothing in common. Let the whole text be its one "
            "shingle.",
            partial(_jaccard, cut=partial(_grams, short=False)),
        ),
        Mistake(
            "Two texts of fewer than n words have no shingles, and you "
            "divide by zero. Let the whole text be its one shingle.",
            lambda a, b, n: (
                _jaccard(a, b, n) / (min(map(len, (a.split(), b.split()))) >= n)
            ),
        ),
        Mistake(
            "That is a distance, 0 for equal texts. The index is 1 minus that.",
            lambda a, b, n: 1 - _jaccard(a, b, n),
        ),
    ],
    praise="It needs every pair of texts side by side. What MinHash adds "
    "is not having to.",
)
