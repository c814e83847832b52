"""How BERT cuts text into words, before WordPiece cuts the words.

Chapter 1 uses it as it is: rules that a library follows, written down. Equal
to the BertNormalizer and BertPreTokenizer of Hugging Face `tokenizers`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from .special import utf8

_CJK = (  # the blocks whose characters are words by themselves
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),  # as BertTokenizer has it; BERT began at 0x2B820
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)

# BertTokenizer still reads the tables of Unicode 8. Marks, punctuation and
# controls that came later are letters to it; three characters have changed.
_NEWER_RANGES = """
5C8-5C9 61D 7FD 890-891 897-89F 8CA-8E2 9FD-9FE A76 AFA-AFF B53-B55 C04 C3C
C77 C84 D00 D3B-D3C D81 EBA ECE 180F 1885-1886 1ABF-1AF0 1B4E-1B4F 1B7D-1B7F
1DF6-1DFB 2E43-2E4F 2E52-2E5D 2E60-2E63 A82C A8C5 A8FF A9BD 10D24-10D27
10D69-10D6E 10EAB-10EAD 10ECB-10ED0 10EF0-10EFF 10F46-10F50 10F55-10F59
10F82-10F89 11070 11073-11074 110C2 110CD 111CF 1123E 11241 1133B 113BB-113C0
113CE 113D0 113D2 113D4-113D5 113D7-113D8 113E1-113E2 11438-1143F 11442-11444
11446 1144B-1144F 1145A-1145B 1145D-1145E 11660-1166C 116B9 1182F-11837
11839-1183B 1193B-1193C 1193E 11943-11946 119D4-119D7 119DA-119DB 119E0 119E2
11A01-11A0A 11A33-11A38 11A3B-11A47 11A51-11A56 11A59-11A5B 11A8A-11A96
11A98-11A9C 11A9E-11AA2 11B00-11B09 11B60 11B62-11B64 11B66 11BE1 11C30-11C36
11C38-11C3D 11C3F 11C41-11C45 11C70-11C71 11C92-11CA7 11CAA-11CB0 11CB2-11CB3
11CB5-11CB6 11D31-11D36 11D3A 11D3C-11D3D 11D3F-11D45 11D47 11D90-11D91 11D95
11D97 11DF0 11EF3-11EF4 11EF7-11EF8 11F00-11F01 11F36-11F3A 11F40 11F42-11F4F
11F5A 11FFF 12FF1-12FF2 13430-13440 13447-13455 1611E-16129 1612D-1612F
16D6D-16D6F 16E97-16E9A 16F4F 16FE2 16FE4 1CF00-1CF2D 1CF30-1CF46 1D127-1D128
1D25B-1D25C 1E000-1E006 1E008-1E018 1E01B-1E021 1E023-1E024 1E026-1E02A 1E08F
1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF 1E5EE-1E5EF 1E5FF 1E6E3 1E6E6
1E6EE-1E6EF 1E6F5 1E944-1E94A 1E95E-1E95F
"""
_CHANGED = {0x166D: "Po", 0x1734: "Mn", 0x111C9: "Po"}
_NEWER = {
    code
    for low, _, high in (item.partition("-") for item in _NEWER_RANGES.split())
    for code in range(int(low, 16), int(high or low, 16) + 1)
}


def split_words(text: str, lowercase: bool = True) -> list[str]:
    """text -> words and punctuation marks, cleaned as BERT cleans.

    Control characters go, CJK characters and punctuation stand alone, and
    lowercase=True drops case and accents.
    """
    utf8(text)  # no half surrogate pairs
    text = text.translate(_CLEAN)
    if lowercase:
        text = unicodedata.normalize("NFD", text).translate(_LOWER)
    return text.translate(_PUNCTUATION).split()


class _Table(dict[int, str]):
    """A table for str.translate, filled from a function as it is used."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        super().__init__()
        self.rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = out = self.rule(chr(code))
        return out


def _category(char: str) -> str:
    """The Unicode category of a character, as Unicode 8 (2015) had it."""
    code = ord(char)
    if code in _NEWER:
        return "Lo"
    return _CHANGED.get(code) or unicodedata.category(char)


def _clean(char: str) -> str:
    """Control characters vanish, spaces are " ", CJK stands alone."""
    if char in "\t\n\r":
        return " "
    category = _category(char)
    if category in ("Cc", "Cf", "Co") or char == "\ufffd":
        return ""
    if category[0] == "Z":
        return " "
    if any(low <= ord(char) <= high for low, high in _CJK):
        return f" {char} "
    return char


def _lower(char: str) -> str:
    """Lower case; accents, which NFD has set apart, vanish."""
    return "" if _category(char) == "Mn" else char.lower()


def _punctuation(char: str) -> str:
    """Punctuation stands alone; in ASCII so do $ + < = > ^ ` | ~."""
    ascii_mark = char.isascii() and char.isprintable() and not char.isalnum()
    mark = ascii_mark or _category(char)[0] == "P"
    return f" {char} " if mark and char != " " else char


_CLEAN = _Table(_clean)
_LOWER = _Table(_lower)
_PUNCTUATION = _Table(_punctuation)
