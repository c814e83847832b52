"""Pages to text, text to one form, personal data out, language known."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.text.tinyworld import TinyWorld
from llm_utils.train.clean import clean, mask_pii
from llm_utils.train.extract import blocks, extract
from llm_utils.train.language import LanguageId, trigrams

# --- extraction --------------------------------------------------------------

PAGE = """<!doctype html><html><head><title>Mia</title><style>p {}</style>
<script>var x = "<p>not text at all, not one word of it</p>";</script></head>
<body><nav><a href=/>Home</a> and all of the other pages here</nav>
<h1>Mia &amp; the <em>kite</em></h1><p>Mia had a red kite,
and&nbsp;she flew it all&#32;day.</p><div><a href=a>One link and</a>
<a href=b>another link after it, and more</a></div>
<p>See <a href=c>this page</a> for what Tom did with the drum then.</p>
<footer>Copyright of this page is with its owner alone</footer></body></html>
"""


def test_the_main_text_stays_and_the_rest_goes() -> None:
    assert extract(PAGE) == (
        "Mia had a red kite, and she flew it all day.\n"
        "See this page for what Tom did with the drum then."
    )


def test_without_limits_all_that_is_no_furniture_stays() -> None:
    assert extract(PAGE, min_words=1, max_links=1).split("\n") == [
        "Mia & the kite",
        "Mia had a red kite, and she flew it all day.",
        "One link and another link after it, and more",
        "See this page for what Tom did with the drum then.",
    ]


@pytest.mark.parametrize(
    "html, text",
    [
        ("<nav>a<nav>b</nav>c</nav>d", ["d"]),
        ("<nav>a<aside>b</nav>c", ["c"]),  # the aside was never closed
        ("</nav></a>a", ["a"]),
        ("<p>a<p>b", ["a", "b"]),
        ("a<br>b<!-- c -->d", ["a", "bd"]),
        ("", []),
    ],
)
def test_pages_that_are_not_well_formed(html, text) -> None:
    assert [block.text for block in blocks(html)] == text


TAGS = st.sampled_from(["p", "div", "b", "a", "span", "h1", "li", "table"])
TREES = st.recursive(
    st.text("ab c&<>\n", max_size=9).map(
        lambda s: s.replace("&", "&amp;").replace("<", "&lt;")
    ),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        TAGS,
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@given(html=TREES)
def test_letters_as_beautiful_soup_reads_them(html) -> None:
    ours = "".join(b.text for b in blocks(html)).split()
    theirs = BeautifulSoup(html, "html.parser").get_text().split()
    assert "".join(ours) == "".join(theirs)


# --- one form ----------------------------------------------------------------


@given(text=st.text(max_size=60))
def test_clean_twice_is_clean_once(text) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not any(c in once for c in "\r\t\x00\u200b\ufeff\u00a0")


@pytest.mark.parametrize(
    "raw, text",
    [
        ("caf" + "e\u0301", "caf\u00e9"),  # two characters, one letter
        ("a\u00a0\tb  c \r\n d", "a b c\nd"),
        ("\ufeffzero\u200bwidth soft\u00adhyphen", "zerowidth softhyphen"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # Persian
        ("a\u2028b\x0cc", "a\nb\nc"),
    ],
)
def test_what_is_repaired(raw, text) -> None:
    assert clean(raw) == text


def test_clean_leaves_good_text_alone() -> None:
    text = TinyWorld("full").corpus(20_000, seed=0).strip()
    assert clean(text) == text and mask_pii(text) == text


# --- personal data -----------------------------------------------------------


@pytest.mark.parametrize(
    "text, masked",
    [
        ("mia.b+x@toys.example.org, hm", "[email], hm"),
        ("from 8.8.8.8.", "from [ip]."),
        ("call +49 30 1234 5678 now", "call [phone] now"),
        ("call (555) 123-4567 now", "call [phone] now"),
        ("call 555-123-4567", "call [phone]"),
    ],
)
def test_what_is_masked(text, masked) -> None:
    assert mask_pii(text) == masked == mask_pii(masked)


@pytest.mark.parametrize(
    "text",
    [
        "home is 127.0.0.1 or 192.168.1.1",
        "section 1.2.3.4.5, version 999.1.1.1",
        "on 2024-11-26, 1990-1995, 3.14159, 1,115,394",
        "a @ b and @mia",
        "12 345 6789 10",
    ],
)
def test_what_is_not_masked(text) -> None:
    assert mask_pii(text) == text


# --- language ----------------------------------------------------------------

SAMPLES = {
    "en": TinyWorld("full").corpus(5_000, seed=1),
    "de": "Die Katze schlief am Fenster, und das Kind lief in den Garten. "
    "Dort lag der rote Drachen, den es gestern verloren hatte. Es hob ihn auf "
    "und ging nach Hause, denn es wurde schon dunkel.",
}


def test_languages_are_told_apart() -> None:
    guesser = LanguageId(SAMPLES)
    for story in TinyWorld("small").stories(50, seed=2):
        assert guesser.guess(story.text) == "en"
    assert guesser.guess("Das Kind schlief, und der Garten lag dunkel.") == "de"


@given(text=st.text(max_size=50))
def test_probabilities_sum_to_one(text) -> None:
    probs = LanguageId({"x": "abab", "y": "baba"}).probs(text)
    assert abs(sum(probs.values()) - 1) < 1e-9


def test_bayes_by_hand() -> None:
    probs = LanguageId({"x": "a", "y": "b"}).probs("a")
    # One trigram of three that are possible: (1 + .1) / 1.3 against .1 / 1.3
    assert probs["x"] == pytest.approx(1.1 / 1.2)
    assert trigrams("It's 5!") == {" it": 1, "it ": 1, "t s": 1, " s ": 1}


def test_samples_that_teach_nothing() -> None:
    with pytest.raises(ValueError, match="2 or more"):
        LanguageId({"en": "a"})
    with pytest.raises(ValueError, match="no letters in the sample"):
        LanguageId({"en": "a", "de": "12"})
