"""An HTTP endpoint in the common chat format.

Chapter 13 derives it. Any client of that format can use it: point its address
to http://127.0.0.1:8000/v1.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from llm_utils.infer.chat_format import Answer, ChatRequest, error, usage
from llm_utils.infer.engine import Busy, Engine
from llm_utils.infer.listen import Closing, SmallBodies
from llm_utils.infer.speaker import Piece, Speaker

OURS = (ArithmeticError, LookupError, RuntimeError, ValueError)
KINDS = {401: "authentication_error", 429: "rate_limit_error"}


@dataclass(frozen=True)
class Limits:
    """What one server takes on."""

    slots: int = 16  # replies that are written at a time
    waiting: int = 64  # that wait for one to end; the next is refused
    tokens: int = 256  # of a reply, if the request does not say
    body: int = 2**20  # bytes of a request


def api(
    speaker: Speaker,
    engine: Engine | None = None,
    limits: Limits | None = None,
    key: str | None = None,
) -> FastAPI:
    """The endpoint: /v1/chat/completions and /v1/models.

    engine: share one with an app that serves the same model. key: what clients
    must send as their API key; None lets everybody in. Chapter 13.
    """
    limits = limits or Limits()
    engine = engine or Engine(limits.slots, limits.waiting)

    def check_key(request: Request) -> None:
        sent = request.headers.get("authorization", "").encode()
        if key and not hmac.compare_digest(sent, f"Bearer {key}".encode()):
            raise HTTPException(401, error("wrong API key", KINDS[401]))

    def check_model(name: str) -> dict[str, Any]:
        if name != speaker.name:
            raise HTTPException(404, error(
                f"there is no model {name!r}, only {speaker.name!r}",
                code="model_not_found", param="model",
            ))  # fmt: skip
        return {
            "id": name, "object": "model", "created": speaker.created,
            "owned_by": "llm_utils",
        }  # fmt: skip

    app = FastAPI(
        title="llm_utils", docs_url=None, redoc_url=None,
        dependencies=[Depends(check_key)],
    )  # fmt: skip
    app.state.engine = engine
    app.add_middleware(SmallBodies, most=limits.body)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AnyHTTPException, _failed)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(Exception, _broken)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [check_model(speaker.name)]}

    @app.get("/v1/models/{name}")
    async def one_model(name: str) -> dict[str, Any]:
        return check_model(name)

    @app.post("/v1/chat/completions")
    async def chat(body: ChatRequest, request: Request) -> Response:
        check_model(body.model)
        try:
            ids = speaker.ids([said.plain() for said in body.messages])
            work = speaker.reply(ids, body.settings(limits.tokens))
        except ValueError as wrong:
            raise HTTPException(400, error(str(wrong))) from wrong
        pieces, answer = engine.run(work), Answer(speaker.name)
        if body.stream:
            options = body.stream_options
            count = bool(options and options.include_usage)
            first = await anext(pieces)  # Busy, and any error, before the 200
            return Closing(
                events(answer, first, pieces, len(ids), count),
                media_type="text/event-stream",
                headers={"cache-control": "no-cache"},
            )
        return await _whole(answer, pieces, len(ids), request)

    return app


async def _whole(
    answer: Answer,
    pieces: AsyncGenerator[Piece, None],
    n_prompt: int,
    request: Request,
) -> Response:
    """All pieces as one object; none if the client has gone meanwhile."""
    text, n, ended = "", 0, ""
    async with aclosing(pieces):
        async for piece in pieces:
            text, n, ended = text + piece.text, n + len(piece.ids), piece.ended
            if await request.is_disconnected():
                return Response(status_code=499)
    return JSONResponse(answer.whole(text, ended, usage(n_prompt, n)))


async def events(
    answer: Answer,
    first: Piece,
    pieces: AsyncGenerator[Piece, None],
    n_prompt: int,
    count: bool = False,
) -> AsyncGenerator[str, None]:
    """Server-sent events: one for each piece, then the reason, then [DONE].

    count: the tokens of prompt and reply, in a chunk of their own, as the
    format has it.
    """
    blank: dict[str, Any] = {"usage": None} if count else {}
    n = 0
    async with aclosing(pieces):
        hello = {"role": "assistant", "content": ""}
        yield event(answer.chunk(hello, **blank))
        try:
            async for piece in chain(first, pieces):
                n += len(piece.ids)
                delta = {"content": piece.text} if piece.text else {}
                yield event(answer.chunk(delta, piece.ended, **blank))
        except OURS:
            yield event(error("the server failed", "server_error"))
            raise
        if count:
            yield event(answer.last(usage(n_prompt, n)))
        yield "data: [DONE]\n\n"


async def chain(
    first: Piece, rest: AsyncGenerator[Piece, None]
) -> AsyncGenerator[Piece, None]:
    """The piece that was looked at, then the others."""
    yield first
    async for piece in rest:
        yield piece


def event(record: Any) -> str:
    """One server-sent event. JSON has no line end in it, so one line does."""
    return f"data: {json.dumps(record)}\n\n"


async def _invalid(request: Request, wrong: Any) -> Response:
    """A body that is no request: the first thing that is wrong with it."""
    first = wrong.errors()[0]
    place = ".".join(str(x) for x in first["loc"] if x != "body")
    says = first["msg"].removeprefix("Value error, ")
    says = f"{place}: {says}" if place else says
    return JSONResponse(error(says, param=place or None), 400)


async def _failed(request: Request, wrong: Any) -> Response:
    body = wrong.detail
    if not isinstance(body, dict):
        body = error(
            str(body), KINDS.get(wrong.status_code, "invalid_request_error")
        )
    return JSONResponse(body, wrong.status_code, wrong.headers)


async def _busy(request: Request, wrong: Any) -> Response:
    return JSONResponse(
        error(str(wrong), KINDS[429], "overloaded"), 429, {"retry-after": "1"}
    )


async def _broken(request: Request, wrong: Any) -> Response:
    """An error of ours: it is logged, and not told to the client."""
    return JSONResponse(error("the server failed", "server_error"), 500)
