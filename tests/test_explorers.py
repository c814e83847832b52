"""The package of explorers: a file each, read only when it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from llm_utils import widgets

PROBE = """
import sys
from llm_utils.widgets import EXPLORER_MIME
print([m for m in sys.modules if m in ("anywidget", "torch", "matplotlib")])
"""


def test_the_package_alone_loads_no_widget_library():
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_had():
    for name in widgets.__all__:
        assert getattr(widgets, name) is not None
    assert set(widgets.HOMES) < set(widgets.__all__)


def test_every_file_of_an_explorer_has_a_name_here():
    folder = Path(widgets.__file__).parent
    files = {p.stem for p in folder.glob("*.py")} - {"__init__"}
    assert files == set(widgets.HOMES.values())


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'speed'"):
        _ = widgets.speed


def test_a_stored_widget_names_the_package_not_the_file():
    from llm_utils.text.bpe import ByteBPE

    stepper = widgets.bpe_stepper(ByteBPE.from_merges([(b"t", b"h")]), "the")
    assert stepper._anywidget_id == "llm_utils.widgets.BPEStepper"
    assert set(stepper.state()) == {"text", "step", "merges", "byte_order"}
