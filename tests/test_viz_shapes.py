"""The figures of arrays, models and runs: whole, legible, and of their data."""

import matplotlib

matplotlib.use("agg")

from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from llm_utils import viz
from llm_utils.viz import Branch, Grid, Part, Repeat
from llm_utils.viz.curves import spread
from llm_utils.viz.style import luminance

TOKENS = ["Mia", " put", " the", " kite", " in", " the", " shed", "."]
CAUSAL = np.tril(np.ones((8, 8), bool))
BLOCK = [
    "(B, T, C)",
    Branch(["LayerNorm", Part("attention", 400)]),
    Branch(["LayerNorm", Part("MLP", 800, "C to 4C to C")]),
]


@pytest.fixture(autouse=True)
def close_figures():
    with plt.rc_context():
        viz.use_style()
        yield
    plt.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def weights(rng, *shape):
    w = np.where(np.tril(np.ones(shape, bool)), rng.random(shape), 0.0)
    return w / w.sum(-1, keepdims=True)


def curves(rng):
    return {
        name: 1.2 + rng.random((3, 50)) * 0.01
        for name in ["none", "learned", "sinusoidal", "RoPE", "ALiBi"]
    }


def shed(rng):
    return {
        "maps": lambda: viz.attention_map(weights(rng, 4, 8, 8), TOKENS),
        "one map": lambda: viz.attention_map(
            weights(rng, 8, 8), TOKENS, values=True, width=viz.NARROW
        ),
        "many keys": lambda: viz.attention_map(
            weights(rng, 60, 60), [f"t{i}" for i in range(60)]
        ),
        "masks": lambda: viz.mask_grid(
            [CAUSAL, ~CAUSAL, CAUSAL], ["causal", "future", "again"]
        ),
        "heat": lambda: viz.heat(
            rng.normal(size=(3, 5)), list("abc"), list("vwxyz"), signed=True
        ),
        "table": lambda: viz.heat(
            rng.random((2, 3)),
            ["a", "b"],
            [" the", " cat", " mat"],
            values=True,
        ),
        "product": lambda: viz.tensor_product(
            [
                Grid(rng.normal(size=(4, 3)), ("T", "D"), "Q", "query"),
                "@",
                Grid(rng.normal(size=(3, 4)), ("D", "S"), "K", "key"),
                "=",
                Grid(np.eye(4), ("T", "S"), "scores", mask=CAUSAL[:4, :4]),
            ]
        ),
        "stack": lambda: viz.tensor_grid(
            np.zeros((3, 4, 2)), ("H", "T", "D"), "heads", values=False
        ),
        "rows": lambda: viz.tensor_grid(
            np.zeros((2, 2)), rows=["Mia", " ran"], cols=["x", "y"], heat=True
        ),
        "block": lambda: viz.wiring({"Pre-norm": BLOCK, "Other": BLOCK}),
        "model": lambda: viz.wiring(
            [
                "(B, T)",
                Part("embedding", 5000),
                Repeat(12, BLOCK),
                Part("experts", 10, "2 of 8", copies=8, marked=True),
                "(B, T, V)",
            ]
        ),
        "losses": lambda: viz.loss_curve(curves(rng), floor=1.19),
        "dots": lambda: viz.dots(
            {"pre": [1.2, 1.3], "post": [1.5, 1.4, 1.9]}, "loss", floor=1.1
        ),
        "histogram": lambda: viz.histogram(
            {"16": rng.normal(size=99), "64": rng.normal(size=99)},
            "q . k",
            {"-1 sd": -1.0, "mean": 0.0, "close": 0.05},
        ),
        "vectors": lambda: viz.vectors_2d(
            [{"q": (1, 0.1), "k": (1, 0.2)}, {"q": (0, 1), "k": (-1, 0)}],
            angles=[[("q", "k", "a")], [("q", "k", "b")]],
            titles=["one", "two"],
        ),
    }


def written(ax_or_list):
    """(text, its box in pixels) of all that is written in the figure."""
    axs = ax_or_list if isinstance(ax_or_list, list) else [ax_or_list]
    fig = axs[0].figure
    fig.draw_without_rendering()
    found = []
    for ax in fig.axes:
        labels = [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label]
        ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
        low, high = sorted(ax.get_xlim()), sorted(ax.get_ylim())
        for text in [*ax.texts, *labels, *(ticks if ax.axison else [])]:
            x, y = text.get_position()
            if text in ax.get_xticklabels() and not low[0] <= x <= low[1]:
                continue
            if text in ax.get_yticklabels() and not high[0] <= y <= high[1]:
                continue
            if text.get_text().strip() and text.get_visible():
                found.append((text, Text.get_window_extent(text)))  # no arrow
    return fig, found


@pytest.mark.parametrize("name", list(shed(None)))
def test_text_is_inside_the_figure_apart_and_large_enough(name, rng):
    fig, found = written(shed(rng)[name]())
    assert len(found) > 2, "vacuous test"
    width, height = fig.get_size_inches() * fig.dpi
    for text, box in found:
        assert text.get_size() >= 8, text
        inside = box.x0 > -1 and box.y0 > -1
        inside = inside and box.x1 < width + 1 and box.y1 < height + 1
        assert inside, f"{text} is cut off"
    for (a, one), (b, two) in combinations(found, 2):
        x = min(one.x1, two.x1) - max(one.x0, two.x0)
        y = min(one.y1, two.y1) - max(one.y0, two.y0)
        assert x < 1.5 or y < 3, f"{a} over {b}"


@pytest.mark.parametrize("name", list(shed(None)))
def test_a_figure_is_as_wide_as_the_column_or_sixty_percent(name, rng):
    fig, _ = written(shed(rng)[name]())
    assert fig.get_size_inches()[0] in (viz.FULL, viz.NARROW)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_map_shows_its_weights_and_hatches_what_is_masked(rng):
    w = weights(rng, 2, 8, 8)
    axs = viz.attention_map(w, TOKENS)
    for ax, head in zip(axs, w, strict=True):
        shown = ax.images[0].get_array()
        assert np.allclose(shown.filled(0), head)
        assert (shown.mask == ~CAUSAL).all()
        (hatched,) = (p for p in ax.patches if p.get_hatch())
        assert len(hatched.get_path().vertices) == 5 * (~CAUSAL).sum()
    names = [t.get_text() for t in axs[0].get_yticklabels()]
    assert names[:4] == ["Mia", "\u00b7put", "\u00b7the", "\u00b7kite"]


def test_queries_of_a_map_are_the_last_tokens(rng):
    ax = viz.attention_map(np.full((2, 8), 0.125), TOKENS)[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["\u00b7shed", "."]


def test_a_weight_of_zero_is_no_mask_where_a_mask_is_given():
    (ax,) = viz.attention_map(np.eye(8), TOKENS, mask=CAUSAL)
    assert (ax.images[0].get_array().mask == ~CAUSAL).all()


def test_a_negative_cell_has_a_minus_sign_for_print_without_color():
    ax = viz.heat([[1.0, -1.0]], ["a"], ["b", "c"], signed=True)
    assert texts(ax) == ["", "\u2212"]


def test_a_grid_shows_numbers_axes_and_no_minus_zero():
    ax = viz.tensor_grid([[-0.01, 1.25], [2, -3]], ("T", "C"), "x")
    assert {"0.0", "1.2", "2.0", "\u22123.0", "x", "T = 2", "C = 2"} == set(
        texts(ax)
    )


def test_a_stack_shows_its_first_card_and_all_three_axes():
    x = np.arange(12).reshape(3, 2, 2)
    ax = viz.tensor_grid(x, ("H", "T", "D"), form="{:d}")
    assert {"0", "1", "2", "3", "H = 3", "T = 2", "D = 2"} == set(texts(ax))


@pytest.mark.parametrize("role", ["query", "key", "value", "residual"])
def test_a_role_has_its_color_and_hatch(role):
    ax = viz.tensor_grid(np.zeros((1, 1)), role=role, values=False)
    edges = {to_hex(p.get_edgecolor()) for p in ax.patches}
    assert viz.COLORS[role].lower() in edges
    hatches = {p.get_hatch() for p in ax.patches} - {None}
    assert (
        hatches == {viz.HATCHES[role]} - {""}
        if role in viz.HATCHES
        else (not hatches)
    )


def test_masked_cells_of_a_grid_are_hatched_and_silent():
    ax = viz.tensor_grid([[1, 2], [3, 4]], mask=CAUSAL[:2, :2])
    assert "2.0" not in texts(ax) and {"1.0", "3.0", "4.0"} < set(texts(ax))
    assert sum(bool(p.get_hatch()) for p in ax.patches) == 1


def heights(ax, facecolor):
    boxes = [p for p in ax.patches if hasattr(p, "get_boxstyle")]
    return [
        p.get_height()
        for p in boxes
        if to_rgb(p.get_facecolor()) == to_rgb(facecolor)
    ]


def test_boxes_to_scale_are_filled_and_their_heights_are_shares():
    ax = viz.wiring([Part("a", 1000), Part("b", 3000), Part("tiny", 1)])
    a, b = heights(ax, viz.SOFT)
    assert b / a == pytest.approx(3) and a + b == pytest.approx(2.4, rel=1e-3)
    assert len(heights(ax, viz.PAPER)) == 1
    assert {"1,000", "3,000", "1"} < set(texts(ax))


def test_two_diagrams_have_one_scale():
    ax = viz.wiring({"x": [Part("a", 1000)], "y": [Part("b", 4000)]})
    a, b = heights(ax, viz.SOFT)
    assert b == pytest.approx(2.4) and b / a == pytest.approx(4)


def test_layers_count_as_often_as_they_are_there():
    steps = [Part("a", 1200), Repeat(12, [Branch([Part("b", 100)])])]
    ax = viz.wiring(steps)
    a, b = heights(ax, viz.SOFT)
    assert a == pytest.approx(b)
    assert {"12 \u00d7", "12 \u00d7 100", "1,200"} < set(texts(ax))


def test_runs_are_named_at_their_ends_by_their_own_line(rng):
    ax = viz.loss_curve({"train": [3.0, 1.0], "b": [3.0, 2.0]}, floor=0.5)
    at = {note.get_text(): note.xy[1] for note in ax.texts}
    assert at == {"train": 1.0, "b": 2.0, "entropy": 0.5}
    floor = ax.get_lines()[-1]
    assert floor.get_linestyle() == "--" and floor.get_ydata()[0] == 0.5


def test_seeds_are_thin_lines_or_a_band_around_their_mean(rng):
    losses = rng.random((4, 9))
    ax = viz.loss_curve({"ours": losses})
    mean = ax.get_lines()[-1]
    assert np.allclose(mean.get_ydata(), losses.mean(0))
    assert len(ax.get_lines()) == 5
    ax = viz.loss_curve({"ours": losses}, seeds="band")
    assert len(ax.get_lines()) == 1 and len(ax.collections) == 1


def test_labels_stay_apart_when_the_axis_is_changed_later(rng):
    ax = viz.loss_curve(curves(rng), floor=1.19)
    ax.set(ylim=(0, 40))
    _, found = written(ax)
    boxes = [box for text, box in found if text in ax.texts]
    assert len(boxes) == 6
    for a, b in combinations(boxes, 2):
        assert min(a.y1, b.y1) - max(a.y0, b.y0) < 3


@given(
    st.lists(
        st.tuples(st.floats(-100, 100), st.floats(1, 20)),
        min_size=1,
        max_size=8,
    )
)
def test_spread_labels_never_touch_and_move_only_if_they_must(pairs):
    wanted, sizes = zip(*pairs, strict=True)
    got = spread(wanted, sizes)
    order = sorted(range(len(got)), key=got.__getitem__)
    for i, j in pairwise(order):
        assert got[j] - got[i] >= (sizes[i] + sizes[j]) / 2 - 1e-6
        assert wanted[i] <= wanted[j] + 1e-9
    free = all(
        abs(a - b) >= (s + t) / 2 for (a, s), (b, t) in combinations(pairs, 2)
    )
    if free:
        assert np.allclose(got, wanted)


def test_dots_state_mean_and_standard_deviation():
    ax = viz.dots({"one": [1.0, 2.0, 3.0], "two": [4.0]}, "loss", form="{:.1f}")
    assert {"2.0 \u00b1 1.0", "4.0", "mean \u00b1 sd"} == set(texts(ax))


def test_an_arrow_ends_where_its_vector_does():
    (ax,) = viz.vectors_2d({"q": (1.0, 2.0)}, meanings={"q": "query"})
    (arrow,) = (t for t in ax.texts if getattr(t, "arrow_patch", None))
    assert arrow.xy == (1.0, 2.0)
    assert to_hex(arrow.arrow_patch.get_edgecolor()) == viz.COLORS["query"]


@pytest.mark.parametrize("color", [*viz.COLORS.values(), "#ffff00"])
def test_ink_of_any_color_reads_on_white(color):
    assert 1.05 / (luminance(viz.ink(color)) + 0.05) >= 4.49


REFUSED = {
    "3 tokens for 8 queries": lambda: viz.attention_map(CAUSAL, list("abc")),
    "take the softmax": lambda: viz.attention_map(3.0 * CAUSAL, TOKENS),
    "take one example": lambda: viz.attention_map(np.ones((1, 1, 2, 2)), "ab"),
    "2 titles for 1": lambda: viz.attention_map([[1.0]], "a", titles="ab"),
    "no room for numbers": lambda: viz.attention_map(
        np.eye(40), ["a"] * 40, values=True
    ),
    "give booleans": lambda: viz.mask_grid([np.eye(2)], ["a"]),
    "2 titles for 1 masks": lambda: viz.mask_grid([CAUSAL], ["a", "b"]),
    "1 rows and 2 columns": lambda: viz.heat(np.eye(2), ["a"], ["a", "b"]),
    "letter for each": lambda: viz.tensor_grid(np.zeros((2, 2, 2))),
    "no role 'speed'": lambda: viz.tensor_grid([[1]], role="speed"),
    "mask .* on array": lambda: viz.tensor_grid([[1]], mask=CAUSAL),
    "fewer columns": lambda: viz.tensor_grid(np.zeros((2, 40))),
    "at least one Grid": lambda: viz.tensor_product(["="]),
    "no room for 'a very": lambda: viz.wiring(
        {"a": [], "b": [], "c": [], "d": [Part("a very long name indeed")]}
    ),
    "give a Part": lambda: viz.wiring([3]),
    "'lines' or 'band'": lambda: viz.loss_curve({"a": [1]}, seeds="all"),
    "N steps": lambda: viz.loss_curve({"a": [1, 2]}, steps=[1]),
    "too many for one": lambda: viz.loss_curve({c: [1] for c in "abcdefg"}),
    "no meaning 'fast'": lambda: viz.loss_curve(
        {"a": [1]}, meanings={"a": "fast"}
    ),
    "meanings for": lambda: viz.loss_curve({"a": [1]}, meanings={"b": "train"}),
    "give finite": lambda: viz.dots({"a": [float("nan")]}, "x"),
    "finite numbers": lambda: viz.histogram([], "x"),
    "an angle at": lambda: viz.vectors_2d(
        {"q": (1, 0)}, angles=[("q", "k", "a")]
    ),
    "one for each": lambda: viz.vectors_2d({"q": (1, 0)}, titles=["a", "b"]),
}


@pytest.mark.parametrize("why", list(REFUSED))
def test_what_does_not_fit_is_refused(why):
    with pytest.raises(ValueError, match=why):
        REFUSED[why]()
