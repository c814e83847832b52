"""The PDF loses nothing: folded text, hidden cells, rare characters."""

from __future__ import annotations

import json
from pathlib import Path

import book_fold
import book_fonts
import book_index
import book_latex
import book_print
import book_solutions
import pytest
from docutils import nodes
from hypothesis import given
from hypothesis import strategies as st
from sphinx import addnodes

ROOT = Path(__file__).parents[2]


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


def test_the_title_of_a_fold_stays_with_what_follows() -> None:
    found = book_fold.paragraphs("<summary>Hint</summary><p>So.</p>")
    printed = [node.astext().strip() for node in book_fold.with_commands(found)]
    assert printed == [
        r"\bookfold",
        r"\bookfoldtitle{Hint}",
        r"\bookfolded",
        "So.",
    ]


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


CELL = """def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION
"""


def test_solutions_lose_their_markers_and_nothing_else() -> None:
    kept = "def half(x):\n    return x / 2"
    assert book_solutions.without_markers(CELL) == kept
    assert book_solutions.without_markers("x = 1  # BEGIN") == "x = 1  # BEGIN"


def test_only_code_cells_are_cleaned() -> None:
    cells = [
        {"cell_type": "code", "source": CELL.splitlines(keepends=True)},
        {"cell_type": "markdown", "source": CELL},
    ]
    source = [json.dumps({"cells": cells})]
    book_solutions.read_source(None, "a", source)
    code, text = json.loads(source[0])["cells"]
    assert code["source"] == "def half(x):\n    return x / 2"
    assert text["source"] == CELL
    prose = [CELL]
    book_solutions.read_source(None, "a", prose)
    assert prose == [CELL]


def test_how_to_do_exercises_stands_with_the_exercises_alone() -> None:
    paths = sorted((ROOT / "solutions").rglob("*.ipynb"))
    assert len(paths) == 17
    for path in paths:
        text = path.read_text(encoding="utf-8")
        name = str(path.relative_to(ROOT).with_suffix(""))
        for docname in (name, name.replace("solutions", "exercises")):
            source = [text]
            book_solutions.read_source(None, docname, source)
            ids = {cell["id"] for cell in json.loads(source[0])["cells"]}
            assert (book_solutions.HOW in ids) == (docname != name)


def term(name: str) -> addnodes.pending_xref:
    return addnodes.pending_xref(reftype="term", reftarget=name)


def test_a_term_is_indexed_once_in_each_section() -> None:
    first = nodes.paragraph("", "", term("token"), term("merge"), term("Token"))
    second = nodes.paragraph("", "", term("token"))
    page = nodes.section(
        "",
        nodes.title("", "", term("merge")),
        first,
        nodes.section("", second),
        addnodes.glossary("", nodes.paragraph("", "", term("token"))),
    )
    found = [(name, ref.parent) for name, ref in book_index.term_uses(page)]
    assert found == [("token", first), ("merge", first), ("token", second)]


def cell(code: int, output: int = 0) -> nodes.container:
    """A code cell with so many lines of code and of output."""
    parts = [nodes.container("", nb_element="cell_code_source")]
    parts[0] += nodes.literal_block("", "x\n" * code)
    if output:
        parts.append(nodes.container("", nb_element="cell_code_output"))
        parts[1] += nodes.literal_block("", "y\n" * output)
    return nodes.container("", *parts, nb_element="cell_code")


@pytest.mark.parametrize(
    ("code", "output", "lines"),
    [
        (5, 0, (5, 5)),
        (5, 2, (9, 9)),  # a short cell stays with a short output
        (5, 30, (37, 9)),  # and with the beginning of a long one
        (30, 0, (30, 6)),  # a long one may be split
    ],
)
def test_short_cells_are_kept_whole(code, output, lines) -> None:
    assert book_print.lines_to_keep(cell(code, output)) == lines


def test_long_lines_count_as_often_as_they_wrap() -> None:
    wide = nodes.container("", nb_element="cell_code_source")
    wide += nodes.literal_block("", "x" * 161)
    wide = nodes.container("", wide, nb_element="cell_code")
    assert book_print.lines_to_keep(wide) == (3, 3)


def test_addresses_are_printed_but_not_twice_in_the_bibliography() -> None:
    link = nodes.reference("", "a page", refuri="https://a.org/b%20c#d")
    assert not book_print.in_list(link)
    nodes.citation("", nodes.paragraph("", "", link))
    assert book_print.in_list(link)
    address = book_print.note("https://a.org/b%20c#d").astext()
    assert address == r"\bookaddress{a.org/b\%20c\#d}"
    shown = book_print.latex_address("https://a.org/b")
    assert shown == r"\href{https://a.org/b}{\nolinkurl{a.org/b}}"


def test_an_index_entry_is_spelled_one_way() -> None:
    line = r"x\sphinxhyphen{}y\index{a\sphinxhyphen{}b@\spxentry{a}|spx{x}}z"
    done = book_fonts.INDEX_ENTRY.sub(book_fonts.plain_hyphens, line)
    assert done == r"x\sphinxhyphen{}y\index{a-b@\spxentry{a}|spx{x}}z"
