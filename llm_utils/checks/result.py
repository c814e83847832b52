"""What a check says: a verdict for a grader, a message for the reader."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

WIDTH = 76  # columns of a message
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
        return "\n".join(
            line if line[:1] == " " else textwrap.fill(line, WIDTH)
            for line in text.splitlines()
        )
