"""The common chat format: what a request may say, and what is answered.

Chapter 13 reads it. It is the JSON of OpenAI's chat completions, which most
servers and clients understand; what is not done here is refused, not ignored.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from llm_utils.infer.speaker import Message, Settings

STRICT = ConfigDict(strict=True, allow_inf_nan=False)
UNABLE = (
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias",
    "logprobs", "modalities", "prediction", "presence_penalty", "tools",
    "top_logprobs", "web_search_options",
)  # fmt: skip
"""Would change the answer, and cannot be done here: a value is refused."""


class Part(BaseModel):
    """A part of a message; only text can be read."""

    model_config = STRICT
    type: Literal["text"]
    text: str


class Said(BaseModel):
    """One message."""

    model_config = STRICT
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @field_validator("content", mode="before")
    @classmethod
    def _readable(cls, content: Any) -> Any:
        parts = content if isinstance(content, list) else []
        if any(isinstance(p, dict) and p.get("type") != "text" for p in parts):
            raise ValueError("only parts of type 'text' can be read")
        return content

    def plain(self) -> Message:
        if isinstance(self.content, str):
            return {"role": self.role, "content": self.content}
        text = "".join(part.text for part in self.content)
        return {"role": self.role, "content": text}


class StreamOptions(BaseModel):
    model_config = STRICT
    include_usage: bool = False


Stop = Annotated[str, Field(min_length=1, max_length=200)]


class ChatRequest(BaseModel):
    """The body of POST /v1/chat/completions. top_k and min_p are ours."""

    model_config = ConfigDict(**STRICT, extra="allow")
    model: str
    messages: list[Said] = Field(min_length=1, max_length=1000)
    max_completion_tokens: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)  # its older name
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=1)
    min_p: float | None = Field(None, ge=0, le=1)
    stop: Stop | list[Stop] | None = None
    seed: int | None = None
    n: int | None = Field(None, ge=1, le=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @field_validator("stop")
    @classmethod
    def _few(cls, stop: Any) -> Any:
        if isinstance(stop, list) and len(stop) > 4:
            raise ValueError("give at most 4 stop strings")
        return stop

    @model_validator(mode="after")
    def _able(self) -> ChatRequest:
        for name in UNABLE:
            if (self.model_extra or {}).get(name):
                raise ValueError(f"{name} is not supported here: leave it out")
        return self

    def settings(self, n: int) -> Settings:
        """How to draw; n: tokens if the request does not say."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Settings(
            n=self.max_completion_tokens or self.max_tokens or n,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=self.top_p, top_k=self.top_k, min_p=self.min_p,
            seed=self.seed, stop=tuple(stop),
        )  # fmt: skip


class Answer:
    """The JSON objects of one answer, whole or in chunks."""

    def __init__(self, model: str) -> None:
        self.id = f"chatcmpl-{uuid.uuid4().hex}"
        self.model, self.created = model, int(time.time())

    def whole(
        self, text: str, ended: str, usage: Mapping[str, int]
    ) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": ended}
        return self._object("", [choice | {"logprobs": None}], usage=usage)

    def chunk(
        self, delta: Mapping[str, str], ended: str = "", **more: Any
    ) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": ended or None}
        return self._object(".chunk", [choice], **more)

    def last(self, usage: Mapping[str, int]) -> dict[str, Any]:
        """The chunk that only counts, if the request asked for it."""
        return self._object(".chunk", [], usage=usage)

    def _object(
        self, kind: str, choices: Sequence[Any], **more: Any
    ) -> dict[str, Any]:
        return {
            "id": self.id, "object": f"chat.completion{kind}",
            "created": self.created, "model": self.model,
            "choices": choices, **more,
        }  # fmt: skip


def usage(prompt: int, reply: int) -> dict[str, int]:
    """Tokens that were read and written."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": reply,
        "total_tokens": prompt + reply,
    }


def error(
    message: str,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
) -> dict[str, Any]:
    """What every failure looks like."""
    body = {"message": message, "type": kind, "param": param, "code": code}
    return {"error": body}
