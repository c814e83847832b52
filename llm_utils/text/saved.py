"""Small JSON files that say what they are and notice damage.

Every tokenizer of chapter 1 is saved through these two functions.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

PathLike = str | os.PathLike[str]


def write_json(path: PathLike, kind: str, version: int, body: Any) -> None:
    """Write `body` with its kind, version and checksum, all or nothing."""
    path = Path(path)
    record = {
        "format": kind,
        "version": version,
        "sha256": _digest(body),
        "body": body,
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(record, indent=1) + "\n", encoding="ascii")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_json(path: PathLike, kind: str, version: int) -> Any:
    """The body that `write_json` wrote; ValueError for any other file."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # cut short, or not text, or not JSON
        raise ValueError(
            f"{path} is damaged or no saved {kind}: {error}"
        ) from error
    if not isinstance(record, dict) or record.get("format") != kind:
        raise ValueError(f"{path} holds no saved {kind}")
    if record.get("version") != version:
        raise ValueError(
            f"{path} has version {record.get('version')!r} of {kind}, this "
            f"release reads version {version}: save it again with this release"
        )
    if "body" not in record or record.get("sha256") != _digest(record["body"]):
        raise ValueError(
            f"{path} was changed after it was saved (its checksum differs): "
            "save the tokenizer again"
        )
    return record["body"]


def _digest(body: Any) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
