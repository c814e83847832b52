"""Exercise 9 of chapter 8: a save that a power cut leaves whole.

Each `Mistake` is known by what the save has called, in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.training.disk import (
    NEW,
    Disk,
    Save,
    in_words,
    new_disk,
)

DURING, AFTER = "power cut during the save", "power cut right after it"
FIRST, LEFT = "power cut during the first save", "files when it is done"
NAME = "model"


def _save(disk: Disk, name: str, text: str) -> None:
    draft = name + ".draft"
    disk.write(draft, text)
    disk.sync(draft)
    disk.rename(draft, name)
    disk.sync_folder()


@dataclass(frozen=True)
class Saved:
    """What a save leaves, in words, and what it called to get there."""

    left: str
    calls: tuple[tuple[str, ...], ...]

    def first(self, *call: str) -> int:
        """The place of the first such call; behind all others if none."""
        places = [i for i, c in enumerate(self.calls) if c[: len(call)] == call]
        return places[0] if places else len(self.calls)

    def has(self, *call: str) -> bool:
        return self.first(*call) < len(self.calls)

    @property
    def named(self) -> int:
        """The place of the call that gives the file its name."""
        names = [i for i, c in enumerate(self.calls) if c[2:] == (NAME,)]
        return names[-1] if names else len(self.calls)


def trial_of(save: Save) -> Callable[[str], Saved]:
    """What a save leaves behind, by the name of a trial."""

    def run(trial: str) -> Saved:
        disk = new_disk(first=trial == FIRST)
        try:
            save(disk, NAME, NEW)
        except FileNotFoundError as error:
            return Saved(f"a save that stops: {error}", tuple(disk.calls))
        during: set[str | None] = set().union(*disk.history)
        left = in_words(disk.left() if trial == AFTER else during)
        if trial == LEFT:
            left = ", ".join(disk.names())
        return Saved(left, tuple(disk.calls))

    return run


def _when(test: Callable[[Saved], bool]) -> Callable[[Any, Any], bool]:
    return lambda args, value: test(value)


def _drafted(x: Saved) -> bool:
    """Is there a file beside the old one?"""
    return any(c[0] == "write" and c[1] != NAME for c in x.calls)


save = Exercise(
    name="save",
    asks="write save(disk, name, text), which survives a power cut",
    reference=_save,
    cases=[(DURING,), (AFTER,), (FIRST,), (LEFT,)],
    same=lambda a, b: a.left == b.left,
    adapt=trial_of,
    show=lambda x: x.left if isinstance(x, Saved) else str(x),
    mistakes=[
        Mistake(
            "Nothing is written.", when=_when(lambda x: not x.has("write"))
        ),
        Mistake(
            "You write a draft, and then write over the old file all the "
            "same. Give the draft its name instead: rename.",
            when=_when(lambda x: x.has("write", NAME) and _drafted(x)),
        ),
        Mistake(
            "You move the old file out of the way and then write the new "
            "one: until that is whole, the name leads to nothing. Write "
            "beside the old one, and let rename put the new in its place.",
            when=_when(
                lambda x: (
                    not _drafted(x)
                    and (x.has("rename", NAME) or x.has("remove", NAME))
                )
            ),
        ),
        Mistake(
            "You write over the old file. From the first letter on it is "
            "gone, and the new one is not there yet: write beside it, under "
            "another name.",
            when=_when(lambda x: x.has("write", NAME)),
        ),
        Mistake(
            "The names in rename are exchanged: rename(old, new). The draft "
            "is replaced by the old weights.",
            when=_when(
                lambda x: x.has("rename", NAME) and x.named == len(x.calls)
            ),
        ),
        Mistake(
            "The old file is out of the way before the new one has its name: "
            "a moment without any. rename replaces it in one go.",
            when=_when(
                lambda x: (
                    min(x.first("remove", NAME), x.first("rename", NAME))
                    < x.named
                )
            ),
        ),
        Mistake(
            "The draft never gets the right name: rename it.",
            when=_when(lambda x: x.named == len(x.calls)),
        ),
        Mistake(
            "No text is synced. It lies in memory when its name reaches the "
            "disk, and after a power cut the name leads to an empty file.",
            when=_when(lambda x: not x.has("sync")),
        ),
        Mistake(
            "The text is synced after the renaming. In between the good name "
            "leads to a file that is not on the disk: sync first.",
            when=_when(lambda x: x.first("sync") > x.named),
        ),
        Mistake(
            "The text is synced before it is written.",
            when=_when(lambda x: x.first("sync") < x.first("write")),
        ),
        Mistake(
            "The new name is not on the disk when you return. The text is "
            "safe, but under which name? sync_folder() comes after the "
            "renaming.",
            when=_when(
                lambda x: ("sync_folder",) not in x.calls[x.named + 1 :]
            ),
        ),
        Mistake(
            "Something is lying about, or is gone, that you should not have "
            "touched: look at the names.",
            when=lambda args, value: args == (LEFT,),
        ),
    ],
    praise="At every moment the name leads to a whole file, and when you "
    "return, to the new one.",
)
