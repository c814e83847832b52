"""A small model with random weights, for the tests of what serves it."""

from __future__ import annotations

import torch

from llm_utils.infer.speaker import Settings, Speaker
from llm_utils.model.gpt import GPT
from llm_utils.model.zoo import build
from llm_utils.text.bpe import ByteBPE

TEXT = "once upon a time there was a cat who sat on the mat. " * 3


def tiny(vocab_size: int, **sizes: int) -> GPT:
    """One layer; its logits are spread, so that seeds and prompts matter."""
    sizes = {"n_layers": 1, "d_model": 32, "n_heads": 2, "max_len": 512} | sizes
    rng = torch.Generator().manual_seed(1)
    model = build("tiny-llama", rng, vocab_size=vocab_size, d_ff=32, **sizes)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p *= 12
    return model.eval()


def speaker(**more) -> Speaker:
    tokenizer = ByteBPE.train(TEXT, 256 + 40, ["<|endoftext|>"])
    return Speaker(tiny(tokenizer.vocab_size), tokenizer, "tiny", **more)


def alone(by: Speaker, text: str, **settings) -> str:
    """The reply when nobody else is served."""
    ids = by.ids([{"role": "user", "content": text}])
    return "".join(p.text for p in by.reply(ids, Settings(**settings)))
