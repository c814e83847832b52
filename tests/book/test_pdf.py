"""The rules of the PDF book find what they are there to find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scripts import book_plan, check_pdf, check_twice
from scripts import pdf_rules as rules
from scripts.pdf_file import (
    Bookmark,
    Page,
    letters,
    link_actions,
    read_bookmarks,
    read_page,
    read_pages,
    without_number,
)
from scripts.pdf_rules import Heading, Layout

LAYOUT = Layout(500, 700, 90, 410, 80, 80, 380)
IN_COLUMN = ((90.0, 300.0, 400.0, 310.0), "a line of text")
HEAD = ((90.0, 640.0, 200.0, 650.0), "Tokens")
COVER = Page(500, 700, "The book", [((0, 0, 500, 700), "art")])
OPENING = Page(500, 700, "Week 1\nTokens\nFig. 1.1: One.", [IN_COLUMN])
BODY = Page(
    500, 700, "1.1 Bytes\nFig. 1.2: Two.", [IN_COLUMN, HEAD],
    [(60.0, 200.0, 440.0, 300.0)],
)  # fmt: skip
LISTS = Page(500, 700, "Bibliography\nGage. A new algo\x02rithm. 1994.")
INDEX = Page(
    500, 700, "Index\r\nB\r\nbyte-pair encoding, 2\r\nT\r\ntoken, 1, 3\r\n"
)  # fmt: skip
PAGES = [COVER, OPENING, BODY, LISTS, INDEX]
MARKS = [
    Bookmark(0, "Week 1", 1),
    Bookmark(1, "1 Tokens", 1),
    Bookmark(2, "1.1 Bytes", 2),
    Bookmark(1, "Bibliography", 3),
    Bookmark(1, "Index", 4),
]
PLAN = [Heading(0, "Week 1"), Heading(1, "Tokens"), Heading(2, "Bytes")]


def body(**changes: object) -> list[Page]:
    """The pages, with changes to the one that has running text."""
    return [COVER, OPENING, replace(BODY, **changes), LISTS, INDEX]


def test_a_good_book_is_not_blamed() -> None:
    links = [(1, "/GoTo", "a"), (1, "/URI", "https://a.org")]
    assert rules.size_problems(PAGES, LAYOUT) == []
    assert rules.ink_problems(PAGES, LAYOUT) == []
    assert rules.bookmark_problems(MARKS, PLAN) == []
    assert rules.target_problems(MARKS, PAGES) == []
    assert rules.link_problems(links, ["a"]) == []
    assert rules.caption_problems(PAGES) == []
    assert rules.head_problems(MARKS, PAGES, LAYOUT) == []
    terms = ["token", "byte-pair encoding"]
    assert rules.index_problems(MARKS, PAGES, terms) == []
    works = ["A new algorithm"]
    assert rules.bibliography_problems(MARKS, PAGES, works) == []


def test_a_page_of_another_size_is_found() -> None:
    assert "page 3" in rules.size_problems(body(width=595), LAYOUT)[0]


@pytest.mark.parametrize(
    "box",
    [
        (60.0, 300.0, 400.0, 310.0),  # left of the column
        (90.0, 300.0, 425.0, 310.0),  # a line of code runs out to the right
        (90.0, 5.0, 400.0, 15.0),  # below the foot
        (90.0, 690.0, 400.0, 699.0),  # above the head
    ],
)
def test_text_outside_the_column_is_found(box) -> None:
    (problem,) = rules.ink_problems(body(lines=[(box, "code")]), LAYOUT)
    assert "'code'" in problem
    assert rules.ink_problems(body(lines=[(box, "  ")]), LAYOUT) == []


def test_a_figure_outside_its_measure_is_found() -> None:
    wide = [(40.0, 200.0, 460.0, 300.0)]
    assert "figure" in rules.ink_problems(body(images=wide), LAYOUT)[0]


def test_bookmarks_lack_one_swap_two_or_sink_one() -> None:
    assert rules.bookmark_problems(MARKS[:1] + MARKS[2:], PLAN)
    assert rules.bookmark_problems(MARKS[::-1], PLAN)
    sunk = [MARKS[0], Bookmark(2, "1 Tokens", 1), MARKS[2]]
    assert "level 2, not 1" in rules.bookmark_problems(sunk, PLAN)[0]


@pytest.mark.parametrize("page", [None, 99, 4])
def test_a_bookmark_that_leads_elsewhere_is_found(page) -> None:
    assert rules.target_problems([Bookmark(1, "1 Tokens", page)], PAGES)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("/GoTo", "nowhere"),
        ("/GoTo", None),
        ("/URI", ""),
        ("/URI", "01_tokenization.ipynb"),
        ("/URI", "file:///a.html"),
        ("/GoToR", "other.pdf"),
        ("/Launch", "a.sh"),
        ("", None),
    ],
)
def test_a_bad_link_is_found(kind: str, target: object) -> None:
    assert "page 4" in rules.link_problems([(3, kind, target)], ["a"])[0]


@pytest.mark.parametrize("gone", range(5))
def test_a_way_between_chapter_and_exercises_is_missed(gone: int) -> None:
    places = {
        "chapters/a": (5, 20),
        "exercises/a": (20, 30),
        "solutions/a": (40, 50),
        "book/notes": (51, 51),
    }
    ways = [(9, 20), (21, 5), (22, 40), (41, 5), (42, 20)]
    assert rules.crossing_problems(ways, places) == []
    ways.pop(gone)
    assert len(rules.crossing_problems(ways, places)) == 1


def test_a_gap_in_the_numbers_of_figures_is_found() -> None:
    skipped = body(text="Fig. 1.3: Two.")
    assert "expected 1.2" in rules.caption_problems(skipped)[0]
    assert rules.caption_problems([COVER]) != []
    prose = body(text="Fig. 1.2: Two.\nas Fig. 1.1 shows")
    assert rules.caption_problems(prose) == []
    letters = body(text="Fig. A.1: One.\nFig. A.3: Three.")
    assert "expected A.2" in rules.caption_problems(letters)[0]


@pytest.mark.parametrize(
    "raw",
    [
        "### BEGIN SOLUTION",
        "see {term}`token`",
        "{glue:text}`speed`",
        ":::",
        "a note[^one]",
        "<summary>Answer",
        '<div class="cell">',
        "<Figure object at 0x7f",
    ],
)
def test_markup_that_is_printed_is_found(raw: str) -> None:
    assert rules.raw_problems(PAGES) == []
    assert "page 3" in rules.raw_problems(body(text=f"1.1 Bytes\n{raw}"))[0]


def test_html_that_is_shown_on_purpose_is_no_markup() -> None:
    shown = "1.1 Bytes\n<div>We use cookies.</div>"
    assert rules.raw_problems(body(text=shown)) == []


def test_a_page_without_its_running_head_is_found() -> None:
    assert "page 3" in rules.head_problems(MARKS, body(lines=[]), LAYOUT)[0]


def test_the_index_lacks_a_term_or_has_it_twice() -> None:
    assert rules.index_problems(MARKS, PAGES, ["softmax"])
    twice = replace(INDEX, text=INDEX.text + "Token, 4\r\n")
    assert rules.index_problems(MARKS, [*PAGES[:4], twice], ["token"])
    empty = replace(INDEX, text="Index\r\n")
    assert rules.index_problems(MARKS, [*PAGES[:4], empty], []) == ["no index"]
    assert rules.index_problems(MARKS[:-1], PAGES, []) == ["no index"]


def test_the_bibliography_lacks_a_work_or_is_not_there() -> None:
    assert rules.bibliography_problems(MARKS, PAGES, ["Another work"])
    assert rules.bibliography_problems(MARKS[:3], PAGES, ["A new algorithm"])


def part(caption: str, *pages: str, **more: object) -> dict[str, object]:
    return {"caption": caption, "chapters": [{"file": p} for p in pages]} | more


def test_solutions_outside_their_appendix_are_found() -> None:
    week = part("Week 1", "chapters/a", numbered=True)
    last = part("Solutions", "solutions/a")
    good = {"parts": [week, last]}
    assert book_plan.appendix_problems(good) == []
    astray = part("Week 1", "chapters/a", "solutions/a")
    for parts in ([week], [last, week], [astray]):
        assert book_plan.appendix_problems({"parts": parts}), parts


def test_the_plan_is_read_from_the_sources(tmp_path) -> None:
    (tmp_path / "_toc.yml").write_text(
        "root: index\nparts:\n"
        "- caption: Week 1\n  chapters:\n"
        "  - file: a\n    sections:\n    - file: b\n"
    )
    (tmp_path / "a.md").write_text(
        "# A *page* of {term}`tokens <token>`\n\n## `merge` it\n\n"
        "```python\n# no heading\n```\n\n### too deep\n"
    )
    (tmp_path / "b.md").write_text("# [B](a.md)\n")
    found = [(h.level, h.title) for h in book_plan.expected(tmp_path)]
    assert found == [
        (0, "About this book"),
        (0, "Week 1"),
        (1, "A page of tokens"),
        (2, "merge it"),
        (2, "B"),
    ]
    assert book_plan.pages_in_order(tmp_path) == ["index", "a", "b"]
    with pytest.raises(ValueError, match="no such file"):
        book_plan.source_of("c", tmp_path)


def test_the_layout_is_read_from_the_style_file() -> None:
    layout = book_plan.layout()
    assert layout.left < layout.right < layout.width
    assert layout.bottom > 40 and layout.figure < layout.width


@pytest.fixture(scope="module")
def small_pdf(tmp_path_factory):
    """Two pages with words in known places, a picture, marks and links."""
    from matplotlib import pyplot as plt
    from matplotlib.backends.backend_pdf import PdfPages
    from pypdf import PdfReader, PdfWriter
    from pypdf.annotations import Link
    from pypdf.generic import (
        DictionaryObject,
        NameObject,
        TextStringObject,
    )

    path = tmp_path_factory.mktemp("pdf") / "small.pdf"
    with plt.rc_context({"pdf.fonttype": 42}), PdfPages(path) as pages:
        for word in ("zebra", "second"):
            figure = plt.figure(figsize=(5, 7))
            figure.text(0.2, 0.5, word)
            figure.text(0.2, 0.98, "head")
            figure.figimage([[0.0, 1.0], [1.0, 0.0]], xo=100, yo=50)
            pages.savefig(figure)
            plt.close(figure)
    writer = PdfWriter(clone_from=PdfReader(path))
    top = writer.add_outline_item(title="Part", page_number=0)
    writer.add_outline_item(title="1 Second", page_number=1, parent=top)
    writer.add_annotation(0, Link(rect=(0, 0, 9, 9), url="https://a.org"))
    writer.add_annotation(1, Link(rect=(0, 0, 9, 9), url="a.html"))
    inner = Link(rect=(0, 0, 9, 9), url="x")
    inner[NameObject("/A")] = DictionaryObject(
        {
            NameObject("/S"): NameObject("/GoTo"),
            NameObject("/D"): TextStringObject("there"),
        }
    )
    writer.add_annotation(0, inner)
    writer.add_named_destination("there", 1)
    writer.write(path)
    return path


def test_a_real_file_is_read(small_pdf) -> None:
    from pypdf import PdfReader

    first, second = read_pages(small_pdf, head=40)
    assert (first.width, first.height) == (360, 504)
    assert first.text.strip() == "zebra" and second.text.strip() == "second"
    boxes = {letters(text): box for box, text in first.lines}
    assert boxes["zebra"][0] == pytest.approx(72, abs=2)
    assert boxes["zebra"][1] == pytest.approx(252, abs=4)
    assert boxes["head"][1] > 480
    assert len(first.images) == 1
    marks = [(m.level, m.title, m.page) for m in read_bookmarks(small_pdf)]
    assert marks == [(0, "Part", 0), (1, "1 Second", 1)]
    assert check_pdf.jumps(PdfReader(small_pdf)) == [(0, 1)]
    links = link_actions(PdfReader(small_pdf))
    assert [(page, str(to)) for page, _, to in links] == [
        (0, "https://a.org"),
        (0, "there"),
        (1, "a.html"),
    ]
    assert len(rules.link_problems(links, ["there"])) == 1


def test_a_page_number_is_no_end_of_a_hyphenated_word() -> None:
    class Fake:
        """A page as pdfium has it, whose last word goes on overleaf."""

        def get_size(self):
            return 360, 504

        def get_textpage(self):
            return self

        def get_text_bounded(self, *box):
            return "an open-source au\x02828" if box[1] else "au\x02828"

        def count_rects(self):
            return 0

        def get_objects(self, **options):
            return []

    assert read_page(Fake(), foot=40).text == "an open-source au\x02"
    assert read_page(Fake()).text.endswith("828")


def test_letters_are_what_line_breaks_cannot_change() -> None:
    assert letters("e\ufb03cient, byte-\npair") == letters(
        "efficient BYTE pair"
    )


def test_two_builds_that_differ_are_found(tmp_path) -> None:
    ours, theirs = tmp_path / "a", tmp_path / "b"
    for folder, text in ((ours, "same 1 end"), (theirs, "same 2 end")):
        folder.mkdir()
        (folder / "same").write_text("x")
        (folder / "other").write_text(text)
    (theirs / "new").write_text("x")
    assert check_twice.differing(ours, theirs, ["same"]) == []
    other, new = check_twice.differing(ours, theirs, ["other", "new"])[::-1]
    assert "byte 5" in other and "only in one" in new


def test_a_long_index_entry_goes_on_in_the_next_line() -> None:
    found = rules.INDEX_ENTRY.findall("token, 12, 75,\n534\nUTF-8, 16")
    assert found == ["token", "UTF-8"]


def test_a_title_ends_where_the_next_field_begins() -> None:
    entry = "title = {{GLU} variants}, year = {2020},\n"
    assert book_plan.TITLE.search(entry)[1] == "{GLU} variants"
    assert book_plan.TITLE.search("title = {A {B}},\n")[1] == "A {B}"


@pytest.mark.parametrize(
    ("bookmark", "title"),
    [
        ("2 Language modeling", "Language modeling"),
        ("2.11 Against the world", "Against the world"),
        ("A Backpropagation by hand", "Backpropagation by hand"),
        ("A.10.2 A block", "A block"),
        ("A block", "A block"),
        ("GELU", "GELU"),
    ],
)
def test_a_bookmark_without_its_number(bookmark: str, title: str) -> None:
    assert without_number(bookmark) == title
