"""What the tests of alignment share: tiny models, folders, conversations."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from agreement import silently
from torch import Tensor, nn

from llm_utils.align.add_tokens import add_tokens
from llm_utils.align.hf_template import save_template
from llm_utils.align.pairs import Pair, make_pair
from llm_utils.align.template import (
    ANSWERS,
    FORMATS,
    PLAIN,
    ChatTemplate,
    Format,
    Turn,
)
from llm_utils.model import hf
from llm_utils.model.gpt import GPT
from llm_utils.model.hf_config import write_config
from llm_utils.model.zoo import build
from llm_utils.text.bpe import ByteBPE

TEXT = "Where is Anna? In the garden. Who has the bell? Tom and Lily sat. " * 3
END, PAD = "<|endoftext|>", "<|pad|>"
TOKENIZER = ByteBPE.train(TEXT, 300, [END, PAD])
close = torch.testing.assert_close
ODD = Format(  # nothing before an answer, and a token after each turn
    {"user": Turn("<|user|>", END), ANSWERS: Turn("<|bot|>", "\n\n")},
    end="<|stop|>",
)
FORMATS_ALL = {**FORMATS, "odd": ODD}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stirred(model: nn.Module, std: float = 0.1, seed: int = 0) -> nn.Module:
    """The same model, changed in each weight."""
    rng = seeded(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(std * torch.randn(p.shape, generator=rng, dtype=p.dtype))
    return model


def tiny(name: str = "tiny-llama", seed: int = 0, **sizes) -> GPT:
    """A model for TOKENIZER whose weights all matter; float32, eval."""
    small = {"vocab_size": TOKENIZER.vocab_size, "n_layers": 2, "d_model": 32}
    small |= {"d_ff": 48, "n_heads": 4, "max_len": 128}
    model = stirred(build(name, seeded(seed), **{**small, **sizes}), seed=seed)
    assert isinstance(model, GPT)
    return model.eval()


def spoken(format: Format = PLAIN, model: GPT | None = None):
    """A model, and a template of this format for it."""
    model, tokenizer = model or tiny(), TOKENIZER
    new = [name for name in format.specials if name != END]
    if new:
        model, tokenizer = add_tokens(model, tokenizer, new)
    return model, ChatTemplate(tokenizer, format)


def folder_of(model: GPT, template: ChatTemplate, folder: Path) -> Path:
    """The model and its template as transformers finds them."""
    hf.to_hf(model, template.tokenizer, folder)
    save_template(template, folder)
    return folder


def ask(words: str, answer: str | None = None) -> list[dict[str, str]]:
    said = [{"role": "user", "content": words}]
    if answer is not None:
        said.append({"role": ANSWERS, "content": answer})
    return said


ASKED = [  # question, right answer, wrong answer: all of different lengths
    ("Where is Anna?", "In the garden.", "In the bell."),
    ("Who has the bell?", "Tom.", "Anna and Lily."),
    ("Who sat?", "Tom and Lily sat in the garden.", "Nobody."),
    ("Is the bell in the garden?", "No.", "Who is Tom?"),
]
TALK = [
    {"role": "system", "content": "Anna is in the garden."},
    *ask("Where is Anna?", "In the garden."),
    *ask("Who has the bell?", "Nobody, since <|endoftext|> is text."),
]


def pairs(template: ChatTemplate, n: int = 4) -> list[Pair]:
    return [make_pair(template, ask(q), a, b) for q, a, b in ASKED[:n]]


def grads_as_theirs(model: GPT) -> dict[str, Tensor]:
    """Our gradients by the names that transformers uses."""
    clone = copy.deepcopy(model)
    for p, own in zip(clone.parameters(), model.parameters(), strict=True):
        assert own.grad is not None
        p.data = own.grad
    return hf._theirs(clone, write_config(model)[0])


def same_gradients(
    ours: GPT, theirs: nn.Module, atol: float, what: str, agrees=silently
) -> None:
    """All of them; `what` says of which loss."""
    wanted = grads_as_theirs(ours)
    found = {k: p.grad for k, p in theirs.named_parameters()}
    assert wanted.keys() == found.keys()
    sizes = [float(g.abs().max()) for g in wanted.values()]
    assert min(sizes) > 100 * atol, "vacuous test"
    agrees("trl", f"the gradients of {what}", wanted, found, atol=atol, rtol=0)
