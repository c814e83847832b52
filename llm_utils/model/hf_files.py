"""The files of a Hugging Face folder, read with care.

`hf` uses them in chapter 6. Every refusal is a ValueError that says which file
is wrong, and how.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from llm_utils.text.saved import PathLike

WEIGHTS = "model.safetensors"


def find_folder(folder_or_name: PathLike) -> Path:
    """The folder of that path, else the one of that name on the Hub."""
    folder = Path(folder_or_name)
    if folder.is_dir():
        return folder
    name = str(folder_or_name)
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ValueError(f"{name} is no folder and no name on the Hub")
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ValueError(
            f"{name} is no folder, and to fetch it from the Hub takes the "
            "extra packages: pip install 'llm-utils[hf]'"
        ) from error
    wanted = ["*.json", "*.safetensors"]
    return Path(snapshot_download(name, allow_patterns=wanted))


def read_weights(folder: PathLike) -> dict[str, Tensor]:
    """model.safetensors, or the shards that its index lists, as they are."""
    folder = Path(folder)
    index = folder / f"{WEIGHTS}.index.json"
    if not index.exists():
        return _load(folder / WEIGHTS)
    file_of = read_json(index).get("weight_map")
    if not isinstance(file_of, dict):
        raise ValueError(f"{index.name} has no weight_map")
    odd = [x for x in file_of.values() if Path(str(x)).name != x]
    if odd:
        raise ValueError(f"{index.name} names {odd[0]!r}, which is no file")
    tensors: dict[str, Tensor] = {}
    for name in sorted(set(file_of.values())):
        tensors.update(_load(folder / name))
    wrong = sorted(set(file_of) ^ set(tensors))
    if wrong:
        raise ValueError(f"{index.name} and the shards differ in {some(wrong)}")
    return tensors


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    if not path.exists():
        raise ValueError(f"there is no {path.name}: is this a model's folder?")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    if not isinstance(record, dict):
        raise ValueError(f"{path.name} holds no object")
    return record


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write an object, for people too."""
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def some(names: list[str], most: int = 3) -> str:
    """The first few of a list of names, as text."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more


def _load(path: Path) -> dict[str, Tensor]:
    if not path.exists():
        there = sorted(p.name for p in path.parent.iterdir())
        raise ValueError(f"there is no {path.name}, only {some(there)}")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(
            f"{path.name} is damaged or cut short ({error}): fetch it again"
        ) from error
