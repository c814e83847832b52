"""What agrees with other libraries: the last test run against what is stored.

    python -m scripts.trust            the same comparisons, as close as stored
    python -m scripts.trust --write    store those of the last run

A test that compares with another library notes it (`tests/agreement.py`), and
`pytest --trust=_build/trust.json` writes the notes of those that passed. The
page "What the book is checked against" is made of `book/trust.json`. Versions
and differences may differ from run to run; comparisons, their tolerances and
the tests that make them may not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / "_build" / "trust.json"
STORED = ROOT / "book" / "trust.json"
RUN = "python -m pytest -m parity --trust=_build/trust.json"
REFRESH = f"{RUN} && python -m scripts.trust --write"
Row = dict[str, Any]
Key = tuple[str, str, str]


class Trust(NamedTuple):
    """What a run noted: its comparisons, and the tests that it skipped."""

    rows: dict[Key, Row]
    skipped: frozenset[str] = frozenset()


def key(row: Row) -> Key:
    """What a comparison is known by."""
    return row["stage"], row["oracle"], row["what"]


def read(path: Path) -> Trust:
    """ValueError for a file that is not there, with the command for it."""
    if not path.is_file():
        raise ValueError(f"there is no {path.name} of a run of tests: {RUN}")
    record = json.loads(path.read_text(encoding="utf-8"))
    rows = {key(row): row for row in record["rows"]}
    return Trust(rows, frozenset(record.get("skipped", ())))


def rounded(row: Row) -> Row:
    """Differences to two digits: the others are the machine's, not ours."""
    gaps = {name: row[name] for name in ("difference", "relative")}
    return row | {k: x and float(f"{x:.1e}") for k, x in gaps.items()}


def write(path: Path, rows: dict[Key, Row]) -> None:
    """A comparison a line, in order: a change is a line of a diff."""
    found = [rounded(rows[k]) for k in sorted(rows)]
    lines = [json.dumps(row, sort_keys=True) for row in found]
    path.write_text('{"rows": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8")


def left_out(row: Row, found: Trust) -> bool:
    """Were all the tests skipped that make this comparison?"""
    return set(row["tests"]) <= found.skipped


def problems(found: Trust, stored: Trust) -> list[str]:
    """What is new, what is missing, what is compared otherwise."""
    said = []
    for one in sorted(found.rows.keys() | stored.rows.keys()):
        name = f"{one[1]}, {one[2]}"
        new, old = found.rows.get(one), stored.rows.get(one)
        if old is None:
            said.append(f"not stored: {name}")
        elif new is None:
            if not left_out(old, found):
                said.append(f"missing from the run: {name}")
        elif (new["atol"], new["rtol"]) != (old["atol"], old["rtol"]):
            said.append(
                f"another tolerance: {name} (stored: atol={old['atol']}, "
                f"rtol={old['rtol']}; run: atol={new['atol']}, "
                f"rtol={new['rtol']})"
            )
        elif (set(old["tests"]) ^ set(new["tests"])) - found.skipped:
            said.append(f"made by other tests: {name}")
    return said


def renewed(found: Trust, stored: Trust) -> dict[Key, Row]:
    """The rows of the run, and those that it had to leave out."""
    kept = {k: r for k, r in stored.rows.items() if left_out(r, found)}
    return kept | found.rows


def main() -> int:
    parser = argparse.ArgumentParser(description="what agrees with others")
    parser.add_argument("--write", action="store_true", help="store the run's")
    parser.add_argument("--found", type=Path, default=FOUND)
    parser.add_argument("--stored", type=Path, default=STORED)
    args = parser.parse_args()
    try:
        found = read(args.found)
    except ValueError as error:
        print(error)
        return 1
    stored = read(args.stored) if args.stored.is_file() else Trust({})
    if args.write:
        rows = renewed(found, stored)
        write(args.stored, rows)
        print(f"{len(rows)} comparisons stored in {args.stored.name}")
        return 0
    for _, oracle, what in sorted(stored.rows.keys() - found.rows.keys()):
        if left_out(stored.rows[_, oracle, what], found):
            print(f"skipped: {oracle}, {what}: its tests were")
    said = problems(found, stored)
    if said:
        print("\n".join(said))
        print(f"If this is meant: {REFRESH}")
        return 1
    print(f"{len(found.rows)} comparisons, as close as stored")
    return 0


if __name__ == "__main__":
    sys.exit(main())
