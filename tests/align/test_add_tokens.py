"""New tokens: no old logit moves, and the new ones are improbable."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from aligned import END, TOKENIZER, close, tiny
from bugs import with_bug

from llm_utils.align import add_tokens as module
from llm_utils.align.add_tokens import add_tokens

NEW = ["<|im_start|>", "<|im_end|>"]
X = torch.tensor([TOKENIZER.encode("Where is Anna?")])


def assert_little_changes(add, **sizes) -> None:
    model = tiny(**sizes)
    grown, tokenizer = add(model, TOKENIZER, NEW)
    V = TOKENIZER.vocab_size
    assert tokenizer.vocab_size == grown.cfg.vocab_size == V + 2
    before, after = model(X).detach(), grown(X).detach()
    close(after[..., :V], before[..., :V])
    close(after[..., V:], before.mean(-1, keepdim=True).expand(-1, -1, 2))
    probs = after.softmax(-1)
    assert float(probs[..., V:].max()) < 1 / V
    assert all(p.requires_grad for p in grown.parameters())


@pytest.mark.parametrize("tie", [True, False])
def test_the_rest_stays(tie: bool, tmp_path: Path) -> None:
    assert_little_changes(add_tokens, tie_embeddings=tie)
    broken = with_bug(tmp_path, module, ".mean(0)", ".sum(0)")
    with pytest.raises(AssertionError):
        assert_little_changes(broken.add_tokens, tie_embeddings=tie)


def test_old_ids_stay_and_the_model_is_a_copy() -> None:
    model = tiny()
    grown, tokenizer = add_tokens(model, TOKENIZER, NEW)
    text = f"Who?{END}"
    assert tokenizer.encode(text, "all") == TOKENIZER.encode(text, "all")
    assert tokenizer.encode(NEW[1], "all") == [TOKENIZER.vocab_size + 1]
    with torch.no_grad():
        for p in grown.parameters():
            p.zero_()
    assert float(model(X).detach().std()) > 0


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="listed twice"):
        add_tokens(tiny(), TOKENIZER, [END])
    with pytest.raises(ValueError, match="wrong tokenizer"):
        add_tokens(tiny(vocab_size=9), TOKENIZER, NEW)
