"""The reference says what the source says, and links where it is derived."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book/_ext"))
book_api = pytest.importorskip("book_api")

SOURCE = '''
class Pair(NamedTuple):
    """Two numbers."""

    a: int
    b: int = 2


@cache
def add(
    a: int,
    b: int,
) -> int:
    """a + b. Chapter 3."""
    return a + b


class Layer:
    """y = x w."""

    def __init__(self, w: float) -> None:
        """w: a number."""
        self.w = w

    def hidden(self) -> int:
        return 1


def bare(x):
    return x
'''


@pytest.fixture
def house(tmp_path):
    stage = tmp_path / "llm_utils/text"
    stage.mkdir(parents=True)
    (stage / "__init__.py").write_text("from llm_utils.text.sums import add\n")
    (stage / "sums.py").write_text(SOURCE)
    return tmp_path


def test_a_definition_is_shown_as_far_as_its_docstring(house):
    found = book_api.definitions(house / "llm_utils/text/sums.py")
    pair, add, layer, bare = found.values()
    assert pair[0].endswith('"""Two numbers."""\n    a: int\n    b: int = 2')
    assert add[0].startswith("@cache\ndef add(\n")
    assert add[0].endswith('"""a + b. Chapter 3."""')
    assert '"""w: a number."""' in layer[0]
    assert "self.w" not in layer[0] and "hidden" not in layer[0]
    assert bare == ("def bare(x):", "")


def test_a_name_belongs_to_the_first_chapter_that_imports_it(house):
    one = book_api.Chapter(1, "ch-one", "from llm_utils.text import add")
    code = "from llm_utils.text import sums\nsums.add(1, 2)\nsums.Pair(1)"
    two = book_api.Chapter(2, "ch-two", code)
    got = book_api.first_uses(house, [one, two])
    assert {name: c.label for (_, name), c in got.items()} == {
        "add": "ch-one",
        "Pair": "ch-two",
    }
    assert {module for module, _ in got} == {"llm_utils.text.sums"}


def test_imports_in_parentheses_and_under_other_names():
    code = "from llm_utils.text.bpe import (a,\n    b as c,\n)\nimport x"
    assert list(book_api.imports(code)) == [
        ("llm_utils.text.bpe", "a"),
        ("llm_utils.text.bpe", "b"),
    ]


def test_a_chapter_without_a_label_stops_the_build(tmp_path):
    path = tmp_path / "01_x.ipynb"
    cell = {"cell_type": "markdown", "source": "# One"}
    path.write_text(json.dumps({"cells": [cell]}))
    with pytest.raises(ValueError, match="no label"):
        book_api.chapter_of(path)


def test_every_class_and_function_of_the_chapters_is_found():
    paths = sorted(ROOT.glob("chapters/week*/*.ipynb"))
    chapters = [book_api.chapter_of(path) for path in paths]
    for module, name in book_api.first_uses(ROOT, chapters):
        stage = f"{module}.".split(".")[1]
        if stage in book_api.STAGES and not name.isupper():
            path = book_api.source_of(ROOT, module)
            assert name in book_api.definitions(path), (module, name)


@pytest.mark.parametrize(
    ("code", "above", "room"),
    [("a\nb", 0, (4, 4)), ("a\nb", 2, (6, 6)), ("a\n" * 30, 2, (34, 8))],
)
def test_an_entry_asks_for_room_in_print(code, above, room):
    (whole, least), kept = room, book_api.keep(code, above)
    assert kept["format"] == "latex"
    assert kept.astext().split() == [rf"\bookkeep{{{whole}}}{{{least}}}"]
