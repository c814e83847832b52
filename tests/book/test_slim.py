"""Pages get lighter and lose nothing; formulas are typeset or refused."""

from __future__ import annotations

import book_math
import pytest
from docutils import nodes
from PIL import Image

from scripts import formulas, node, slim
from scripts.formulas import Formula, typeset

needs_katex = pytest.mark.skipif(
    not (node.MODULES / "katex").exists(),
    reason="the browser parts are not here (make html brings them)",
)
FIGURE = '<img alt="A." src="../../_images/abc.png" style="width: 60%;"/>'
SCRIPTS = (
    '<script defer src="../_static/scripts/fontawesome.js?d=1"></script>'
    '<script src="../_static/doctools.js"></script>'
    '<script src="../searchindex.js"></script>'
)


def test_a_figure_is_the_same_to_the_pixel(tmp_path) -> None:
    image = Image.effect_noise((40, 30), 90).convert("RGBA")
    image.save(tmp_path / "abc.png")
    assert slim.convert_images(tmp_path) == {"abc": (40, 30)}
    assert not (tmp_path / "abc.png").exists()
    with Image.open(tmp_path / "abc.webp") as made:
        assert made.convert("RGBA").tobytes() == image.tobytes()


def test_a_figure_keeps_its_place_and_its_words() -> None:
    made = slim.slim_page(FIGURE, "a.html", {"abc": (40, 30)})
    for part in ("../../_images/abc.webp", 'width="40"', 'height="30"',
                 'alt="A."', "width: 60%", 'loading="lazy"'):  # fmt: skip
        assert part in made
    assert slim.slim_page(made, "a.html", {"abc": (40, 30)}) == made
    assert slim.slim_page(FIGURE, "a.html", {}) == FIGURE


def test_only_the_search_page_loads_the_index() -> None:
    assert "searchindex" not in slim.slim_page(SCRIPTS, "a.html", {})
    kept = slim.slim_page(f"<head>{SCRIPTS}</head>", "search.html", {})
    assert "searchindex" in kept and "search-from-disk" in kept
    assert slim.slim_page(kept, "search.html", {}) == kept
    for name in ("a.html", "search.html"):
        made = slim.slim_page(SCRIPTS, name, {})
        assert "doctools" in made and "fontawesome" not in made


def test_the_search_from_disk_has_the_words_of_each_page(tmp_path) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "a.html").write_text(
        '<div role="main"><section id="one"><p>Some <b class="x">words</b>'
        "</p><script>no()</script></section></div>"
    )
    slim.write_texts(tmp_path)
    made = (tmp_path / "_static" / "page-texts.js").read_text()
    assert r'<section id=\"one\"><p>Some words</p></section>' in made
    assert "no()" not in made


@needs_katex
def test_formulas_become_html_with_mathml_for_screen_readers() -> None:
    inline, block = Formula(r"x^2"), Formula(r"\frac{a}{b}", display=True)
    made = typeset([inline, block, inline])
    assert list(made) == [inline, block]
    assert "<math" in made[inline].html and not made[inline].error
    assert "katex-display" in made[block].html
    assert "katex-display" not in made[inline].html


@needs_katex
@pytest.mark.parametrize("bad", [r"\frac{a", r"\nosuchcommand", "a & b"])
def test_a_formula_that_does_not_compile_is_refused(bad: str) -> None:
    (made,) = typeset([Formula(bad)]).values()
    assert made.error and not made.html


@needs_katex
def test_the_build_warns_of_a_bad_formula(monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        book_math.logger, "warning", lambda text, *a, **k: said.append(text % a)
    )
    assert "<math" in book_math.html_of(nodes.math("", "x_1"))
    assert said == []
    book_math.html_of(nodes.math_block("", r"\sofmax(x)"))
    assert "does not compile" in said[0] and "sofmax" in said[0]


def test_without_katex_the_remedy_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(formulas, "MODULES", tmp_path)
    with pytest.raises(RuntimeError, match=r"scripts\.vendor"):
        typeset([Formula("x")])


@pytest.mark.skipif(
    not (node.MODULES / "purgecss").exists(),
    reason="the browser parts are not here (make html brings them)",
)
def test_styles_keep_the_rules_that_a_page_uses(tmp_path) -> None:
    static = tmp_path / "_static" / "styles"
    static.mkdir(parents=True)
    sheet = static / "pydata-sphinx-theme.css"
    sheet.write_text(
        ".used{color:red}.unused{color:red}"
        "html[data-theme=dark] .used{color:blue}.shown-later{color:red}"
    )
    (tmp_path / "a.html").write_text('<p class="used">x</p>')
    script = "x.classList.add('shown-later')"
    (tmp_path / "_static" / "a.js").write_text(script)
    slim.purge_styles(tmp_path)
    made = sheet.read_text()
    assert ".used" in made and "data-theme" in made and "shown-later" in made
    assert ".unused" not in made


def test_code_keeps_the_spans_that_have_a_color() -> None:
    code = '<span class="k">def</span> <span class="n">f</span>'
    assert slim.slim_page(code, "a.html", {}) == (
        '<span class="k">def</span> f'
    )


def test_a_formula_loses_bytes_and_nothing_else() -> None:
    heavy = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'
        '<span style="height:0.4306em;margin-left:-0.15em;">&gt;"</span>'
        '<span style="top:10.05em;">1.2345em</span>'
        '<span class="sizing reset-size6 size3 mtight">'
        '<span class="mord mtight">2</span></span>'
    )
    assert book_math.lighter(heavy) == (
        "<math><mi>x</mi></math>"
        '<span style="height:.430em;margin-left:-.15em">&gt;"</span>'
        '<span style="top:10.05em">1.2345em</span>'
        '<span class="script"><span class="mord">2</span></span>'
    )
    css = node.ROOT / "book/_static/css/book.css"
    assert ".katex .script {\n  font-size: 0.7em;" in css.read_text("utf-8")
