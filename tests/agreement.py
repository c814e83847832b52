"""The fixture `agrees`: ours is what another library gives, and that is kept.

    agrees("transformers", "logits of a Llama folder", ours, theirs, atol=1e-5)

asserts, and notes what was compared, with which version, how closely, and how
far apart the two were. `pytest --trust=FILE` writes the notes of all tests
that passed into one file, which `python -m scripts.trust` compares with the
one behind the page "What the book is checked against". A test that uses the
fixture, itself or through another one, carries the mark `parity`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Set
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

NOTE = "agreement"
Row = dict[str, Any]


def leaves(ours: Any, theirs: Any) -> Iterator[tuple[Any, Any]]:
    """The pairs in two equally built lists, tuples or dicts."""
    if isinstance(theirs, Mapping):
        assert ours.keys() == theirs.keys()
        for name in theirs:
            yield from leaves(ours[name], theirs[name])
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            yield from leaves(a, b)
    else:
        yield ours, theirs


def numbers(x: Any) -> bool:
    """Is x compared as numbers with a tolerance? All else is compared as is."""
    some = next((one for one, _ in leaves(x, x)), None)
    return isinstance(some, (torch.Tensor, np.ndarray, float))


def size(x: Any) -> int:
    """How many things a comparison of x compares."""
    if isinstance(x, Set):
        return len(x)
    sizes = (getattr(one, "shape", ()) for one, _ in leaves(x, x))
    return sum(map(math.prod, sizes))


def tensor(x: Any) -> torch.Tensor:
    """Python's floats stay what they are: float64."""
    dtype = torch.float64 if isinstance(x, (int, float)) else None
    return torch.as_tensor(x, dtype=dtype)


def apart(a: torch.Tensor, b: torch.Tensor) -> tuple[float, float]:
    """The largest difference, as it is and as a share of b where b is not 0.

    Nothing where both are the same infinity or not a number.
    """
    a, b = (x.detach().cpu().double() for x in (a, b))
    same = (a == b) | (a.isnan() & b.isnan())
    gap = torch.where(same, 0.0, (a - b).abs())
    part = torch.where(same | (b == 0), 0.0, gap / b.abs())
    most, share = (float(x.max()) if x.numel() else 0.0 for x in (gap, part))
    return most, share


def tolerance(
    a: torch.Tensor, b: torch.Tensor, atol: float | None, rtol: float | None
) -> tuple[float, float]:
    """(atol, rtol) as given, or those that assert_close takes for itself."""
    if (atol is None) != (rtol is None):
        raise ValueError("a tolerance is atol and rtol, or neither of them")
    if atol is not None and rtol is not None:
        return atol, rtol
    rtol, atol = torch.testing._comparison.default_tolerances(a, b)
    return atol, rtol


@cache
def version(oracle: str) -> str:
    """Without what says where it was built: 2.9.0 of 2.9.0+cpu."""
    return metadata.version(oracle).split("+")[0]


class Agrees:
    """What `agrees` is: it knows the test that runs, and notes in it."""

    def __init__(self, notes: bool = True) -> None:
        self.notes = notes
        self.item: pytest.Item | None = None

    def __call__(
        self,
        oracle: str,
        what: str,
        ours: Any,
        theirs: Any,
        *,
        atol: float | None = None,
        rtol: float | None = None,
        check_dtype: bool = True,
    ) -> None:
        """Ours is theirs: numbers within a tolerance, all else to the letter.

        Without one, numbers have the tolerance of `torch.testing`.
        """
        said = f"{what}: not what {oracle} gives"
        if not numbers(theirs):
            assert ours == theirs, said
            exact: Row = {"atol": 0.0, "rtol": 0.0, "difference": 0.0}
            self.note(oracle, what, numbers=size(theirs), **exact)
            return
        found: list[Row] = []
        for one, other in leaves(ours, theirs):
            plain = not isinstance(other, torch.Tensor)
            a, b = tensor(one), tensor(other)
            most, part = tolerance(a, b, atol, rtol)
            torch.testing.assert_close(
                a, b, atol=most, rtol=part,
                check_dtype=check_dtype and not plain,
                msg=lambda why: f"{said}\n{why}",
            )  # fmt: skip
            gap, ratio = apart(a, b)
            dtypes = [str(b.dtype).removeprefix("torch.")]
            found.append({
                "numbers": b.numel(), "atol": most, "rtol": part,
                "difference": gap, "relative": ratio, "dtypes": dtypes,
            })  # fmt: skip
        for one in found:
            self.note(oracle, what, **one)

    def held(self, oracle: str, what: str) -> None:
        """At the end of a test that compares no numbers: it held."""
        self.note(oracle, what, numbers=0, atol=None, rtol=None)

    def note(self, oracle: str, what: str, **found: Any) -> None:
        if not self.notes:
            return
        assert self.item is not None, "`agrees` outside of a test"
        place = self.item.nodeid.split("/")
        row: Row = {
            "stage": place[1] if len(place) > 2 else "",
            "oracle": oracle, "what": what, "version": version(oracle),
            "difference": None, "relative": None, "dtypes": [],
            "tests": [self.item.nodeid.split("[")[0]], **found,
        }  # fmt: skip
        for name, earlier in self.item.user_properties:
            if name == NOTE and key(earlier) == key(row):
                earlier.update(merged(earlier, row))
                return
        self.item.user_properties.append((NOTE, row))


def key(row: Row) -> tuple[str, str, str]:
    return row["stage"], row["oracle"], row["what"]


def merged(a: Row, b: Row) -> Row:
    """One row for two of a kind: sums, and the largest of what was found."""
    both = dict(a)
    both["numbers"] = a["numbers"] + b["numbers"]
    for name in ("difference", "relative", "atol", "rtol"):
        found = [row[name] for row in (a, b) if row[name] is not None]
        both[name] = max(found, default=None)
    for name in ("dtypes", "tests"):
        both[name] = sorted({*a[name], *b[name]})
    return both


class Notes:
    """Gathers the notes of the tests that passed, where the reports arrive."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, list[Row]] = {}
        self.skipped: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or hasattr(report, "wasxfail"):
            self.found.pop(report.nodeid, None)
        elif report.skipped:
            self.skipped.add(report.nodeid.split("[")[0])
        elif report.when == "call":
            noted = report.user_properties
            self.found[report.nodeid] = [x for name, x in noted if name == NOTE]

    def pytest_sessionfinish(self) -> None:
        rows: dict[tuple[str, str, str], Row] = {}
        for note in (row for notes in self.found.values() for row in notes):
            old = rows.get(key(note))
            rows[key(note)] = merged(old, note) if old else note
        record = {
            "rows": [rows[k] for k in sorted(rows)],
            "skipped": sorted(self.skipped),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


AGREES = Agrees()
# For helpers that also run on planted bugs: asserts the same, notes nothing.
silently = Agrees(notes=False)


@pytest.fixture(scope="session")
def agrees() -> Agrees:
    """For the whole session, so that other fixtures and @given can have it."""
    return AGREES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trust", metavar="FILE", help="write what agrees there")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "parity: compares with another library")
    path = config.getoption("--trust")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Notes(Path(path)), "agreement-notes")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "agrees" in getattr(item, "fixturenames", ()):
            item.add_marker("parity")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    before, AGREES.item = AGREES.item, item
    try:
        return (yield)
    finally:
        AGREES.item = before
