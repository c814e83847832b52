"""Checkpoints that a crash at any moment leaves whole, and resume to the bit.

One is a folder step-00000100 of safetensors and JSON. Chapter 8 derives it,
and kills a run with SIGKILL to see it hold.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from llm_utils.text.saved import PathLike, read_json, write_json
from llm_utils.train.durable import clean, discard, sha256, sync
from llm_utils.train.plain import from_plain, to_plain

MODEL, STATE, INDEX = "model.safetensors", "state.safetensors", "state.json"
KIND, VERSION = "checkpoint", 1

Rng = torch.Generator | Mapping[str, torch.Generator] | None


class Stateful(Protocol):
    """What has a state to save: optimizers, batches."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


class Damaged(ValueError):
    """A checkpoint is not what was saved."""


def save(
    folder: PathLike,
    model: nn.Module,
    opt: Stateful,
    batches: Stateful | None,
    rng: Rng,
    step: int,
    keep: int = 2,
) -> Path:
    """Write all that the next step depends on, all or nothing.

    It is written beside the others, forced to the disk, and only then given
    its name, which takes no time: a crash leaves the old or the new one, never
    half of one. Of older ones the keep - 1 newest stay. OSError if the disk
    is full; the checkpoints before are untouched. Chapter 8.
    """
    if keep < 1 or step < 0:
        raise ValueError(f"keep={keep} and step={step}: keep 1 or more")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    clean(folder)
    place = folder / f"step-{step:08d}"
    draft = folder / f".draft-{step:08d}"
    try:
        write(draft, model, pack(opt, batches, rng), step)
        if place.exists():
            discard(place)
        draft.rename(place)
        sync(folder)
    except (OSError, SafetensorError) as error:
        raise OSError(
            f"step {step} could not be saved in {folder}: {error}. The "
            f"checkpoints before it are whole ({names(folder)}): make room and "
            "start again, it goes on from there"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    older = [path for path in checkpoints(folder) if path < place]
    for path in older[: len(older) - (keep - 1)]:
        discard(path)
    return place


def write(draft: Path, model: nn.Module, state: Any, step: int) -> None:
    """Write the files of a checkpoint, and force them to the disk."""
    draft.mkdir()
    tensors: dict[str, Tensor] = {}
    plain = to_plain(state, tensors)
    save_file(flat(model.state_dict()), draft / MODEL)
    save_file(flat(tensors), draft / STATE)
    hashes = {name: sha256(draft / name) for name in (MODEL, STATE)}
    body = {"step": step, "sha256": hashes, "state": plain}
    write_json(draft / INDEX, KIND, VERSION, body)
    for path in draft.iterdir():
        sync(path)
    sync(draft)


def verify(path: PathLike) -> dict[str, Any]:
    """What the index of a checkpoint says; Damaged unless all is as saved."""
    path = Path(path)
    try:
        body: dict[str, Any] = read_json(path / INDEX, KIND, VERSION)
    except (OSError, ValueError) as error:
        raise Damaged(f"{path}: {INDEX} is no good: {error}") from error
    for name, digest in body["sha256"].items():
        if not (path / name).is_file():
            raise Damaged(f"{path}: {name} is missing")
        if sha256(path / name) != digest:
            raise Damaged(f"{path}: {name} was cut short or changed")
    return body


def load(
    path: PathLike,
    model: nn.Module,
    opt: Stateful,
    batches: Stateful | None,
    rng: Rng,
) -> int:
    """Put everything back as `save` found it; the number of steps taken.

    path: of one checkpoint, such as `latest` gives. Damaged if it is not
    whole, ValueError if it is of something else. Chapter 8.
    """
    path = Path(path)
    body = verify(path)
    weights = load_file(path / MODEL)
    check_fit(path, weights, model)
    state = from_plain(body["state"], load_file(path / STATE))
    now = pack(opt, batches, rng)
    for part in ("batches", "rng"):
        if (state[part] is None) != (now[part] is None):
            raise ValueError(
                f"{path} was saved {'without' if now[part] else 'with'} a "
                f"state of {part}: load it in the same way"
            )
    if state["rng"] and set(state["rng"]) != set(now["rng"]):
        raise ValueError(f"{path} has generators {sorted(state['rng'])}")
    if batches is not None:
        batches.load_state_dict(state["batches"])
    opt.load_state_dict(state["optimizer"])
    model.load_state_dict(weights)
    for name, generator in (named(rng) or {}).items():
        generator.set_state(state["rng"][name])
    return int(body["step"])


def latest(folder: PathLike) -> Path | None:
    """The newest checkpoint that is whole; None if there are none at all.

    Warns of each damaged one that it passes over, and raises Damaged if all
    are: to start again from nothing would be no answer. Chapter 8.
    """
    found = checkpoints(folder)
    for path in reversed(found):
        try:
            verify(path)
        except Damaged as error:
            warnings.warn(f"passed over: {error}", stacklevel=2)
        else:
            return path
    if found:
        raise Damaged(
            f"none of the {len(found)} checkpoints in {folder} is whole: move "
            "the folder away to start from nothing"
        )
    return None


def resume(
    folder: PathLike,
    model: nn.Module,
    opt: Stateful,
    batches: Stateful | None,
    rng: Rng,
) -> int:
    """`load` the `latest` checkpoint; 0 where there is none yet."""
    path = latest(folder)
    return 0 if path is None else load(path, model, opt, batches, rng)


def checkpoints(folder: PathLike) -> list[Path]:
    """All checkpoints of a folder, the oldest first, whole or not."""
    return sorted(Path(folder).glob("step-" + 8 * "[0-9]"))


def pack(opt: Stateful, batches: Stateful | None, rng: Rng) -> dict[str, Any]:
    """Everything but the weights, as one tree."""
    states = named(rng)
    return {
        "optimizer": opt.state_dict(),
        "batches": None if batches is None else batches.state_dict(),
        "rng": states and {name: g.get_state() for name, g in states.items()},
    }


def named(rng: Rng) -> dict[str, torch.Generator] | None:
    """Generators by name."""
    if isinstance(rng, torch.Generator):
        return {"rng": rng}
    return dict(rng) if rng else None


def check_fit(
    path: Path, weights: Mapping[str, Tensor], model: nn.Module
) -> None:
    """ValueError unless names, shapes and dtypes are the model's own."""
    kinds = [
        {name: (tuple(x.shape), x.dtype) for name, x in tensors.items()}
        for tensors in (weights, model.state_dict())
    ]
    for name in sorted(set(kinds[0]) | set(kinds[1])):
        saved, own = (kind.get(name, "nothing") for kind in kinds)
        if saved != own:
            raise ValueError(
                f"{path} is of another model: {name} is {saved} there and "
                f"{own} here"
            )


def flat(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As safetensors wants them."""
    return {k: x.detach().cpu().contiguous() for k, x in tensors.items()}


def names(folder: Path) -> str:
    """The names of all checkpoints, as text."""
    return ", ".join(x.name for x in checkpoints(folder)) or "there are none"
