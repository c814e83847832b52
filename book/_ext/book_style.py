"""The colors of code in the PDF; css/book.css has the same for HTML."""

from __future__ import annotations

from typing import ClassVar

from pygments.style import Style
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    Token,
)

INK, QUIET = "#1c1c1a", "#66665f"
BLUE, GREEN, WARM, RED = "#00629b", "#00694b", "#9a4a00", "#a1260d"


class BookStyle(Style):
    """Few colors: keywords, strings, numbers, comments; the rest is ink."""

    background_color = "#f5f5f1"
    styles: ClassVar = {
        Token: INK,
        Comment: f"italic {QUIET}",
        Keyword: BLUE,
        Keyword.Constant: WARM,
        Operator.Word: BLUE,
        Name.Function: f"bold {INK}",
        Name.Class: f"bold {INK}",
        Name.Decorator: QUIET,
        Number: WARM,
        String: GREEN,
        Generic.Deleted: RED,
        Generic.Inserted: GREEN,
        Generic.Subheading: QUIET,
        Generic.Error: RED,
    }
