"""The notebook helpers: shown source is real, equality can fail."""

import subprocess
import sys
import time

import pytest
import torch

from llm_utils import notebook
from llm_utils.notebook import assert_same, glue, show_delta, show_source


def one_line(x):
    """A docstring on one line."""
    return x + 1


def many_lines(x):
    """A docstring

    on several lines.
    """
    return x + 2


def test_source_is_the_functions_own_text():
    assert notebook.source_of(one_line).splitlines()[-1] == "    return x + 1"
    assert '"""A docstring on one line."""' in notebook.source_of(one_line)


@pytest.mark.parametrize("function", [one_line, many_lines])
def test_the_docstring_can_be_left_out(function):
    lines = notebook.source_of(function, doc=False).splitlines()
    assert len(lines) == 2 and lines[1].startswith("    return")


def test_shown_source_names_its_file():
    shown = show_source(notebook.glue).data
    assert shown.startswith("```python\n# llm_utils/notebook.py\ndef glue(")


def test_what_has_no_source_is_refused():
    with pytest.raises(ValueError, match="no Python source"):
        show_source(3)


def test_a_delta_shows_old_and_new_lines():
    shown = show_delta(one_line, many_lines).data
    assert "-    return x + 1" in shown and "+    return x + 2" in shown


def test_glue_emits_what_myst_nb_reads(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "IPython.display.display", lambda *args, **kw: seen.append((args, kw))
    )
    glue("answer", "42")
    (((data,), options),) = seen
    assert data == {"application/papermill.record/text/plain": "'42'"}
    assert options["metadata"]["scrapbook"] == {
        "name": "answer",
        "mime_prefix": "application/papermill.record/",
    }


def test_cost_speaks_of_time_and_memory():
    assert "seconds of processor time" in notebook.cost()


def test_cost_counts_work_and_not_waiting():
    before = notebook._processor_seconds()
    time.sleep(0.3)
    waited = notebook._processor_seconds() - before
    subprocess.run([sys.executable, "-c", "sum(range(5 * 10**7))"], check=True)
    assert waited < 0.2 < notebook._processor_seconds() - before + 0.1


X = torch.linspace(-1, 1, 6).view(2, 3)


def test_assert_same_accepts_another_way_to_say_it():
    assert_same(lambda x: (x * x).sum(-1), lambda x: (x**2).sum(-1), X)


def test_assert_same_sees_a_wrong_value():
    with pytest.raises(AssertionError):
        assert_same(torch.exp, lambda x: torch.exp(x) + 1e-9, X)


def test_assert_same_sees_a_wrong_gradient():
    def stopped(x):
        return x * x.detach()

    with pytest.raises(AssertionError):
        assert_same(lambda x: x * x, stopped, X)


def test_a_device_can_be_picked():
    torch.zeros(1, device=notebook.pick_device())
