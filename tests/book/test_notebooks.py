"""What is stored of a run is the same on every machine."""

from __future__ import annotations

import copy

import pytest
from helpers import code, notebook, printed, shown

from llm_utils.model.hf import to_hf
from llm_utils.model.zoo import build
from llm_utils.text.bpe import ByteBPE
from scripts import check_notebooks, needs
from scripts.notebooks import WIDGETS, merge_streams, normalize

END = "<|endoftext|>"
VIEW = "application/vnd.jupyter.widget-view+json"


def with_widgets(first: str, second: str):
    """A notebook that shows two widgets; ids are whatever a kernel chose."""
    state = {
        second: {"model_name": "B", "state": {"layout": f"IPY_MODEL_{first}"}},
        first: {"model_name": "A", "state": {}},
    }
    cells = [
        code("a", shown(VIEW, {"model_id": first}), id="a"),
        code("b", shown(VIEW, {"model_id": second}), id="b"),
    ]
    return notebook(*cells, widgets={WIDGETS: {"state": state}})


def test_widget_ids_do_not_depend_on_the_kernel() -> None:
    one = normalize(with_widgets("f" * 32, "a" * 32))
    two = normalize(with_widgets("3" * 32, "9" * 32))
    assert one == two
    assert "f" * 32 not in str(one)


def test_times_and_versions_go() -> None:
    nb = notebook(
        code("1", execution={"iopub.status.busy": "2026-01-01"}),
        language_info={"name": "python", "version": "3.11.7"},
    )
    made = normalize(nb)
    assert "execution" not in made.cells[0].metadata
    assert made.metadata.language_info == {"name": "python"}
    assert made.metadata.kernelspec["name"] == "python3"


def test_normalizing_twice_changes_nothing() -> None:
    once = normalize(with_widgets("f" * 32, "a" * 32))
    assert normalize(copy.deepcopy(once)) == once


def test_pieces_of_a_stream_become_one() -> None:
    err = printed("b")
    err.name = "stderr"
    made = merge_streams([printed("a"), printed("b"), err, printed("c")])
    assert [(o.name, o.text) for o in made] == [
        ("stdout", "ab"),
        ("stderr", "b"),
        ("stdout", "c"),
    ]


def test_an_unmet_need_leaves_only_its_cells_uncompared() -> None:
    nb = notebook(
        code("1", id="a", tags=["needs-moon"]),
        code("2", id="b", tags=["other"]),
    )
    assert check_notebooks.relax(nb, {"needs-moon": "too far"}) == 1
    assert check_notebooks.IGNORE in nb.cells[0].metadata.tags
    assert check_notebooks.IGNORE not in nb.cells[1].metadata.tags


def test_an_unmet_need_keeps_the_stored_output() -> None:
    def run(text: str, source: str = "x"):
        far = code(source, printed(text), id="far", tags=["needs-moon"])
        return notebook(far, code("y", printed(text), id="near"))

    after = run("substitute")
    assert needs.keep_outputs(run("real"), after, {"needs-moon": "far"}) == 1
    assert [c.outputs[0].text for c in after.cells] == ["real", "substitute"]
    changed = run("substitute", source="z")
    assert needs.keep_outputs(run("real"), changed, {"needs-moon": ""}) == 0
    assert needs.keep_outputs(run("real"), run("substitute"), {}) == 0


def test_a_need_is_unmet_only_where_it_is_named(monkeypatch) -> None:
    monkeypatch.setattr(
        needs, "NEEDS", {"needs-moon": (lambda: False, "too far")}
    )
    far = notebook(code("x", id="far", tags=["needs-moon"]))
    assert needs.unmet([far]) == {"needs-moon": "too far"}
    assert needs.unmet([notebook(code("x", id="near"))]) == {}


def test_a_model_fetched_in_part_is_not_there(tmp_path, monkeypatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    home = tmp_path / "models--openai-community--gpt2"
    folder = home / "snapshots" / "one"
    tokenizer = ByteBPE.train("a cat sat", 260, special_tokens=[END])
    model = build("tiny-gpt2", vocab_size=tokenizer.vocab_size)
    to_hf(model, tokenizer, folder, end=END)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("one")
    assert needs.has_gpt2_weights()
    (folder / "model.safetensors").unlink()
    assert not needs.has_gpt2_weights()
