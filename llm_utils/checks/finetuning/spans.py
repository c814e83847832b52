"""Exercise 3 of chapter 14: a conversation in pieces, learned or not.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm

Messages = Sequence[Mapping[str, str]]
Span = tuple[str, bool]
END = "<|endoftext|>"


def _spans(
    messages: Messages,
    begin: str = END,
    end: bool = True,
    head: bool = False,
    asked: bool = False,
    space: bool = True,
    every: bool = False,
    one: bool = False,
) -> list[Span]:
    """The pieces, with the mistakes as knobs."""
    found = [(begin, False)]
    last = len(messages) - 1
    for n, message in enumerate(messages):
        words = message["content"]
        if message["role"] == "system":
            found += [(words + "\n", False)]
        elif message["role"] == "user":
            found += [("Question: ", asked), (words, asked)]
            found += [(END, True)] if every else [("\n", asked)]
        else:
            learn = n == last or not one
            found += [("Answer:", head), (" ", head or (space and learn))]
            found += [(words, learn), (END, end and learn)]
    return found


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Neighbors that are alike as one, and no empty ones."""
    found: list[Span] = []
    for text, learn in spans:
        if found and found[-1][1] == learn:
            found[-1] = (found[-1][0] + text, learn)
        elif text:
            found.append((text, learn))
    return found


def _form(x: Any) -> list[Span]:
    found = []
    for pair in sequence(x):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise WrongForm(f"a list with {pair!a}; pairs are asked for")
        text, learn = pair
        if not isinstance(text, str) or learn not in (True, False):
            raise WrongForm(f"a list with {pair!a}; (text, True or False)")
        found.append((text, bool(learn)))
    return _merged(found)


def _chat(*turns: str, story: str = "") -> list[dict[str, str]]:
    roles = ("user", "assistant")
    system = [{"role": "system", "content": story}] if story else []
    return system + [
        {"role": roles[i % 2], "content": text} for i, text in enumerate(turns)
    ]


def _text(spans: Sequence[Span]) -> str:
    return "".join(text for text, _ in spans)


spans = Exercise(
    name="spans",
    asks="write spans(messages): a list of (text, learn) pairs",
    reference=_spans,
    cases=[
        (_chat("Who?", "Tom."),),
        (_chat("Who?", "Tom.", story="Tom sat."),),
        (_chat("Who?", "Tom.", "Where?", "Here.", story="Tom sat."),),
        (_chat("Where?", story="Tom sat."),),
    ],
    form=_form,
    same=lambda a, b: _merged(a) == _merged(b),
    mistakes=[
        Mistake(
            "The token that ends an answer is not learned. The model would "
            "never stop by itself.",
            partial(_spans, end=False),
        ),
        Mistake(
            "You let the model learn 'Answer:'. It is given in every prompt, "
            "and should not be learned.",
            partial(_spans, head=True),
        ),
        Mistake(
            "The questions are learned as well. People ask; the model answers.",
            partial(_spans, asked=True),
        ),
        Mistake(
            "The space before an answer belongs to its first word, and is "
            "learned with it.",
            partial(_spans, space=False),
        ),
        Mistake(
            "The conversation does not begin with <|endoftext|>, behind "
            "which the model has met every story.",
            partial(_spans, begin=""),
        ),
        Mistake(
            "Only the last answer is learned. All of them count.",
            partial(_spans, one=True),
        ),
        Mistake(
            "You end questions with <|endoftext|> as well, and learn it. "
            "They end in a line break, which is not learned.",
            partial(_spans, every=True),
        ),
        Mistake(
            "The text is right, but not what is learned of it.",
            when=lambda args, value: _text(value) == _text(_spans(*args)),
        ),
    ],
    praise="A template is no more than this, and a way to encode it.",
)
