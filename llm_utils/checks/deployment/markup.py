"""Exercise 6 of chapter 13: an escape that escapes once too often.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import html
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.watch import WrongForm

SIGNS = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))


def _escape(text: str, signs: Any = SIGNS) -> str:
    for sign, spelled in signs:
        text = text.replace(sign, spelled)
    return text


def _text(x: Any) -> str:
    if not isinstance(x, str):
        raise WrongForm(f"a {type(x).__name__}; a text is asked for")
    return (
        x.replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&#34;", "&quot;")
    )


escape = Exercise(
    name="escape",
    asks="mend escape(text), so that a browser shows the text as it is",
    reference=_escape,
    cases=[
        ("a",),
        ("<",),
        (">",),
        ('"',),
        ("&",),
        ("<b>",),
        ("&lt;",),
        ('<a title="x & y">',),
        ("<<&&>>",),
    ],
    form=_text,
    mistakes=[
        Mistake(
            "The & of '&lt;' is escaped again: '&amp;lt;'. Replace the & "
            "first, when no other sign has been spelled yet.",
            lambda text: _escape(text, (*SIGNS[1:], SIGNS[0])),
        ),
        Mistake(
            "An & in the text stays as it is, so a reader who typed '&lt;' "
            "sees '<'. Escape it as well, as the first.",
            lambda text: _escape(text, SIGNS[1:]),
        ),
        Mistake(
            'The quotation mark is missing. In title="..." it ends the '
            "value, and what follows is markup again.",
            lambda text: _escape(text, SIGNS[:3]),
        ),
        Mistake(
            "You take markup away. Nothing may be lost: a reader who typed "
            "it wants to see it.",
            when=lambda args, x: len(x) < len(args[0]),
        ),
        Mistake(
            "You skip an & that looks like an escape. Who typed '&lt;' wants "
            "to see '&lt;', so it becomes '&amp;lt;'.",
            lambda text: _escape(html.unescape(text)),
        ),
        Mistake(
            "Each sign is replaced once: replace(a, b, 1) or a search for "
            "the first. All of them have to be.",
            lambda text: "".join(
                _escape(c) if text.index(c) == i else c
                for i, c in enumerate(text)
            ),
        ),
    ],
    praise="html.escape of Python's library does the same, in this order.",
)
