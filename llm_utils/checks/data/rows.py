"""Exercise 9 of chapter 7: documents in rows, and which one each token is of.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import sequence
from llm_utils.checks.watch import WrongForm

Row = tuple[list[int], list[int], list[int]]


def _rows(
    docs: list[list[int]],
    T: int,
    end: int,
    step: int = 0,
    put: str = "after",
    rest: str = "left",
    target: str = "next",
    of: str = "x",
) -> list[Row]:
    """The rows, with their mistakes as knobs."""
    tokens: list[int] = []
    which: list[int] = []
    for i, doc in enumerate(docs):
        new = [*doc, end] if put == "after" else list(doc)
        new = [end, *new] if put == "before" else new
        tokens += new
        which += [i] * (len(doc) if of == "words" else len(new))
    found, spare = [], {"full": T, "lost": T + 2}.get(rest, T + 1)
    stop = len(tokens) if rest == "kept" else len(tokens) - spare + 1
    for k in range(0, max(stop, 0), T + step):
        x, y = tokens[k : k + T], tokens[k + 1 : k + T + 1]
        d = which[k : k + T]
        if rest == "kept" and not y:
            continue
        if rest == "kept":
            x, d = x[: len(y)], d[: len(y)]
        if target == "same":
            y = list(x)
        elif target == "wrap":
            y = [*x[1:], x[0]]
        if of == "row":
            d = [w - d[0] for w in d]
        elif of == "y":
            d = which[k + 1 : k + T + 1]
        found.append((x, y, d))
    return found


def _alone(docs: list[list[int]], T: int, end: int) -> list[Row]:
    """Each document is cut by itself; what does not fill a row is lost."""
    return [
        (x, y, [i] * T)
        for i, doc in enumerate(docs)
        for x, y, _ in _rows([doc], T, end)
    ]


def _three(x: Any) -> list[Any]:
    """[[x, y, which], ...] as lists, from lists, arrays, tensors."""
    rows = [sequence(row) for row in sequence(x)]
    if not all(
        len(row) == 3 and all(hasattr(part, "__len__") for part in row)
        for row in rows
    ):
        raise WrongForm("rows that are not three lists: x, y and which")
    return [[[int(n) for n in sequence(part)] for part in row] for row in rows]


pack_rows = Exercise(
    name="pack_rows",
    asks="write pack_rows(docs, T, end), a list of rows (x, y, which)",
    reference=_rows,
    cases=[
        ([[1, 2, 3]], 3, 0),
        ([[1], [2]], 3, 0),
        ([[1, 2], [3]], 2, 0),
        ([[1, 2], [3, 4], [5]], 3, 0),
        ([[1, 2, 3, 4, 5], [6, 7], [8]], 3, 9),
        ([[1], [2, 3], [4], [5, 6, 7, 8]], 4, 0),
        ([[1]], 3, 0),
    ],
    form=_three,
    mistakes=[
        Mistake(
            "A token is lost at the border of two rows: it is the last "
            "target of none. The first x of a row is the last y of the row "
            "before, so rows begin T tokens apart, not T + 1.",
            partial(_rows, step=1),
        ),
        Mistake(
            "A row begins at every token. Then each token is a target T "
            "times: rows begin T tokens apart.",
            lambda docs, T, end: _rows(docs, T, end, step=1 - T),
        ),
        Mistake(
            "The three lists are right, in another order: x, y, which.",
            lambda docs, T, end: [(x, d, y) for x, y, d in _rows(docs, T, end)],
        ),
        Mistake(
            "Documents are numbered from 1 in yours. The first is number 0.",
            lambda docs, T, end: [
                (x, y, [i + 1 for i in d]) for x, y, d in _rows(docs, T, end)
            ],
        ),
        Mistake(
            "No end token: documents run into each other. Put one behind each.",
            partial(_rows, put="none"),
        ),
        Mistake(
            "You put the end token before each document. It belongs behind, "
            "where the model should say that it is over.",
            partial(_rows, put="before"),
        ),
        Mistake(
            "The last row is shorter than the others. What does not fill a "
            "row is left out.",
            partial(_rows, rest="kept"),
        ),
        Mistake(
            "The last row has T tokens in x and no target for the last one. "
            "A row needs T + 1 tokens of the stream.",
            partial(_rows, rest="full"),
        ),
        Mistake(
            "The last row is missing where the stream fills it exactly. "
            "Either the last document has no end token, or your range stops "
            "one short: T + 1 tokens are enough for a row.",
            partial(_rows, rest="lost"),
        ),
        Mistake(
            "y is x itself, so a model can copy. The target is the token "
            "after: one place further in the stream.",
            partial(_rows, target="same"),
        ),
        Mistake(
            "The last target of a row is its own first token. It is the next "
            "token of the stream, which stands at the start of the next "
            "row's x.",
            partial(_rows, target="wrap"),
        ),
        Mistake(
            "You count the documents anew in each row. `which` is the number "
            "of a document in docs.",
            partial(_rows, of="row"),
        ),
        Mistake(
            "An end token counts as the next document's, as if `which` "
            "belonged to y. It belongs to x: put the end token behind its "
            "document first, then number both alike.",
            partial(_rows, of="y"),
        ),
        Mistake(
            "`which` has no number for the end tokens, so it falls behind "
            "the stream. Number each document and the end token behind it.",
            partial(_rows, of="words"),
        ),
        Mistake(
            "You cut each document by itself, and what does not fill a row "
            "is lost. Write all of them on end to end first.",
            _alone,
        ),
    ],
    praise="No token is wasted, every one but the first is a target once, "
    "and attention can be told where a document ends.",
)
