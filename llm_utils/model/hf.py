"""Models from Hugging Face folders and back, with equal logits.

Chapter 6 reads it. Their names are in `hf_names`, their config.json in
`hf_config`, their tokenizer files in `hf_tokenizer`. Nothing is dropped or made
up in silence, either way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from llm_utils.model.gpt import GPT, ModelConfig
from llm_utils.model.hf_config import read_config, write_config
from llm_utils.model.hf_files import (
    WEIGHTS,
    find_folder,
    read_json,
    read_weights,
    some,
    write_json,
)
from llm_utils.model.hf_names import COMPUTED, HEAD, Family
from llm_utils.model.hf_tokenizer import special_ids, write_tokenizer
from llm_utils.text.bpe import ByteBPE
from llm_utils.text.saved import PathLike

CACHE_LINE = 64  # bytes that a processor reads from memory together


def from_hf(folder_or_name: PathLike, dtype: torch.dtype | None = None) -> GPT:
    """A folder, or a model's name on the Hub -> GPT, ready to use.

    Reads GPT-2, Llama, Mistral, Qwen3 and Mixtral. dtype None keeps the
    file's. ValueError says why a folder is wrong or cut short. Chapter 6.
    """
    folder = find_folder(folder_or_name)
    try:
        family, cfg = read_config(read_json(folder / "config.json"))
        tensors = _named(read_weights(folder), family, cfg)
        with torch.device("meta"):
            model = GPT(cfg, family.make_block)
        state = _ours(tensors, family, model)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error
    model.load_state_dict(state, strict=True, assign=True)
    return model.to(dtype).eval()


def to_hf(
    model: GPT,
    tokenizer: ByteBPE | None,
    folder: PathLike,
    end: str = "<|endoftext|>",
) -> None:
    """Write a folder that AutoModelForCausalLM and AutoTokenizer load.

    config.json, generation_config.json, model.safetensors and, with a
    tokenizer, tokenizer.json and tokenizer_config.json. `end` begins and ends
    texts, if the tokenizer has it. ValueError for a model or tokenizer that
    has no such form. Chapter 6.
    """
    family, config = write_config(model)
    ids = special_ids(tokenizer, end, model.cfg.vocab_size)
    tensors = _theirs(model, family)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config["dtype"] = str(model.tokens.weight.dtype).removeprefix("torch.")
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    if tokenizer is not None:
        write_tokenizer(tokenizer, folder, end, model.cfg.max_len)
    write_json(folder / "generation_config.json", {"do_sample": False, **ids})
    write_json(folder / "config.json", {**config, **ids})


def _named(
    tensors: dict[str, Tensor], family: Family, cfg: ModelConfig
) -> dict[str, Tensor]:
    """The learned tensors, each by its full name, a tied head left out."""
    body = family.weights[0].theirs.split(".")[0] + "."
    if not any(name.startswith(body) for name in tensors):  # saved without head
        tensors = {
            name if name == HEAD.theirs else body + name: tensor
            for name, tensor in tensors.items()
        }
    tensors = {
        name: tensor
        for name, tensor in tensors.items()
        if not re.fullmatch(COMPUTED, name)
    }
    if cfg.tie_embeddings and HEAD.theirs in tensors:
        head = tensors.pop(HEAD.theirs)
        table = tensors.get(family.weights[0].theirs)
        if table is None or not torch.equal(head, table):
            raise ValueError(
                f"tie_word_embeddings is true, but {HEAD.theirs} is another "
                "matrix than the embeddings"
            )
    return tensors


def _ours(
    tensors: Mapping[str, Tensor], family: Family, model: GPT
) -> dict[str, Tensor]:
    """Their tensors -> our state; each of both exactly once."""
    rows = {row.theirs: row for row in family.rows(model.cfg)}
    missing, extra = rows.keys() - tensors, tensors.keys() - rows
    if missing or extra:
        raise ValueError(
            f"the weights lack {some(sorted(missing))} and have "
            f"{some(sorted(extra))} that this model does not"
        )
    shapes = {name: p.shape for name, p in model.state_dict().items()}
    state: dict[str, Tensor] = {}
    for name, row in rows.items():
        tensor = tensors[name].T if row.turned else tensors[name]
        sizes = [shapes[our][0] for our in row.ours]
        shape = (sum(sizes), *shapes[row.ours[0]][1:])
        if tensor.shape != shape:
            raise ValueError(
                f"{name} has shape {tuple(tensors[name].shape)}, but the sizes "
                f"in config.json ask for {shape[::-1] if row.turned else shape}"
            )
        parts = tensor.split(sizes)
        for our, part in zip(row.ours, parts, strict=True):
            state[our] = _aligned(part.contiguous())
    return state


def _aligned(x: Tensor) -> Tensor:
    """The same numbers, from the beginning of a cache line on.

    A file lies in memory as it is, so its arrays begin anywhere, and whoever
    reads eight numbers at once then often reads from two lines: chapter 11's
    compiled step takes an eighth longer.
    """
    return x.clone() if x.data_ptr() % CACHE_LINE else x


def _theirs(model: GPT, family: Family) -> dict[str, Tensor]:
    """Our state -> their tensors; each of both exactly once."""
    state = dict(model.state_dict())
    tensors: dict[str, Tensor] = {}
    for row in family.rows(model.cfg):
        tensor = torch.cat([state.pop(our) for our in row.ours])
        tensors[row.theirs] = (tensor.T if row.turned else tensor).contiguous()
    if state:
        raise ValueError(
            f"{family.model_type} has no place for {some(sorted(state))}"
        )
    return tensors
