"""The explorers: the real JavaScript, in a real browser, against the package.

A page made here holds the BPE stepper as the HTML book mounts it. The browser
is Chromium: $CHROMIUM, one on the PATH, or Playwright's own.
"""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from explorers import LIVE, ROOT, WORDS, bundle

from llm_utils.text.bpe import ByteBPE
from llm_utils.widgets import EXPLORER_MIME, Explorer, bpe_stepper

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PROSE = (
    "the cat sat on the mat. the other cat's hat is that one there, and "
    "they'll see it: 12 cats, 2012 hats!\n\nna\u00efve caf\u00e9 \u732b\u732b "
) * 3


@pytest.fixture(scope="module")
def tokenizer() -> ByteBPE:
    return ByteBPE.train(PROSE, 256 + 80, ["<|end|>"])


def varied_texts(n: int, rng: random.Random) -> list[str]:
    """Texts of at most 300 bytes, from prose to the oddest Unicode."""
    kinds = [
        PROSE.split(),
        [" ", "  ", "\n", "\t", "\u00a0", "\u2003", "\x85", "\x1c", "\u3000"],
        ["'s", "'ll", "'", "''t", " 'd", "'LL", "\u2019s"],
        ["7", "42", " 2012", "\u0664", "\u00bd", "\u2167", "\u4e94"],
        ["!", "...", "<|end|>", "\x00", "\ufeff", "\u200b", "</script>", "\\"],
        [
            "\u732b",
            "caf\u00e9",
            "e\u0301",
            "\u05d0\u05d1",
            "\U0001f31f",
            "\U0001f468\u200d\U0001f469",
            "\U00010348",
            "\ud55c",
        ],
        ["aaaaaaa", "tttt", "thethethe", "ththth"],
    ]
    texts = ["", " ", "a", "\n\n\n", "the the the"]
    while len(texts) < n:
        some = rng.sample(kinds, rng.randint(1, len(kinds)))
        n_parts = rng.randint(1, 30)
        parts = [rng.choice(rng.choice(some)) for _ in range(n_parts)]
        text = rng.choice(["", " "]).join(parts)
        texts.append(text.encode()[:300].decode("utf-8", "ignore"))
    return texts


ALL_STEPS = f"""(texts) => texts.map((text) => {{
  const words = {WORDS};
  const field = document.querySelector("textarea");
  const slider = document.querySelector("input[type=range]");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  const steps = [];
  for (let i = 0; i <= Number(slider.max); i++) {{
    slider.value = i;
    slider.dispatchEvent(new Event("input"));
    const status = document.querySelector("[role=status]").textContent;
    steps.push([words(), status]);
  }}
  return steps;
}})"""


@pytest.mark.parametrize("shuffled", [False, True], ids=["bytes", "gpt2-order"])
def test_the_javascript_takes_the_steps_of_trace(
    play: Any, tokenizer: ByteBPE, shuffled: bool
) -> None:
    rng = random.Random(1)
    if shuffled:  # ids 0 to 255 in another order, as GPT-2 has them
        order = bytes(rng.sample(range(256), 256))
        tokenizer = ByteBPE(tokenizer.merges, byte_order=order)
    oracle = tokenizer.to_tiktoken()
    id_of = {token: i for i, token in tokenizer.vocab.items()}
    texts = varied_texts(200, rng)
    merged = 0
    shown = play(bpe_stepper(tokenizer)).page.evaluate(ALL_STEPS, texts)
    for text, steps in zip(texts, shown, strict=True):
        trace = tokenizer.trace(text)
        assert len(steps) == len(trace), text
        for (words, status), true in zip(steps, trace, strict=True):
            assert words == [[id_of[x] for x in w] for w in true.words], text
            if true.rank is not None:
                assert f"Merge {true.rank + 1}: " in status
                merged += 1
        ids = list(chain.from_iterable(steps[-1][0]))
        assert ids == tokenizer.encode(text) == oracle.encode_ordinary(text)
    assert merged > 1000, "texts too plain to prove anything"


def test_counts_and_sentence_of_a_known_text(play: Any) -> None:
    tokenizer = ByteBPE.from_merges([(b"a", b"b"), (b"ab", b"ab")])
    page = play(bpe_stepper(tokenizer, "abab ab\u00e9"))
    assert page.status().split("\n")[0] == "Step 0 of 2. One token per byte."
    page.button("Next").click()
    assert "Merge 1: a + b \u2192 ab (id 256) in 3 places." in page.status()
    assert page.words() == [[256, 256], [32, 256, 195, 169]]
    page.button("Next").click()
    assert page.words() == [[257], [32, 256, 195, 169]]
    text = " ".join(page.status().split())
    assert "(id 257) in 1 place. No merge is left." in text
    assert "9 bytes 5 tokens 1.80 bytes per token" in text
    tokens = page.page.locator(".lx-token .lx-text").all_inner_texts()
    assert tokens == ["abab", "\u00b7", "ab", "<c3>", "<a9>"]
    assert page.page.locator(".lx-marked").count() == 1


def test_arrows_home_and_end_step_from_the_buttons(
    play: Any, tokenizer: ByteBPE
) -> None:
    page = play(bpe_stepper(tokenizer, "the other cat"))
    press = page.page.keyboard.press
    last = len(tokenizer.trace("the other cat")) - 1
    page.button("Next").focus()
    for key, step in [
        ("Enter", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", last),
        ("ArrowRight", last),
        ("Enter", last),
        ("Home", 0),
        ("ArrowLeft", 0),
        (" ", 1),
    ]:
        press(key)
        assert page.step() == step, key
    focused = page.page.evaluate("document.activeElement.textContent")
    assert focused == "Next", "the focus was lost on the way"


def test_tab_reaches_everything_and_the_text_field_keeps_its_arrows(
    play: Any, tokenizer: ByteBPE
) -> None:
    page = play(bpe_stepper(tokenizer, "the other cat"))
    names = []
    for _ in range(7):
        page.page.keyboard.press("Tab")
        names.append(
            page.page.evaluate(
                "(document.activeElement.ariaLabel"
                " || document.activeElement.textContent"
                " || document.activeElement.tagName)"
            )
        )
    assert names == [
        "TEXTAREA",
        "First",
        "Back",
        "Next",
        "Last",
        "Merge step",
        "Tokens",
    ]
    page.page.keyboard.press("ArrowRight")
    assert page.step() == 1
    page.page.get_by_role("slider").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.step() == 2, "the slider and the group must not both step"
    page.page.get_by_label("Text").focus()
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("Home")
    assert page.step() == 2


def test_a_long_text_is_cut_at_a_character_and_says_so(
    play: Any, tokenizer: ByteBPE
) -> None:
    page = play(bpe_stepper(tokenizer, "\u732b" * 99 + "ab"))
    note = page.page.get_by_text("Only the first 300 bytes are used.")
    assert not note.is_visible()
    page.type("\u732b" * 99 + "ab" + "\U0001f31f")
    assert note.is_visible()
    assert "299 bytes" in page.status()


def test_an_empty_text_says_what_to_do(play: Any, tokenizer: ByteBPE) -> None:
    page = play(bpe_stepper(tokenizer))
    assert "Step 0 of 0. Type a text above." in page.status()
    assert "0.00 bytes per token" in page.status()
    assert page.page.get_by_role("slider").is_disabled()
    page.type("the")
    assert page.page.get_by_role("slider").is_enabled()


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_nothing_moves_or_overflows(
    play: Any, tokenizer: ByteBPE, width: int
) -> None:
    text = "the other cat sat there, <|end|> " + "x" * 60 + " \U0001f31f"
    page = play(bpe_stepper(tokenizer, text), width)
    places = set()
    for _ in range(len(tokenizer.trace(text))):
        places.add(page.page.locator("#after").bounding_box()["y"])
        page.button("Next").click(force=True)
    assert len(places) == 1
    wide = page.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_the_page_asks_for_nothing(play: Any, tokenizer: ByteBPE) -> None:
    page = play(bpe_stepper(tokenizer, "</script><!-- the cat"))
    page.button("Last").click()
    assert page.ids() == tokenizer.encode("</script><!-- the cat")
    assert page.requests == [page.url]


def test_accessible_in_light_and_dark(play: Any, tokenizer: ByteBPE) -> None:
    page = play(bpe_stepper(tokenizer, "the other cat", step=2))
    assert page.axe() == []


def test_the_same_file_is_the_module_that_jupyter_runs(
    play: Any, tokenizer: ByteBPE
) -> None:
    explorer = bpe_stepper(tokenizer, "the cat")
    page = play(explorer, html="<p>live</p>")
    page.page.evaluate(LIVE, [explorer._esm, explorer.state()])
    page.button("Next").click()
    page.type("the cats")
    told = page.page.evaluate("told")
    assert told == [["step", 1], "saved", ["text", "the cats"], "saved"]
    page.page.evaluate("model.set('text', 'other')")  # w.text = "other"
    page.page.evaluate("model.set('step', 1000)")
    assert page.page.get_by_label("Text").input_value() == "other"
    assert page.ids() == tokenizer.encode("other")
    page.page.evaluate("stop()")
    page.page.evaluate("model.set('text', 'nobody listens')")
    assert page.page.get_by_label("Text").input_value() == "other"


def test_the_stored_output_is_the_same_every_time(tokenizer: ByteBPE) -> None:
    one, two = (bundle(bpe_stepper(tokenizer, "the")) for _ in range(2))
    assert one.pop(WIDGET_VIEW) != two.pop(WIDGET_VIEW)
    assert one == two
    assert set(one) == {"text/plain", EXPLORER_MIME}
    assert "0x" not in one["text/plain"], "an address"
    assert set(one[EXPLORER_MIME]["state"]) == {
        "text",
        "step",
        "merges",
        "byte_order",
    }


CELLS = [
    "from llm_utils.text.bpe import ByteBPE\n"
    "from llm_utils.widgets import bpe_stepper\n"
    'merges = [(b"t", b"h"), (b"th", b"e")]',
    'bpe_stepper(ByteBPE.from_merges(merges), "the", step=1)',
]


def stored_notebook(tokenizer: ByteBPE, step: int) -> nbformat.NotebookNode:
    """A notebook as Jupyter saves it, with the stepper's output."""
    new = nbformat.v4
    shown = new.new_output(
        "execute_result",
        data=bundle(bpe_stepper(tokenizer, "the", step)),
        execution_count=2,
    )
    cells = [
        new.new_code_cell(source, execution_count=i + 1)
        for i, source in enumerate(CELLS)
    ]
    cells[1].outputs = [shown]
    notebook = new.new_notebook(cells=[new.new_markdown_cell("# Play"), *cells])
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    notebook.metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {
            "version_major": 2,
            "version_minor": 0,
            "state": {"x": {}},
        }
    }
    return notebook


@pytest.mark.parametrize("step", [1, 0], ids=["same", "changed"])
def test_nbval_compares_it_strictly(tmp_path: Path, step: int) -> None:
    tokenizer = ByteBPE.from_merges([(b"t", b"h"), (b"th", b"e")])
    path = tmp_path / "play.ipynb"
    nbformat.write(stored_notebook(tokenizer, step), path)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbval",
            "--nbval-current-env",
            "-q",
            "-p",
            "no:cacheprovider",
            str(path),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == (0 if step == 1 else 1), run.stdout


@pytest.fixture(scope="module")
def sphinx_project(tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("sphinx")
    tokenizer = ByteBPE.from_merges([(b"t", b"h"), (b"th", b"e")])
    nbformat.write(stored_notebook(tokenizer, 1), folder / "index.ipynb")
    (folder / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
        'extensions = ["myst_nb", "static_widgets"]\n'
        'nb_execution_mode = "off"\nproject = "play"\n'
        'exclude_patterns = ["_build"]\n'
    )
    return folder


def build(folder: Path, builder: str) -> Path:
    pytest.importorskip("myst_nb", reason="the book's tools are not here")
    out = folder / "_build" / builder
    subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "-n",
            "-b",
            builder,
            str(folder),
            str(out),
        ],
        check=True,
        timeout=240,
    )
    return out


def test_sphinx_makes_the_stored_output_live(
    browser: Any, sphinx_project: Path
) -> None:
    index = build(sphinx_project, "html") / "index.html"
    assert "widget-view" not in index.read_text(encoding="utf-8")
    assert "require" not in index.read_text(encoding="utf-8")
    context = browser.new_context()
    context.set_offline(True)
    page = context.new_page()
    page.goto(index.as_uri())
    group = page.get_by_role("group", name="BPE stepper")
    group.get_by_role("button", name="Last").click()
    assert page.evaluate(WORDS) == [[257]]
    context.close()


def test_the_pdf_gets_one_line_and_no_repr(sphinx_project: Path) -> None:
    (tex,) = build(sphinx_project, "latex").glob("play.tex")
    text = tex.read_text(encoding="utf-8")
    assert "Interactive in the HTML edition: BPE stepper." in text
    assert "run this cell" not in text and "BPEStepper" not in text
    assert "document.currentScript" not in text


def test_other_widgets_keep_their_state(static: ModuleType) -> None:
    notebook = stored_notebook(ByteBPE(), 0)
    other = nbformat.v4.new_output("display_data", data={WIDGET_VIEW: {}})
    notebook.cells[1].outputs.append(other)
    assert static.rewrite(notebook) == {"bpe_stepper"}
    assert "widgets" in notebook.metadata
    notebook = stored_notebook(ByteBPE(), 0)
    static.rewrite(notebook)
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize(
    "module, message",
    [
        ("../../secret", "not the name of an explorer"),
        ("no_such_explorer", "is missing"),
    ],
)
def test_an_unknown_explorer_stops_the_build(
    static: ModuleType, module: str, message: str
) -> None:
    with pytest.raises(static.ExtensionError, match=message):
        static.mount({"module": module, "title": "?", "state": {}})


@pytest.mark.parametrize(
    "code",
    [
        'import x from "y";\nexport default {};\n',
        "export const a = 1;\nexport default {};\n",
        "const a = 1;\n",
        "export default {};\nexport default {};\n",
        'export default {};\nconst a = "</script>";\n',
    ],
)
def test_a_module_that_cannot_be_inlined_stops_the_build(
    static: ModuleType, code: str
) -> None:
    with pytest.raises(static.ExtensionError):
        static.classic_script(code)


def test_the_border_refuses_what_a_page_cannot_show() -> None:
    with pytest.raises(ValueError, match="cuts text as GPT-2 does"):
        bpe_stepper(ByteBPE(pattern=r"(?s:.)"))
    with pytest.raises(ValueError, match="count merges from 0"):
        bpe_stepper(ByteBPE(), step=-1)
    pairs = [(bytes([a]), bytes([b])) for a in range(99) for b in range(256)]
    with pytest.raises(ValueError, match=r"25344 merges are too many"):
        bpe_stepper(ByteBPE(pairs))


def test_an_explorer_without_its_javascript_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no llm_utils/assets/nowhere\.js"):
        type("Nowhere", (Explorer,), {"module": "nowhere", "title": "?"})


def test_pages_and_notebooks_share_the_same_files(static: ModuleType) -> None:
    from llm_utils.widgets import base

    assert static.SHARED == base.SHARED
