"""A disk that forgets: what exercise 9 of chapter 8 writes on.

What a program has written lies in memory until it is synced, and so do names.
A power cut leaves of the rest any part. `Disk` knows all that may be left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Disk:
    """A folder of files, as text by name, that may lose power at any time."""

    def __init__(self, files: dict[str, str], watched: str) -> None:
        self._files = [[text] for text in files.values()]  # what may be left
        self._names = [{name: i for i, name in enumerate(files)}]
        self._watched = watched
        self.history = [self.left()]  # what may be left, after each call
        self.calls: list[tuple[str, ...]] = []

    def write(self, name: str, text: str) -> None:
        """Make a file, or empty the one that is there and write it anew."""
        self.calls.append(("write", name))
        names = self._names[-1]
        if name not in names:
            self._files.append([])
            self._names.append({**names, name: len(self._files) - 1})
        file = self._files[self._names[-1][name]]
        file += ["", text[: len(text) // 2], text]
        self.history.append(self.left())

    def sync(self, name: str) -> None:
        """Return when the text of this file is on the disk."""
        self.calls.append(("sync", name))
        file = self._files[self._find(name)]
        file[:] = file[-1:]
        self.history.append(self.left())

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file that had it is gone."""
        self.calls.append(("rename", old, new))
        names, number = dict(self._names[-1]), self._find(old)
        del names[old]
        self._names.append({**names, new: number})
        self.history.append(self.left())

    def remove(self, name: str) -> None:
        """Delete a file."""
        self.calls.append(("remove", name))
        self._find(name)
        names = self._names[-1]
        self._names.append({k: i for k, i in names.items() if k != name})
        self.history.append(self.left())

    def sync_folder(self) -> None:
        """Return when the names are on the disk, new ones and old."""
        self.calls.append(("sync_folder",))
        self._names = self._names[-1:]
        self.history.append(self.left())

    def read(self, name: str) -> str:
        """The text of a file, as a program sees it while the power is on."""
        return self._files[self._find(name)][-1]

    def names(self) -> list[str]:
        """The names of all files, as a program sees them."""
        return sorted(self._names[-1])

    def left(self) -> set[str | None]:
        """All texts that the watched file may have after a power cut now."""
        found: set[str | None] = set()
        for names in self._names:
            number = names.get(self._watched)
            found |= {None} if number is None else set(self._files[number])
        return found

    def _find(self, name: str) -> int:
        if name not in self._names[-1]:
            raise FileNotFoundError(f"no file {name!r}: {self.names()}")
        return self._names[-1][name]


OLD, NEW, OTHER = "old weights", "new weights", "the log"
WORDS = {OLD: "old", NEW: "new", None: "no file", "": "an empty file"}
ORDER = ("no file", "old", "new", "an empty file", "half a file")
Save = Callable[[Disk, str, str], Any]


def in_words(texts: set[str | None]) -> str:
    """{"old weights", ""} -> "old, an empty file"."""
    kinds = {WORDS.get(text, "half a file") for text in texts}
    return ", ".join(kind for kind in ORDER if kind in kinds)


def after_power_cut(save: Save, first: bool = False) -> tuple[str, str]:
    """What may be found if the power fails during a save, and right after it.

    first: there is no older file yet.
    """
    disk = new_disk(first)
    save(disk, "model", NEW)
    during: set[str | None] = set().union(*disk.history)
    return in_words(during), in_words(disk.left())


def new_disk(first: bool) -> Disk:
    """A disk with an old model, if any, and a file that is none of a save's
    business."""
    files = {"log": OTHER} | ({} if first else {"model": OLD})
    return Disk(files, "model")
