"""One model, many readers: whoever reads gets the next piece, in turn.

Chapter 13 derives it. The work is an iterator, such as a reply that is being
written; all of them take their steps in one thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
END: Any = object()


class Busy(RuntimeError):
    """As many readers as the engine takes are there already."""


class Engine:
    """Runs generators step by step, at most `slots` of them at a time.

    Those that run take turns: each step goes to the end of the thread's queue
    (iteration-level scheduling, Yu et al. 2022, section 3.1). Others wait for
    a slot in the order they came, at most `waiting` of them. Chapter 13.
    """

    def __init__(self, slots: int = 16, waiting: int = 64) -> None:
        if slots < 1 or waiting < 0:
            raise ValueError(
                f"slots={slots}, waiting={waiting}: give 1 slot or more, and "
                "0 or more that wait"
            )
        self.slots, self.waiting = slots, waiting
        self.readers = 0  # running or waiting now
        self.steps = 0  # taken since the start
        self._thread = ThreadPoolExecutor(1, "engine")
        self._free = asyncio.Semaphore(slots)

    async def run(
        self, work: Generator[T, None, Any]
    ) -> AsyncGenerator[T, None]:
        """The pieces of `work`, each computed when it is asked for.

        Whoever stops reading, by `break`, `aclose` or because its task is
        canceled, stops the work: the step under way is the last. Raises Busy
        before the first piece if there is no room.
        """
        if self.readers >= self.slots + self.waiting:
            raise Busy(f"{self.readers} readers are being served: try later")
        loop = asyncio.get_running_loop()
        self.readers += 1
        try:
            async with self._free:
                while (piece := await loop.run_in_executor(
                    self._thread, next, work, END
                )) is not END:  # fmt: skip
                    self.steps += 1
                    yield piece
        finally:
            self.readers -= 1
            self._thread.submit(work.close)  # after the step under way

    def close(self) -> None:
        """End the thread; steps that have not begun are dropped."""
        self._thread.shutdown(wait=True, cancel_futures=True)
