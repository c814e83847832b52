"""Text in one form, and without what identifies a person.

Chapter 7 says what each step repairs. Both functions change nothing when
they are called again on what they returned.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata

JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"  # scripts need them
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
IP = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
PHONE = re.compile(
    r"(?<![\w.])(?:\+\d{1,3}(?:[ .-]?\(?\d{2,4}\)?){2,5}"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?!\w)"
)


def clean(text: str) -> str:
    """text -> the same text as one sequence of characters.

    Removes control and invisible characters, joins what Unicode can write in
    two ways (NFC), makes every kind of space one space and every kind of
    line end one newline, with at most one empty line. Chapter 7.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub("[\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\v\f]", "\n", text)
    visible = [
        char for char in text
        if char in "\n\t" or char in JOINERS
        or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    ]  # fmt: skip
    text = unicodedata.normalize("NFC", "".join(visible))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def mask_pii(text: str) -> str:
    """text -> the text with [email], [ip] and [phone] in their places.

    Masked are e-mail addresses, public IPv4 addresses, and numbers written
    like international or North American telephone numbers. Names are not
    found: that takes a model. Chapter 7.
    """
    text = EMAIL.sub("[email]", text)
    text = IP.sub(lambda m: "[ip]" if is_public(m[0]) else m[0], text)
    return PHONE.sub("[phone]", text)


def is_public(address: str) -> bool:
    """Whether an IPv4 address is one that leads to somebody."""
    try:
        return ipaddress.IPv4Address(address).is_global
    except ValueError:  # 999.1.1.1, or a version number with zeros
        return False
