"""The PDF loses nothing: folded text, hidden cells, rare characters."""

from __future__ import annotations

import book_fold
import book_fonts
import book_latex
import pytest
from docutils import nodes
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("html", "paragraphs"),
    [
        ("<details><summary>Hint 1</summary>", ["Hint 1"]),
        ("<details>\n<summary>Why</summary>\nSo.", ["Why", "So."]),
        ("<p>a <b>b</b></p><p>c<br>d</p>", ["a b", "c", "d"]),
        ("</details>", []),
        ("<script>var x = 1;</script><style>p {}</style>", []),
        ("&lt;b&gt; &amp; so", ["<b> & so"]),
    ],
)
def test_what_html_shows_is_kept(html: str, paragraphs: list[str]) -> None:
    found = [p.astext().strip() for p in book_fold.paragraphs(html)]
    assert found == paragraphs


def test_the_title_of_a_fold_is_bold() -> None:
    (title,) = book_fold.paragraphs("<summary>Hint</summary>")
    assert isinstance(title[0], nodes.strong)


WORDS = st.text(st.characters(exclude_characters="<>&", categories=["L", "N"]))


@given(st.lists(WORDS, max_size=5))
def test_no_word_is_lost(words: list[str]) -> None:
    html = "<div>" + "".join(f"<p><i>{w}</i></p>" for w in words) + "</div>"
    found = "".join(p.astext() for p in book_fold.paragraphs(html))
    assert found.replace(" ", "") == "".join(words)


# Text fonts with ASCII and e-acute; one fallback with Han, one with emoji.
LATIN = frozenset([*range(32, 127), ord("é")])
FONTS = book_fonts.Fallbacks(
    [LATIN, LATIN | {ord("→")}, LATIN],
    [("han", frozenset(map(ord, "中文→"))), ("emoji", frozenset([0x1F680]))],
)


def wrapped(line: str) -> tuple[str, str, set[str]]:
    commands = book_fonts.Commands()
    return commands.wrap(line, FONTS), commands.definitions(), commands.homeless


def test_what_the_text_fonts_have_is_left_alone() -> None:
    assert wrapped("café \\textbf{x}")[0] == "café \\textbf{x}"


def test_a_rare_character_becomes_a_command() -> None:
    line, definitions, homeless = wrapped("a→b")
    assert line == r"a\bookrunaa{}b"
    assert r"\bookglyphs{aa}{8594}{→}" in definitions
    assert not homeless


def test_wide_characters_can_be_broken_between() -> None:
    line, definitions, _ = wrapped("中文中")
    assert line == r"\bookrunaa{}\bookrunab{}\bookrunaa{}"
    assert definitions.count(r"\allowbreak") == 2


def test_each_character_gets_the_first_font_that_has_it() -> None:
    _, definitions, _ = wrapped("中🚀")
    assert r"{aa}{20013}{中}" in definitions
    assert r"{ab}{128640}{🚀}" in definitions


def test_a_character_that_no_font_has_is_reported() -> None:
    line, _, homeless = wrapped("x\u13a0")
    assert homeless == {"\u13a0"} and line == "x\u13a0"


def test_joiners_that_need_no_glyph_are_dropped() -> None:
    assert wrapped("a\u200db\ufe0f")[0] == "ab"


def test_a_widget_is_known_by_its_output() -> None:
    image = nodes.container("", mime_type="image/png")
    view = nodes.container("", mime_type=book_latex.WIDGET)
    bundle = nodes.container("", image, view, nb_element="mime_bundle")
    assert book_latex.is_widget(bundle)
    bundle.remove(view)
    assert not book_latex.is_widget(bundle)
