"""Exercise 1 of chapter 13: the objects in a stream of events.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import json
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence


def _events(
    stream: str, mark: str = "data:", stop: bool = True, parse: bool = True
) -> list[Any]:
    """The objects, with their mistakes as knobs."""
    found: list[Any] = []
    for line in stream.split("\n"):
        if not line.startswith(mark):
            continue
        text = line.removeprefix(mark).strip()
        if stop and text == "[DONE]":
            break
        found.append(json.loads(text) if parse else text)
    return found


def _first_line_only(stream: str) -> list[Any]:
    """Takes each block as one line, so a comment above hides the data."""
    found = []
    for block in stream.split("\n\n"):
        text = block.removeprefix("data:").strip()
        if text == "[DONE]":
            break
        if block.startswith("data:"):
            found.append(json.loads(text.split("\n")[0]))
    return found


def _skipping(stream: str) -> list[Any]:
    found = []
    for line in stream.split("\n"):
        text = line.removeprefix("data:").strip()
        if line.startswith("data:") and text != "[DONE]":
            found.append(json.loads(text))
    return found


read_events = Exercise(
    name="read_events",
    asks="write read_events(stream), a list of the objects in it",
    reference=_events,
    cases=[
        ('data: {"a": 1}\n\n',),
        ('data: {"a": 1}\n\ndata: {"b": 2}\n\ndata: [DONE]\n\n',),
        ('data:{"a": 1}\n\ndata: {"b": 2}\n\n',),
        (': wait\ndata: {"a": 1}\n\nevent: x\ndata: {"b": 2}\n\n',),
        ('data: {"text": "data: [DONE]"}\n\ndata: [DONE]\n\n',),
        ('data: {"a": 1}\n\ndata: [DONE]\n\ndata: {"late": 1}\n\n',),
        ("",),
    ],
    form=sequence,
    mistakes=[
        Mistake(
            "The end of a stream, [DONE], is no JSON. Stop when it comes, "
            "before you parse.",
            lambda stream: _events(stream, stop=False),
        ),
        Mistake(
            "The space behind the colon may be missing. Look for 'data:' and "
            "strip what follows.",
            lambda stream: _events(stream, mark="data: "),
        ),
        Mistake(
            "You return the texts. Each is JSON: json.loads gives the object.",
            lambda stream: _events(stream, parse=False),
        ),
        Mistake(
            "Lines that begin otherwise, such as a comment ': wait', may "
            "stand above the data of an event. Go line by line.",
            _first_line_only,
        ),
        Mistake(
            "You skip [DONE] and read on. It is the end: what comes after it "
            "does not belong to the reply.",
            _skipping,
        ),
    ],
    praise="Every client of every chat service contains these lines.",
)
