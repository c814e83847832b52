"""What a check says: a verdict for a grader, a message for the reader."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

TEXT, VALUES = 76, 80  # columns
UNSTARTED = "Not started yet"


@dataclass(frozen=True)
class Result:
    """What a check found: `ok` for a grader, `message` for the reader."""

    ok: bool
    message: str

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        verdict = "Right." if self.ok else "Not yet."
        fresh = self.message.startswith(UNSTARTED)
        text = self.message if fresh else f"{verdict} {self.message}"
        text = text.encode("ascii", "backslashreplace").decode()
        return "\n".join(map(_fold, text.splitlines()))


def _fold(line: str) -> str:
    """Sentences are filled; a line of values, indented, is only folded."""
    indent = len(line) - len(line.lstrip())
    return textwrap.fill(
        line,
        VALUES if indent else TEXT,
        subsequent_indent=" " * 3 * indent,
        break_on_hyphens=not indent,
    )
