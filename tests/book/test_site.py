"""The checks of the HTML book find what is planted for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.check_site import merge
from scripts.site import links, looks, search
from scripts.site.browser import browser, serve
from scripts.system import find_browser

HEAD = (
    '<!doctype html><html lang="en"><head><title>A page</title>'
    '<meta charset="utf-8"><link rel="icon" href="data:,">'
    "<style>a:focus-visible, button:focus-visible {{outline: 2px solid}}"
    "</style>{head}</head>"
)
SKIP = '<a href="#main">Skip to main content</a>'
BODY = '<body>{skip}<main id="main" class="bd-content"><h1>Title</h1>{main}'


def page(main: str = "<p>Text.</p>", head: str = "", skip: str = SKIP) -> str:
    """A page that has no fault but what the arguments bring."""
    return HEAD.format(head=head) + BODY.format(main=main, skip=skip)


def site(folder: Path, **pages: str) -> Path:
    for name, text in pages.items():
        file = folder / f"{name.replace('__', '/')}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def chromium():
    command = find_browser()
    if command is None:
        pytest.skip("no Chromium starts here (apt install chromium)")
    with browser(command) as context:
        yield context


def test_a_sound_page_is_not_blamed(chromium, tmp_path) -> None:
    main = '<p><a href="#main">Up</a><button>Go</button></p>'
    site(tmp_path, a=page(main))
    with serve(tmp_path) as home:
        assert looks.everything(chromium, f"{home}/a.html") == []


WIDE = '<div style="width: 2000px">wide</div>'
GRAY = '<p style="color: #ccc; background: #fff">pale</p>'
IN_DARK = (
    "<style>@media (prefers-color-scheme: dark)"
    " {p {color: #222; background: #000}}</style>"
)
SCROLLER = (
    '<pre style="overflow-x: auto; width: 300px">'
    f"{'long ' * 200}</pre><style>pre:focus-visible {{outline: none}}</style>"
)
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
PLANTED = {
    "another host": (page('<img alt="A dot." src="http://example.org/a">'),
                     "asks another host"),
    "missing file": (page(head='<script src="no.js"></script>'), "404"),
    "console": (page("<script>console.error('ouch')</script>"), "ouch"),
    "script": (page("<script>nobody.knows()</script>"), "script error"),
    "image": (page('<img alt="A dot." src="data:image/png;base64,AA">'),
              "does not load"),
    "stretched": (
        page(f'<img alt="A dot." width="20" height="40" src="{DOT}">'),
        "out of proportion"),
    "formula": (page('<span class="math">x^2</span>'), "not typeset"),
    "formula with an error": (
        page('<span class="math"><b class="katex katex-error">x</b></span>'),
        "have an error"),
    "wide": (page(WIDE), "too wide at 360 pixels"),
    "button without a name": (page("<button></button>"), "button-name"),
    "pale": (page(GRAY), "axe, light: color-contrast"),
    "dark on dark": (page(head=IN_DARK), "axe, dark: color-contrast"),
    "no alt": (page('<img src="' + DOT + '">'),
               "image-alt"),
    "out of reach": (
        page('<a href="#main">a</a><script>'
             'document.addEventListener("keydown", (e) => '
             'e.preventDefault())</script>'), "Tab does not reach"),
    "no sign of focus": (
        page('<a href="#main" style="outline: none">a</a>'),
        "no sign of focus"),
    "no skip link": (page('<a href="#main">a</a>', skip=""), "skip link"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(chromium, tmp_path, name: str) -> None:
    text, said = PLANTED[name]
    site(tmp_path, a=text)
    with serve(tmp_path) as home:
        found = looks.everything(chromium, f"{home}/a.html")
    assert any(said in problem for problem in found), found


def test_a_heavy_page_is_found(chromium, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(looks, "HEAVIEST", 1000)
    site(tmp_path, a=page("<p>" + "word " * 1000))
    with serve(tmp_path) as home:
        (found,) = looks.everything(chromium, f"{home}/a.html")
    assert "bytes are more than 1,000" in found


def test_a_slow_page_is_found(chromium, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(looks, "SLOWEST", 60)
    busy = "<script>for (const t = Date.now(); Date.now() < t + 80;) {}"
    site(tmp_path, fast=page(), slow=page(head=f"{busy}</script>"))
    assert looks.first_view(chromium, tmp_path / "slow.html")
    monkeypatch.setattr(looks, "SLOWEST", 60_000)
    assert looks.first_view(chromium, tmp_path / "fast.html") == []


def test_a_search_without_results_is_found(chromium, tmp_path) -> None:
    form = (
        '<form action="../search.html"><input name="q" autofocus>'
        '<button hidden type="submit">Go</button></form>'
    )
    site(tmp_path, book__index=page(form), search=page())
    with serve(tmp_path) as home:
        found = search.find(chromium, home, "merge")
    assert found == ["the search finds no text for 'merge'"]


LINKED = {
    "a file": ('<a href="no.html">x</a>', "leads nowhere"),
    "an anchor": ('<a href="b.html#no">x</a>', "no such place"),
    "an anchor of its own": ('<a href="#no">x</a>', "no such place"),
    "an image": ('<img src="no.png">', "leads nowhere"),
    "out of the book": ('<a href="../secret.html">x</a>', "leads nowhere"),
}


@pytest.mark.parametrize("name", LINKED)
def test_a_broken_link_is_found(tmp_path, name: str) -> None:
    main, said = LINKED[name]
    (tmp_path / "secret.html").write_text("x")
    folder = site(tmp_path / "site", a=page(main), b=page())
    found = links.broken(folder)
    assert found["b.html"] == []
    assert [said in problem for problem in found["a.html"]] == [True]


def test_links_that_lead_somewhere_are_not_blamed(tmp_path) -> None:
    main = '<a href="b.html#main">x</a><a href="https://a.org/#b">y</a>'
    assert links.broken(site(tmp_path, a=page(main), b=page()))["a.html"] == []


def beside(prev: str, next: str) -> str:
    tags = "".join(
        f'<link rel="{rel}" href="{to}">'
        for rel, to in (("prev", prev), ("next", next))
        if to
    )
    return page(head=tags)


def test_neighbors_follow_the_order_of_the_book(tmp_path) -> None:
    order = ["a.html", "b.html", "c.html"]
    site(tmp_path, a=beside("", "b.html"), b=beside("a.html", "c.html"),
         c=beside("b.html", ""))  # fmt: skip
    assert links.neighbors(tmp_path, order) == {}
    assert links.neighbors(tmp_path, ["a.html", "c.html", "b.html"])
    site(tmp_path, c=beside("a.html", ""))
    assert "c.html" in links.neighbors(tmp_path, order)
    site(tmp_path, b=beside("a.html", ""))
    assert "a.html" in links.neighbors(tmp_path, order)


COLAB = "https://colab.research.google.com/github/me/book/blob/v1.0"
CHAPTER = "chapters/week1_text/01_x"
DOORS = (
    f"{COLAB}/{CHAPTER}.ipynb",
    f"https://mybinder.org/v2/gh/me/book/v1.0?urlpath=lab/{CHAPTER}.ipynb",
    f"../../_sources/{CHAPTER}.ipynb",
    "../../exercises/week1_text/01_x.html",
)


@pytest.mark.parametrize("missing", [None, *range(len(DOORS))])
def test_a_missing_door_is_found(tmp_path, missing: int | None) -> None:
    shown = [d for i, d in enumerate(DOORS) if i != missing]
    text = page("".join(f'<a href="{door}">x</a>' for door in shown))
    site(tmp_path, **{CHAPTER: text, "exercises/week1_text/01_x": page()})
    found = links.doors(tmp_path, f"{CHAPTER}.html", "me/book", "v1.0")
    assert len(found) == (missing is not None)
    others = links.doors(tmp_path, f"{CHAPTER}.html", "you/book", "v1.0")
    assert len(others) >= 2


def test_results_of_several_checks_are_joined() -> None:
    assert merge({"a": ["1"], "b": []}, {"a": ["2"], "c": ["3"]}) == {
        "a": ["1", "2"], "b": [], "c": ["3"],
    }  # fmt: skip
