"""Whatever the PDF loses of a web page is missed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.check_parity import lost_text, problems, variables
from scripts.pdf_file import Bookmark, page_ranges
from scripts.web_page import read_html

WEB = """
<nav>Contents that print has elsewhere</nav>
<article>
<h1><span class="section-number">1. </span>Text into tokens<a
  class="headerlink">#</a></h1>
<p>A sentence about byte-pair encoding, long enough to be split.</p>
<p>A formula <span class="math">\\(x_t + V\\)</span> stands in this line.</p>
<div class="cell"><details class="hide"><summary>
  <p class="collapsed">Show code</p><p class="expanded">Hide code</p></summary>
  <pre>hidden_code = count_pairs(words)</pre></details>
  <pre>an output: 3.14159 and then [27, 314, 293]</pre></div>
<details><summary>Hint 1: a nudge</summary><p>How many rows can it hold?</p>
</details>
<div class="tab-set"><label>Linux</label><div><p>apt install what you need
</p></div></div>
<table><tr><th>word</th><th>count</th></tr><tr><td>the</td><td>5</td></tr>
</table>
<figure><img alt="never printed"><figcaption><p><span
  class="caption-number">Fig. 1.1 </span><span>One sentence, two
  vocabularies.</span></p></figcaption></figure>
<p>See <a class="reference external">some pages</a> or a note<a
  class="footnote-reference">1</a> below.</p>
<aside class="footnote"><span class="label">1</span><p>A note at
  the foot of a page, or at its end.</p>
</aside>
<div class="admonition"><p class="admonition-title">At scale</p>
  <p>What changes when it grows.</p></div>
<section><div class="explorer"><button>Step</button></div>
<figure><figcaption>Four of its stations.</figcaption></figure></section>
</article>
"""
PRINT = """
1 Text into tokens
A sentence about byte\x02
pair encod\x02ing, long enough
RUNNING HEAD 17 to be split.
A formula \U0001d465\U0001d461 + \U0001d449 stands in this line.
hidden_code = count_pairs(words)
an output: 3.14159 and then [27, 314, 293]
Hint 1: a nudge
How many rows can it hold?
Linux
apt install what you need
word count
the 5
Fig. 1.1: One sentence, two vocabularies.
See some pages (a.org/some/where) or a note\u00b9 below.
\u00b9A note at the foot of a page, or at its end.
At scale
What changes when it grows.
Interactive in the HTML edition: stepper.
Four of its stations.
"""


def test_the_same_page_in_both_books_is_not_blamed() -> None:
    assert problems(read_html(WEB), PRINT) == []
    assert read_html(WEB).title == "Text into tokens"


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("heading", "1 Text into tokens"),
        ("words of prose", "long enough"),
        ("hidden cell", "hidden_code = count_pairs(words)"),
        ("end of a line of code", "(words)"),
        ("output", "an output: 3.14159 and then [27, 314, 293]"),
        ("digits of an output", "159"),
        ("title of a fold", "Hint 1: a nudge"),
        ("fold", "How many rows can it hold?"),
        ("label of a tab", "Linux"),
        ("tab", "apt install what you need"),
        ("cell of a table", "count\n"),
        ("number of a figure", "Fig. 1.1"),
        ("caption", "One sentence, two vocabularies."),
        ("text of a link", "some pages ("),
        ("footnote", "A note at the foot of a page, or at its end."),
        ("title of a box", "At scale"),
        ("variable of a formula", "\U0001d449"),
        ("line about an explorer", "Interactive in the HTML edition"),
    ],
)
def test_a_planted_loss_is_found(name: str, gone: str) -> None:
    assert PRINT.count(gone) == 1, name
    assert problems(read_html(WEB), PRINT.replace(gone, "")), name


def test_an_explorer_without_a_still_is_found() -> None:
    bare = WEB.replace("<figcaption>Four of its stations.</figcaption>", "")
    (problem,) = problems(read_html(bare), PRINT)
    assert "explorer without a figure" in problem


def test_what_stands_twice_must_be_printed_twice() -> None:
    long, short = "the same words in two places", "Answer"
    for text in (long, short):
        assert lost_text([text, text], f"{text} and {text}") == []
        assert lost_text([text, text], f"{text} and once")


def test_the_order_of_words_matters() -> None:
    assert lost_text(["one two three four five"], "five four three two one")


def test_a_page_break_within_a_line_loses_nothing() -> None:
    text = "words that run on from one page over to the next"
    assert lost_text([text], text[:24] + "2 NEXT PAGE" + text[24:]) == []
    assert lost_text([text], text[:-4] + " FIGURE " + text[-4:]) == []


WORDS = st.lists(st.text("abcdefgh", min_size=2, max_size=9), min_size=6)


@given(WORDS, st.data())
def test_a_word_that_is_dropped_is_missed(words: list[str], data) -> None:
    unique = [f"{word}{i:02d}" for i, word in enumerate(words)]
    gone = data.draw(st.sampled_from(unique))
    printed = " ".join(word for word in unique if word != gone)
    assert lost_text([" ".join(unique)], " ".join(unique)) == []
    assert lost_text([" ".join(unique)], printed)


@pytest.mark.parametrize(
    ("formula", "number"),
    [
        ("x", 1),
        (r"\log p(x_t \mid x_{<t})", 5),
        (r"\mathrm{softmax}(QK^\top / \sqrt{d})", 3),
        (r"233 = \text{five bits}", 0),
        (r"\begin{aligned} a &= b \label{eq}\end{aligned}", 2),
    ],
)
def test_variables_are_counted(formula: str, number: int) -> None:
    assert variables(formula) == number


def test_formulas_set_by_katex_are_read() -> None:
    katex = (
        "<article><p>so <span class='katex'><math>garbage<annotation "
        "encoding='application/x-tex'>x^2</annotation></math></span></p>"
        "</article>"
    )
    page = read_html(katex)
    assert page.formulas == ["x^2"] and page.blocks == ["so"]


def test_each_page_has_its_place_in_the_pdf() -> None:
    marks = [Bookmark(0, "A", 1), Bookmark(1, "1 B", 3), Bookmark(1, "C", 6)]
    assert page_ranges(["A", "B", "C"], marks, 9) == [
        (1, 3),
        (3, 6),
        (6, 9),
    ]
    with pytest.raises(ValueError, match="no bookmark 'X'"):
        page_ranges(["A", "X"], marks, 9)


def test_a_page_without_a_body_is_refused() -> None:
    with pytest.raises(ValueError, match="article"):
        read_html("<p>no article</p>")


def test_a_word_may_touch_a_variable() -> None:
    said = "\U0001d465and\U0001d466 is."
    assert lost_text(["and", "is."], said) == []
    assert lost_text(["and"], "\U0001d465 or \U0001d466") == ["and"]


def test_two_blocks_do_not_make_one_phrase() -> None:
    assert lost_text(["what it is", ".", "is."], "what it is (1.2). is.") == []
