"""Exercise 1 of chapter 7: a text in one form.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import Any, Literal

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.watch import WrongForm

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


def _tidy(
    text: str,
    gone: tuple[str, ...] = ("Cc", "Cf"),
    stays: str = "\n\t",
    form: Form | None = "NFC",
    early: bool = False,
    spaces: str = "one",
) -> str:
    """The text in one form, with its mistakes as knobs."""
    if early and form:
        text = unicodedata.normalize(form, text)
    text = "".join(
        char
        for char in text
        if char in stays or unicodedata.category(char) not in gone
    )
    if form and not early:
        text = unicodedata.normalize(form, text)
    lines = text.split("\n")
    if spaces == "one":
        lines = [" ".join(line.split()) for line in lines]
    elif spaces == "ends":
        lines = [line.strip() for line in lines]
    elif spaces == "plain":
        lines = [
            " ".join(word for word in line.split(" ") if word) for line in lines
        ]
    return "\n".join(lines)


def _text(x: Any) -> str:
    if not isinstance(x, str):
        raise WrongForm(f"a {type(x).__name__}; a text (str) is asked for")
    return x


def _whole(text: str) -> str:
    """The space at both ends of the text only, and runs inside lines."""
    lines = _tidy(text, spaces="none").split("\n")
    gaps = [
        [" "] * bool(line[:1].isspace()) + [" ".join(line.split())]
        + [" "] * bool(line[-1:].isspace())
        for line in lines
    ]  # fmt: skip
    return "\n".join("".join(parts) for parts in gaps).strip()


tidy = Exercise(
    name="tidy",
    asks="write tidy(text), the same text in one form",
    reference=_tidy,
    cases=[
        ("a\u200bb",),
        ("caf\u0065\u0301",),
        ("a\tb",),
        ("one\ntwo",),
        (" a  b ",),
        ("A\u00a0b",),
        ("a \n b",),
        ("one\n\ntwo",),
        ("e\u200b\u0301",),
        ("m\u00b2 \ufb01ne",),
        ("\ufeffna\u00efve \x00 end\u00ad",),
    ],
    form=_text,
    mistakes=[
        Mistake(
            "The ends of lines are gone, and with them the paragraphs. "
            "A newline is a control character, too: keep it, and tidy the "
            "spaces line by line.",
            lambda text: " ".join(_tidy(text).split()),
        ),
        Mistake(
            "The ends of lines are gone, and the words beside them stick "
            "together. A newline is a control character (Cc): make an "
            "exception of it.",
            partial(_tidy, stays="\t"),
        ),
        Mistake(
            "A tab vanishes, and the words beside it stick together. It is a "
            "control character (Cc), but also a space: make it one.",
            partial(_tidy, stays="\n"),
        ),
        Mistake(
            "Tabs and newlines vanish, and the words beside them stick "
            "together. Both are control characters (Cc): make an exception "
            "of them.",
            partial(_tidy, stays=""),
        ),
        Mistake(
            "Some spaces vanish, and words stick together: str.isprintable "
            "is False for tabs and for every space but the plain one. Ask "
            "unicodedata.category instead.",
            lambda text: _tidy(
                "".join(c for c in text if c.isprintable() or c == "\n")
            ),
        ),
        Mistake(
            "That is NFKC. It replaces characters by others that mean nearly "
            "the same: the square of m\u00b2 becomes a plain 2. NFC only "
            "chooses between two spellings of one character.",
            partial(_tidy, form="NFKC"),
        ),
        Mistake(
            "That is NFD, which takes letters and accents apart. NFC puts "
            "them together.",
            partial(_tidy, form="NFD"),
        ),
        Mistake(
            "A letter followed by an accent is still two characters. Bring "
            "the text into the form NFC.",
            partial(_tidy, form=None),
        ),
        Mistake(
            "You compose first and remove characters afterwards. An invisible "
            "character between a letter and its accent keeps the two apart: "
            "remove it first.",
            partial(_tidy, early=True),
        ),
        Mistake(
            "Letters are gone that are not ASCII, and your text has other "
            "words. Remove only the categories Cc and Cf.",
            lambda text: _tidy(text.encode("ascii", "ignore").decode()),
        ),
        Mistake(
            "Everything beyond ASCII is gone, accents and all, so that some "
            "words are other words now. Remove only the categories Cc and "
            "Cf.",
            lambda text: _tidy(text).encode("ascii", "ignore").decode(),
        ),
        Mistake(
            "Control characters go, but invisible ones stay: the zero-width "
            "space, the soft hyphen, the mark at the start of a file. Their "
            "category is Cf.",
            partial(_tidy, gone=("Cc",)),
        ),
        Mistake(
            "Invisible characters go, but control characters stay. Their "
            "category is Cc.",
            partial(_tidy, gone=("Cf",)),
        ),
        Mistake(
            "Neither control nor invisible characters are removed. Their "
            "categories are Cc and Cf.",
            partial(_tidy, gone=()),
        ),
        Mistake(
            "Spaces are as they were. In each line make every run of them "
            "one, and leave none at its ends.",
            partial(_tidy, spaces="none"),
        ),
        Mistake(
            "Spaces at the ends of lines go, but runs inside a line stay, "
            "and so do tabs. Of each run make one plain space.",
            partial(_tidy, spaces="ends"),
        ),
        Mistake(
            "You cut lines at the plain space only. A tab and a no-break "
            "space are spaces, too: line.split(), without an argument, knows "
            "them all.",
            partial(_tidy, spaces="plain"),
        ),
        Mistake(
            "Spaces at both ends of the text go, but those at the ends of "
            "the lines inside stay. Tidy line by line.",
            _whole,
        ),
        Mistake(
            "Empty lines are gone. They part paragraphs, and a line without "
            "a word is still a line.",
            lambda text: "\n".join(x for x in _tidy(text).split("\n") if x),
        ),
        Mistake(
            "Your text has only small letters. Case is for the reader to "
            "keep: tidy changes no letter.",
            lambda text: _tidy(text).lower(),
        ),
    ],
    praise="Two texts that look equal are now equal, and that is what every "
    "later step compares.",
)
