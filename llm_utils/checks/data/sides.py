"""Exercise 7 of chapter 7: a split that no copy can cross.

Any hash will do, so what is compared is how the split behaves. Each
`Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable
from typing import Any
from unittest import mock

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.watch import WrongForm

Split = Callable[[str, float], Any]

TEXTS = [
    f"{name} put the {thing} in box number {n}."
    for n in range(24)
    for name in ("Mia", "Leo", "Anna", "Thomas", "Zoe")
    for thing in ("kite", "ball", "lantern", "drum", "umbrella")
]
AGAIN = TEXTS[:100]


def _truth(x: Any) -> bool:
    x = x.item() if hasattr(x, "item") else x
    if x is None:
        raise WrongForm("nothing (None): did you forget `return`")
    if not isinstance(x, bool):
        kind = type(x).__name__
        an = "an" if kind[0] in "aeiou" else "a"
        raise WrongForm(f"{an} {kind}; True or False is asked for")
    return x


def _share(split: Split, share: float) -> str:
    """The share of texts held out, in words: sampling is allowed for."""
    got = sum(_truth(split(text, share)) for text in TEXTS) / len(TEXTS)
    spread = 4.5 * (share * (1 - share) / len(TEXTS)) ** 0.5
    if abs(got - share) <= spread:
        return f"about {share:.0%}"
    if abs(1 - got - share) <= spread:
        return f"the other {1 - share:.0%}"
    odd = "too many" if got > share else "too few"
    return {0.0: "none", 1.0: "all"}.get(got, odd)


def _sides(split: Split, texts: list[str], share: float = 0.3) -> list[bool]:
    return [_truth(split(text, share)) for text in texts]


def _other_process(split: Split) -> str:
    """Another process has other values of `hash` for texts."""
    plain = hash
    with mock.patch.object(builtins, "hash", lambda x: plain(("salt", x))):
        there = _sides(split, AGAIN)
    return _agree(_sides(split, AGAIN), there)


def _agree(a: list[bool], b: list[bool]) -> str:
    return "the same side" if a == b else "another side for some"


def _grown(split: Split) -> str:
    """All that is held out at 20 % is held out at 30 % as well."""
    less, more = (_sides(split, TEXTS[:200], share) for share in (0.2, 0.3))
    if sum(less) > sum(more):
        return "the other way round: fewer are held out"
    lost = any(a and not b for a, b in zip(less, more, strict=True))
    return "some come back to training" if lost else "all stay held out"


def trial_of(split: Split) -> Callable[[str], str]:
    """How a split behaves, by the name of a trial."""

    def run(trial: str) -> str:
        if trial == "a share of 0.1":
            return _share(split, 0.1)
        if trial == "a share of 0.5":
            return _share(split, 0.5)
        if trial == "asked again":
            return _agree(_sides(split, AGAIN), _sides(split, AGAIN))
        if trial == "asked in another order":
            back = _sides(split, AGAIN[::-1])[::-1]
            return _agree(_sides(split, AGAIN), back)
        if trial == "asked in another process":
            return _other_process(split)
        if trial == "a copy in capitals":
            loud = [text.upper() for text in AGAIN]
            return _agree(_sides(split, AGAIN), _sides(split, loud))
        if trial == "a copy with other spaces":
            wide = [text.replace(" ", " \n") + " " for text in AGAIN]
            return _agree(_sides(split, AGAIN), _sides(split, wide))
        return _grown(split)

    return run


def _words(text: str) -> str:
    return " ".join(text.lower().split())


def _uniform(text: str) -> float:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


COPIES = ("a copy in capitals", "a copy with other spaces")
TRIALS = [
    "a share of 0.1",
    "a share of 0.5",
    "asked again",
    "asked in another order",
    "asked in another process",
    *COPIES,
    "more is held out",
]


def _only(*trials: str, says: str = "") -> Callable[[Any, str], bool]:
    """True of what is wrong in these trials, if it comes to these words."""

    def when(args: tuple[Any, ...], value: str) -> bool:
        return args[0] in trials and value.startswith(says)

    return when


def _uneven(args: tuple[Any, ...], value: str) -> bool:
    """Not the share, whatever becomes of copies."""
    return args[0] in COPIES or value in ("too many", "too few", "none", "all")


held_out = Exercise(
    name="held_out",
    asks="write held_out(text, share), True for a text of the validation set",
    reference=lambda text, share: _uniform(_words(text)) < share,
    cases=[(trial,) for trial in TRIALS],
    adapt=trial_of,
    mistakes=[
        Mistake(
            "A copy in capitals lands on the other side. Hash the text in "
            "small letters.",
            when=_only(COPIES[0]),
        ),
        Mistake(
            "A copy with other spaces lands on the other side. Hash the "
            "words, joined by one space each.",
            when=_only(COPIES[1]),
        ),
        Mistake(
            "Copies that differ in case or spaces land on two sides. Hash "
            "the words in small letters, joined by one space each.",
            when=_only(*COPIES),
        ),
        Mistake(
            "hash() of a text changes from process to process: Python salts "
            "it. Tomorrow your validation set is another one, and the model "
            "has trained on most of it. hashlib and zlib.crc32 give the same "
            "for ever.",
            when=_only("asked in another process"),
        ),
        Mistake(
            "hash() of a text changes from process to process, and yours "
            "takes case and spaces for part of the text. Use hashlib, on the "
            "small letters of text.split().",
            when=_only("asked in another process", *COPIES),
        ),
        Mistake(
            "The sides are exchanged: you hold out what should be trained on.",
            when=_only(*TRIALS[:2], "more is held out", says="the other"),
        ),
        Mistake(
            "Some texts that are held out at 0.2 come back into training at "
            "0.3. The share decides how many are drawn, not which: turn the "
            "hash of the text alone into a number from 0 to 1, and compare "
            "that with the share. One in round(1 / share) does not do it.",
            when=_only("more is held out"),
        ),
        Mistake(
            "You hold out every text. Is the number that you compare with "
            "the share from 0 to 1?",
            when=_only(*TRIALS[:2], says="all"),
        ),
        Mistake(
            "You hold out no text. Is the number that you compare with the "
            "share from 0 to 1?",
            when=_only(*TRIALS[:2], says="none"),
        ),
        Mistake(
            "The share is not met. What many texts have in common, a length "
            "or a first letter, puts whole kinds of them on one side; a hash "
            "of the whole text spreads them evenly.",
            when=_uneven,
        ),
        Mistake(
            "You count calls, so a text's side depends on what was asked "
            "before it. It must follow from the text alone.",
            when=_only("asked in another order", *COPIES),
        ),
        Mistake(
            "You draw lots: the same text asked twice falls on two sides, "
            "and so do its copies. The side must follow from the text.",
            when=_only(*TRIALS[2:]),
        ),
    ],
    praise="Where a text belongs is written in the text: nobody has to keep "
    "a list, and no copy can cross.",
)
