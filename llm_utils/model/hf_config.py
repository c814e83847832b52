"""config.json to ModelConfig and back, refusing what would be another model.

Chapter 6 uses it through `from_hf` and `to_hf`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from llm_utils.model.gpt import GPT, ModelConfig
from llm_utils.model.hf_names import FAMILIES, SAME, TRAINING_ONLY, Family
from llm_utils.model.rope_scaling import (
    LinearScaling,
    Llama3Scaling,
    Scaling,
    YarnScaling,
)

# Their rope_type -> our class, and our field -> their key.
_SCALINGS: dict[str, tuple[Any, dict[str, str]]] = {
    "linear": (LinearScaling, {"factor": "factor"}),
    "llama3": (
        Llama3Scaling,
        {
            "factor": "factor",
            "low_freq_factor": "low_freq_factor",
            "high_freq_factor": "high_freq_factor",
            "original_max_len": "original_max_position_embeddings",
        },
    ),
    "yarn": (
        YarnScaling,
        {
            "factor": "factor",
            "original_max_len": "original_max_position_embeddings",
            "base": "rope_theta",
            "beta_fast": "beta_fast",
            "beta_slow": "beta_slow",
        },
    ),
}
_ROPE_FIXED = {  # None: must be absent
    "partial_rotary_factor": 1.0,
    "truncate": True,
    "attention_factor": None,
    "mscale": None,
    "mscale_all_dim": None,
}


def read_config(config: Mapping[str, Any]) -> tuple[Family, ModelConfig]:
    """Their config -> the family and our sizes; ValueError if none fits."""
    family = _family(config.get("model_type"))
    _check_fixed(config, family)
    sizes: dict[str, Any] = {"positions": family.positions}
    for ours, theirs in family.sizes.items():
        if theirs not in config and theirs not in family.defaults:
            raise ValueError(f"config.json lacks {theirs!r}")
        value = config.get(theirs, family.defaults.get(theirs))
        if value is None and ours in ("n_kv_heads", "d_head", "d_ff"):
            value = 0  # the usual size
        sizes[ours] = value
    if family.positions == "none":
        sizes.update(_read_rope(config))
    cfg = ModelConfig(**sizes)
    if "top_k" in family.sizes and cfg.top_k == 1 < cfg.n_experts:
        raise ValueError(
            f"{family.sizes['top_k']}=1: {family.model_type} gives the one "
            "expert of a token the weight 1, ours the router's probability, "
            "and they are not the same model: use 2 or more experts a token"
        )
    return family, cfg


def write_config(model: GPT) -> tuple[Family, dict[str, Any]]:
    """A model -> its family and their config; ValueError if none fits.

    Reading it back must give the same sizes, else the sizes cannot be said.
    """
    why = "transformers has no class for this recipe"
    for family in FAMILIES:
        if family.make_block is not model.make_block:
            continue
        config = _write(model.cfg, family)
        lost = _lost(model.cfg, read_config(config)[1], family)
        if not lost:
            return family, config
        why = f"{family.model_type} cannot say {lost}"
    name = getattr(model.make_block, "__name__", repr(model.make_block))
    raise ValueError(
        f"a model of {name} with these sizes has no Hugging Face form: {why}"
    )


def _family(model_type: Any) -> Family:
    for family in FAMILIES:
        if family.model_type == model_type:
            return family
    known = [family.model_type for family in FAMILIES]
    raise ValueError(f"model_type={model_type!r}: known here are {known}")


def _check_fixed(config: Mapping[str, Any], family: Family) -> None:
    if config.get("quantization_config"):
        raise ValueError("the weights are quantized: load the original ones")
    for key, fits in family.fixed.items():
        value = config.get(key, fits)
        if SAME.get(value, value) != fits and key not in TRAINING_ONLY:
            raise ValueError(
                f"config.json has {key}={value!r}, but our {family.model_type} "
                f"is the one with {fits!r}"
            )


def _read_rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """Both spellings: rope_parameters (new), rope_theta + rope_scaling."""
    rope = {
        "rope_theta": config.get("rope_theta"),
        **(config.get("rope_scaling") or {}),
        **(config.get("rope_parameters") or {}),
    }
    if rope["rope_theta"] is None:
        raise ValueError("config.json lacks 'rope_theta'")
    for key, fits in _ROPE_FIXED.items():
        if rope.get(key, fits) not in (fits, None):
            raise ValueError(f"RoPE with {key}={rope[key]!r} is not known here")
    base = float(rope["rope_theta"])
    return {"rope_base": base, "rope_scaling": _read_scaling(rope)}


def _read_scaling(rope: Mapping[str, Any]) -> Scaling | None:
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "default":
        return None
    if kind not in _SCALINGS:
        known = ["default", *_SCALINGS]
        raise ValueError(f"rope_type={kind!r}: known here are {known}")
    make, keys = _SCALINGS[kind]
    given = {o: rope[t] for o, t in keys.items() if rope.get(t) is not None}
    try:
        scaling: Scaling = make(**given)
    except TypeError as error:
        raise ValueError(f"rope_type={kind!r}: {error}") from error
    return scaling


def _write(cfg: ModelConfig, family: Family) -> dict[str, Any]:
    config: dict[str, Any] = {
        "architectures": [family.architecture],
        "model_type": family.model_type,
        **{theirs: getattr(cfg, o) for o, theirs in family.sizes.items()},
        **family.fixed,
    }
    if family.positions == "none":
        config["rope_theta"] = cfg.rope_base
        config["rope_scaling"] = _write_scaling(cfg.rope_scaling)
    return config


def _write_scaling(scaling: Scaling | None) -> dict[str, Any] | None:
    if scaling is None:
        return None
    for kind, (make, keys) in _SCALINGS.items():
        if type(scaling) is make:
            values = {keys[o]: v for o, v in vars(scaling).items()}
            values.pop("rope_theta", None)  # stands beside it
            return {"rope_type": kind, **values}
    raise ValueError(f"{scaling!r} has no Hugging Face form")


def _lost(cfg: ModelConfig, back: ModelConfig, family: Family) -> str:
    """The sizes that did not come back, as text."""
    unused = {"dropout", "n_experts", "top_k"} - set(family.sizes)
    if family.positions != "none":
        unused |= {"rope_base", "rope_scaling"}
    names = {field.name for field in fields(cfg)} - unused
    return ", ".join(
        f"{name}={getattr(cfg, name)!r}"
        for name in sorted(names)
        if getattr(cfg, name) != getattr(back, name)
    )
