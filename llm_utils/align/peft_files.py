"""A LoRA in the files of PEFT, both ways: adapter_config.json and weights.

Chapter 14 writes them. They hold the corrections only, a few percent of a
model; the folder of the base model lies elsewhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from llm_utils.align.lora import add_lora, loras
from llm_utils.model.gpt import GPT
from llm_utils.model.hf_config import write_config
from llm_utils.model.hf_files import read_json, some, write_json
from llm_utils.model.hf_names import Row
from llm_utils.text.saved import PathLike

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
# What a plain LoRA has in adapter_config.json; with anything else in its place
# the same weights mean another model.
FIXED: dict[str, Any] = {
    "peft_type": "LORA", "bias": "none", "use_dora": False,
    "use_rslora": False, "modules_to_save": None, "rank_pattern": {},
    "alpha_pattern": {}, "layers_to_transform": None,
}  # fmt: skip


def save_lora(model: GPT, folder: PathLike, base: PathLike = "") -> None:
    """Write what PeftModel.from_pretrained(base_model, folder) loads.

    base: the folder of the base model that is named in the file. ValueError
    for a model without LoRA, or one whose maps have no place of their own in
    the other library (GPT-2 keeps q, k and v in one matrix). Chapter 14.
    """
    found = dict(loras(model))
    if not found:
        raise ValueError("the model has no LoRA to save: add_lora first")
    rows = _rows(model)
    tensors: dict[str, Tensor] = {}
    for name, lora in found.items():
        for part, x in (("lora_A", lora.A), ("lora_B", lora.B)):
            tensors[_key(rows, name, part)] = x.detach().cpu().contiguous()
    one = next(iter(found.values()))
    # Two parts of each name: GPT-2 calls two maps of a layer c_proj.
    places = [_row(rows, name).theirs.split(".")[-3:-1] for name in found]
    config = {
        **FIXED, "task_type": "CAUSAL_LM", "r": one.rank,
        "base_model_name_or_path": str(base) or None,
        "lora_alpha": one.alpha, "lora_dropout": 0.0,
        "target_modules": sorted({".".join(p) for p in places}),
        "inference_mode": True,
        "fan_in_fan_out": _row(rows, next(iter(found))).turned,
    }  # fmt: skip
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    write_json(folder / CONFIG, config)


def load_lora(model: GPT, folder: PathLike) -> GPT:
    """Put the LoRA of such a folder on a plain model, in place.

    ValueError if the folder lacks a weight, has one more, or holds another
    kind of adapter. Chapter 14.
    """
    folder = Path(folder)
    config = read_json(folder / CONFIG)
    for key, value in FIXED.items():
        if config.get(key, value) != value:
            raise ValueError(
                f"{folder}/{CONFIG}: {key}={config[key]!r} is not a plain LoRA"
            )
    if not (folder / WEIGHTS).exists():
        raise ValueError(f"{folder} has no {WEIGHTS}")
    tensors, rows = load_file(folder / WEIGHTS), _rows(model)
    try:
        ends = _corrected(model, rows, tensors, config["r"])
    except ValueError as error:
        raise ValueError(f"{folder}/{WEIGHTS} {error}") from error
    add_lora(model, config["r"], config["lora_alpha"], ends)
    with torch.no_grad():
        for name, lora in loras(model):
            lora.A.copy_(tensors[_key(rows, name, "lora_A")])
            lora.B.copy_(tensors[_key(rows, name, "lora_B")])
    return model


def _corrected(
    model: GPT, rows: dict[str, Row], tensors: dict[str, Tensor], rank: int
) -> list[str]:
    """The last parts of the names of the maps that these tensors correct.

    ValueError unless they are two for each map of such a name.
    """
    shapes: dict[str, dict[str, tuple[int, int]]] = {}
    for name in rows:
        n_out, n_in = model.get_submodule(name).weight.shape  # type: ignore[misc]
        shapes[name] = {
            _key(rows, name, "lora_A"): (rank, n_in),
            _key(rows, name, "lora_B"): (n_out, rank),
        }
    known = {key for keys in shapes.values() for key in keys}
    extra = sorted(tensors.keys() - known)
    if extra or not tensors:
        raise ValueError(f"has no use for {some(extra)} here")
    names = [name for name in rows if tensors.keys() & shapes[name].keys()]
    ends = sorted({name.rsplit(".", 1)[-1] for name in names})
    for name, keys in shapes.items():
        if name.rsplit(".", 1)[-1] not in ends:
            continue
        for key, shape in keys.items():
            if key not in tensors:
                raise ValueError(f"lacks {key}")
            if tensors[key].shape != shape:
                raise ValueError(
                    f"has {key} of shape {tuple(tensors[key].shape)}, this "
                    f"model asks for {shape}"
                )
    return ends


def _rows(model: GPT) -> dict[str, Row]:
    """Name of a map of ours -> the row of the table with its weight.

    Only maps that are a whole matrix over there are in it.
    """
    family, _ = write_config(model)
    return {
        row.ours[0].removesuffix(".weight"): row
        for row in family.rows(model.cfg)
        if len(row.ours) == 1
        and row.ours[0].endswith(".weight")
        and row.ours[0].startswith("blocks.")
        and not re.search(r"norm|router|experts", row.ours[0])
    }


def _row(rows: dict[str, Row], name: str) -> Row:
    if name not in rows:
        raise ValueError(
            f"{name} is no matrix of its own in the other library: choose "
            f"targets among {sorted({n.rsplit('.', 1)[-1] for n in rows})}"
        )
    return rows[name]


def _key(rows: dict[str, Row], name: str, part: str) -> str:
    """What PEFT calls one half of a correction."""
    theirs = _row(rows, name).theirs.removesuffix(".weight")
    return f"base_model.model.{theirs}.{part}.weight"
