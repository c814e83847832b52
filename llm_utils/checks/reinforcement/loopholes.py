"""Exercise 6 of chapter 16: a reward that has no loophole.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _plain(text: str) -> str:
    return text.strip().rstrip(".").strip().lower()


def _strict(said: str, right: str, ended: bool) -> float:
    return float(ended and _plain(said) == _plain(right))


strict_reward = Exercise(
    name="strict_reward",
    asks="write strict_reward(said, right, ended): 1 if an answer is the right "
    "one and no more, else 0",
    reference=_strict,
    cases=[
        ("Mia.", "Mia.", True),
        ("Ben.", "Mia.", True),
        ("mia", "Mia.", True),
        (" Mia. ", "Mia.", True),
        ("Mia. Ben. Tom.", "Ben.", True),
        ("Ben and Mia.", "Ben.", True),
        ("Nobody.", "Nobody.", False),
        ("", "Tom.", True),
        ("In the shed.", "In the shed.", True),
        ("In the shed or in the barn.", "In the shed.", True),
    ],
    form=lambda x: number(float(x) if isinstance(x, bool) else x),
    same=lambda a, b: abs(a - b) < 1e-9,
    mistakes=[
        Mistake(
            "That pays for the right words anywhere in the answer. A model "
            "that lists all names gets it every time.",
            lambda said, right, ended: float(
                bool(ended) and _plain(right) in _plain(said)
            ),
        ),
        Mistake(
            "That pays whenever the right words stand somewhere, and for "
            "answers that never ended, too.",
            lambda said, right, ended: float(_plain(right) in _plain(said)),
        ),
        Mistake(
            "An answer that begins right may go on with anything.",
            lambda said, right, ended: float(
                bool(ended) and _plain(said).startswith(_plain(right))
            ),
        ),
        Mistake(
            "An answer that was cut off is paid. Its end is a part of it: use "
            "`ended`.",
            lambda said, right, ended: float(_plain(said) == _plain(right)),
        ),
        Mistake(
            "Too strict: a space, a capital letter or the period make no "
            "other answer. A reward that is right but never met teaches "
            "nothing.",
            lambda said, right, ended: float(bool(ended) and said == right),
        ),
        Mistake(
            "An empty answer is paid: the empty text is in every other one.",
            lambda said, right, ended: float(
                bool(ended) and _plain(said) in _plain(right)
            ),
        ),
    ],
    praise="Whatever a reward pays for by mistake will be found, given enough "
    "draws.",
)
