"""Exercise 6 of chapter 17: who leads the board.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence

Line = tuple[str, int, float]


def _by(
    value: Callable[[list[float]], float], once: bool = True,
    backwards: bool = False,
) -> Callable[[Sequence[Line]], list[str]]:  # fmt: skip
    """Names by a value of their scores; once: a seed counts once, the last."""

    def ranked(lines: Sequence[Line]) -> list[str]:
        seeds = dict[str, dict[int, float]]()
        for i, (name, seed, score) in enumerate(lines):
            key = seed if once else i
            seeds.setdefault(name, {})[key] = score
        worth = {k: value([*v.values()]) for k, v in seeds.items()}
        return sorted(worth, key=worth.__getitem__, reverse=backwards)

    return ranked


ranking = Exercise(
    name="ranking",
    asks="write ranking(lines): the names of the recipes, the best one first",
    reference=_by(mean),
    cases=[
        ([("a", 0, 3.0), ("b", 0, 2.0)],),
        ([("a", 0, 1.0), ("a", 1, 5.0), ("b", 0, 2.5)],),
        ([("b", 0, 4.0), ("b", 1, 4.0), ("b", 2, 4.0), ("a", 0, 5.0)],),
        ([("a", 0, 1.0), ("a", 0, 1.0), ("a", 1, 7.0), ("b", 0, 3.5)],),
        ([("a", 0, 9.0), ("b", 0, 4.0), ("a", 0, 3.0)],),
        ([("a", 0, 1.0), ("a", 1, 9.0), ("b", 0, 6.0)],),
    ],
    form=sequence,
    mistakes=[
        Mistake(
            "That ranks by each recipe's best seed. Who tries more seeds "
            "would win: take the mean.",
            _by(min),
        ),
        Mistake(
            "The score is an excess: the smallest is the best.",
            _by(mean, backwards=True),
        ),
        Mistake(
            "The sum punishes whoever ran more seeds. Take the mean.",
            _by(sum),
        ),
        Mistake(
            "The same seed entered twice is one run: its last line counts, "
            "and the others do not.",
            _by(mean, once=False),
        ),
        Mistake(
            "That ranks by each recipe's worst seed. Take the mean.", _by(max)
        ),
    ],
    praise="A mean over seeds, and the number of seeds beside it.",
)
