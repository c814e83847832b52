"""The table of what chapters cost says what the notebooks hold."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book/_ext"))
book_costs = pytest.importorskip("book_costs")


def stored(path, text, label="(ch-one)=\n# One"):
    output = {
        "output_type": "display_data",
        "data": {"application/papermill.record/text/plain": repr(text)},
        "metadata": {"scrapbook": {"name": "cost"}},
    }
    cells = [
        {"cell_type": "markdown", "source": label},
        {"cell_type": "code", "source": "x", "outputs": [output]},
    ]
    path.write_text(json.dumps({"cells": cells}))
    return path


def test_the_last_stored_cost_counts(tmp_path):
    text = "27 seconds of processor time and 0.2 GB of memory"
    got = book_costs.cost_of(stored(tmp_path / "01.ipynb", text))
    assert got == ("ch-one", 27, 0.2)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("soon", "(ch-one)="),
        ("27 seconds of processor time and 0.2 GB", "# One"),
    ],
)
def test_a_chapter_without_cost_or_label_stops_the_build(tmp_path, text, label):
    with pytest.raises(ValueError, match="run it again"):
        book_costs.cost_of(stored(tmp_path / "01.ipynb", text, label))


def test_every_chapter_has_a_row_and_the_last_row_is_their_sum():
    paths = sorted(ROOT.glob("chapters/week*/*.ipynb"))
    costs = [book_costs.cost_of(path) for path in paths]
    rows = book_costs.table(costs)[2:]
    assert len(rows) == len(paths) + 1
    assert f"| {sum(x.seconds for x in costs)} |" in rows[-1]
