"""Exercise 9 of chapter 6: which tensor goes into which file.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.watch import WrongForm

Index = dict[str, Any]


def _index(
    sizes: Mapping[str, int],
    limit: int,
    first: int = 1,
    full: str = "over",
    known: str = "all",
    total: str = "bytes",
    after: str = "empty",
) -> Index:
    """The index, with its mistakes as knobs."""
    places, n, held = [], 0, 0
    for size in sizes.values():
        over = {
            "equal": held + size >= limit,
            "late": held > limit,
            "empty": held + size > limit,
            "alone": held > 0,
        }.get(full, held + size > limit)
        if over and (held > 0 or full == "empty"):
            n, before = n + 1, held
            held = {"kept": before, "twice": size}.get(after, 0)
        places.append(n)
        held += size
    counts = {"all": [n + 1] * len(places), "so far": [p + 1 for p in places]}
    names = [
        f"model-{place + first:05}-of-{count:05}.safetensors"
        for place, count in zip(places, counts[known], strict=True)
    ]
    totals = {
        "bytes": sum(sizes.values()),
        "tensors": len(sizes),
        "limit": limit,
    }
    weight_map = dict(zip(sizes, names, strict=True))
    return {"metadata": {"total_size": totals[total]}, "weight_map": weight_map}


def _read(x: Any) -> Index:
    if not isinstance(x, Mapping):
        raise WrongForm(f"a {type(x).__name__}; a dictionary is asked for")
    if set(x) != {"metadata", "weight_map"}:
        raise WrongForm(
            f"a dictionary with the keys {sorted(map(str, x))!a}; 'metadata' "
            "and 'weight_map' are asked for"
        )
    if not isinstance(x["weight_map"], Mapping):
        raise WrongForm("no dictionary under 'weight_map'")
    return {**x, "weight_map": dict(x["weight_map"])}


def _first_fit(sizes: Mapping[str, int], limit: int) -> Index:
    """Each tensor into the first file that has room, not the current one."""
    files: list[int] = []
    places = {}
    for name, size in sizes.items():
        room = [i for i, held in enumerate(files) if held + size <= limit]
        if not room:
            files.append(0)
        places[name] = room[0] if room else len(files) - 1
        files[places[name]] += size
    names = {
        name: f"model-{i + 1:05}-of-{len(files):05}.safetensors"
        for name, i in places.items()
    }
    return {**_index(sizes, limit), "weight_map": names}


def _total_only(args: tuple[Any, ...], value: Index) -> bool:
    """Every file is right, and the sum is not."""
    return bool(value["weight_map"] == _index(*args)["weight_map"])


def _names_only(args: tuple[Any, ...], value: Index) -> bool:
    """Right but for how the files are called."""
    want = _index(*args)["weight_map"]
    got = value["weight_map"]
    if got.keys() != want.keys() or {*map(type, got.values())} != {str}:
        return False
    pairs = set(zip(got.values(), want.values(), strict=True))
    return len(pairs) == len(set(want.values())) == len(set(got.values()))


def _turned(args: tuple[Any, ...], value: Index) -> bool:
    sizes, _ = args
    got = set(value["weight_map"])
    return bool(got) and not set(sizes) & got


shard_index = Exercise(
    name="shard_index",
    asks="write shard_index(sizes, limit), the content of the index file",
    reference=_index,
    cases=[
        ({"a": 3}, 10),
        ({"a": 3, "b": 4}, 10),
        ({"a": 6, "b": 6}, 10),
        ({"a": 6, "b": 4, "c": 1}, 10),
        ({"a": 12, "b": 1}, 10),
        ({"a": 2, "b": 12, "c": 3, "d": 3}, 10),
        ({"a": 7, "b": 7, "c": 2, "d": 1, "e": 9, "f": 1}, 10),
    ],
    form=_read,
    mistakes=[
        Mistake(
            "The files are counted from 0. The first is model-00001.",
            partial(_index, first=0),
        ),
        Mistake(
            "Each name says how many files there are in all, and yours say "
            "how many there have been so far. Decide all places first, then "
            "write the names.",
            partial(_index, known="so far"),
        ),
        Mistake(
            "You begin a new file when one is exactly full. A file may hold "
            "`limit` bytes: compare with >, not >=.",
            partial(_index, full="equal"),
        ),
        Mistake(
            "You look whether the file is too large when it already is. Ask "
            "before you add: would this tensor make it too large?",
            partial(_index, full="late"),
        ),
        Mistake(
            "A tensor larger than the limit leaves an empty file before it. "
            "Begin a new file only if the one at hand holds something.",
            partial(_index, full="empty"),
        ),
        Mistake(
            "Every tensor has a file of its own. Fill a file as long as the "
            "next one fits.",
            partial(_index, full="alone"),
        ),
        Mistake(
            "A new file begins with the bytes of the old one. Set the count "
            "back to 0 when you begin one.",
            partial(_index, after="kept"),
        ),
        Mistake(
            "The first tensor of a new file is counted twice: once when the "
            "file begins, once when it is added.",
            partial(_index, after="twice"),
        ),
        Mistake(
            "You look for room in earlier files. Keep the order: a tensor "
            "goes into the current file or into a new one.",
            _first_fit,
        ),
        Mistake(
            "total_size is the number of bytes of all tensors together, not "
            "how many tensors there are.",
            partial(_index, total="tensors"),
        ),
        Mistake(
            "total_size is the number of bytes of all tensors together, not "
            "the limit of one file.",
            partial(_index, total="limit"),
        ),
        Mistake(
            "weight_map is the wrong way round. It leads from the name of a "
            "tensor to the name of its file.",
            when=_turned,
        ),
        Mistake(
            "Every tensor is in the right file. What stands under 'metadata' "
            "is off: a dictionary with total_size, the bytes of all tensors.",
            when=_total_only,
        ),
        Mistake(
            "Every tensor is in the right file, but a name is not as it "
            "should be. The second of three files is "
            "model-00002-of-00003.safetensors, with five digits each.",
            when=_names_only,
        ),
    ],
    praise="A loader reads the index first, and opens only the files that "
    "it needs.",
)
