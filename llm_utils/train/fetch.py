"""Corpora that are downloaded once, verified, and read from disk ever after.

Chapter 7 tells what can go wrong between a server and a file.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

BLOCK = 2**16  # bytes read at a time
TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}  # what a server may get over


@dataclass(frozen=True)
class Remote:
    """A file on a server, and how to know it when it has arrived."""

    url: str
    file: str  # below the folder of all data
    size: int  # bytes
    sha256: str


CORPORA = {
    "tinyshakespeare": Remote(
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/"
        "data/tinyshakespeare/input.txt",
        "tinyshakespeare/input.txt",
        1_115_394,
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ),
}


def data_home() -> Path:
    """The folder of downloaded data: LLM_UTILS_DATA, or one in the home."""
    named = os.environ.get("LLM_UTILS_DATA")
    return Path(named) if named else Path.home() / ".cache" / "llm_utils"


def fetch(
    name: str, *, timeout: float = 20, tries: int = 3, pause: float = 1
) -> Path:
    """The path of a corpus by name, "tinyshakespeare"; downloaded if need be.

    A copy in `data_home()` is verified by its sha256 and used. Otherwise the
    file is downloaded: `timeout` seconds for each answer, `tries` attempts
    with a growing `pause` between them. It is at its place when it is whole
    and verified, and not before. ConnectionError says how to get it where
    there is no network. Chapter 7.
    """
    if name not in CORPORA:
        raise ValueError(f"no corpus {name!r}: there is {', '.join(CORPORA)}")
    remote, path = CORPORA[name], data_home() / CORPORA[name].file
    if path.is_file() and digest(path) == remote.sha256:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        download(remote, path, timeout=timeout, tries=tries, pause=pause)
    except OSError as error:
        damaged = " (the copy there is damaged)" if path.is_file() else ""
        raise ConnectionError(
            f"{name} is not at {path}{damaged} and could not be downloaded: "
            f"{error}. Download {remote.url} on a machine that can and put it "
            "there, or set LLM_UTILS_DATA to a folder that holds "
            f"{remote.file}."
        ) from error
    return path


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def download(
    remote: Remote, path: Path, *, timeout: float, tries: int, pause: float
) -> None:
    """Bring a file from its server to `path`, whole or not at all.

    Raises OSError when the last try has failed. Not tried again is what will
    not change: an address that does not exist, a disk that cannot be written.
    """
    for left in reversed(range(tries)):
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(draft, "wb") as file:
                for block in verified(remote, timeout):
                    file.write(block)
            draft.replace(path)
            return
        except (OSError, http.client.HTTPException) as error:
            if not left or not passing(error):
                raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            draft.unlink(missing_ok=True)
        time.sleep(pause)
        pause *= 2


def verified(remote: Remote, timeout: float) -> Iterator[bytes]:
    """The blocks of a file; OSError after the last if they are not it."""
    hasher, size = hashlib.sha256(), 0
    bar = tqdm(total=remote.size, unit="B", unit_scale=True, disable=None,
               desc=Path(remote.file).name)  # fmt: skip
    with urllib.request.urlopen(remote.url, timeout=timeout) as answer, bar:
        while size <= remote.size and (block := answer.read(BLOCK)):
            hasher.update(block)
            size += len(block)
            bar.update(len(block))
            yield block
    if size != remote.size:
        some = "more than" if size > remote.size else f"{size:,} of"
        raise WrongBytes(f"{some} {remote.size:,} bytes came")
    if hasher.hexdigest() != remote.sha256:
        raise WrongBytes(f"its sha256 is {hasher.hexdigest()}")


class WrongBytes(OSError):
    """Something came, and it is not the file."""


def passing(error: Exception) -> bool:
    """Whether it is worth another try."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in TRY_AGAIN
    network = (
        urllib.error.URLError, http.client.HTTPException, ConnectionError,
        TimeoutError, WrongBytes,
    )  # fmt: skip
    return isinstance(error, network)
