"""The figures: what they draw is what they were given."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest

from llm_utils import viz


@pytest.fixture(autouse=True)
def close_figures():
    with plt.rc_context():
        viz.use_style()
        yield
    plt.close("all")


def words_in(ax):
    return [text.get_text() for text in ax.texts]


def test_no_warning_when_a_figure_is_drawn(recwarn, tmp_path):
    viz.token_strip([["a", " b"]], ["row"], ids=[[0, 1]])
    plt.savefig(tmp_path / "strip.png")
    assert not [w for w in recwarn if "layout" in str(w.message)]


def test_a_strip_shows_every_token_with_its_id():
    ax = viz.token_strip([["Mia", " ran", "\n"]], ids=[[7, 8, 9]])
    assert words_in(ax) == ["Mia", "7", "\u00b7ran", "8", "\\n", "9"]


def test_a_long_strip_wraps_inside_its_width():
    ax = viz.token_strip([["token"] * 40], notes=["40 tokens"])
    rights = [p.get_x() + p.get_width() for p in ax.patches]
    assert len(rights) == 40 and max(rights) <= viz.FULL
    assert len({round(p.get_y(), 3) for p in ax.patches}) > 1


def test_bytes_that_are_no_character_are_hexadecimal():
    assert viz.visible(b"\xc3") == "<c3>"
    assert viz.visible(" é".encode()) == "\u00b7é"


def test_a_tree_follows_the_ranks():
    merges = [("h", "e"), ("t", "he"), ("he", "r"), ("the", "r")]
    texts = words_in(viz.merge_tree("there", merges))
    assert {"he", "the", "ther"} < set(texts) and "her" not in texts
    assert "merge 4" in texts and "merge 3" not in texts


def test_a_grid_leaves_empty_cells_out():
    ax = viz.text_grid([["a", None], ["b", "c"]], left=["x", "y"], top=["1"])
    assert len(ax.patches) == 3


def test_bars_write_their_values():
    ax = viz.bars(["a", "b"], [1.25, 3], "units", marked=[1])
    assert {"1.2", "3.0"} <= set(words_in(ax))
    assert ax.patches[1].get_hatch() and not ax.patches[0].get_hatch()


def test_a_meaning_without_a_color_is_refused():
    with pytest.raises(ValueError, match="no meaning 'speed'"):
        viz.line("speed")


def test_the_floor_is_dashed_everywhere():
    assert viz.line("floor")["linestyle"] != "-"
