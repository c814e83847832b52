"""Listening: a server in a thread, small bodies, streams that end in time.

Chapter 13 uses it under `serve` and `app`; nothing here knows a model.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import uvicorn
from fastapi import HTTPException
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Closing(StreamingResponse):
    """A stream that ends its work when the client has gone."""

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().__call__(scope, receive, send)


class SmallBodies:
    """Refuses a body that is too large, before it is in memory."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self.most:
                raise HTTPException(
                    413, f"the request is over {self.most:,} bytes: shorten it"
                )
            return message

        await self.app(scope, counted, send)


@contextmanager
def running(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an app in a thread while the `with` lasts; gives its address.

    port 0 takes a free one. OSError if the port is taken. Chapter 13.
    """
    options: dict[str, Any] = {"log_level": "warning"}
    options["timeout_graceful_shutdown"] = 1
    server = uvicorn.Server(uvicorn.Config(app, host, port, **options))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            yield f"http://{host}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
