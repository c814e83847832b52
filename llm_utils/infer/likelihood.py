"""How likely a model finds a text: all of it, or a continuation of another.

Chapter 12 derives it. Everything that is scored without writing a word is
scored here: perplexity, bits per byte, and the choices of a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_utils.text.next_token import Model, token_log_probs
from llm_utils.train.packing import pad

Encode = Callable[[str], list[int]]
Ids = Sequence[int]


def strided_windows(
    n: int, T: int, stride: int, full_end: bool = False
) -> list[tuple[int, int, int]]:
    """n ids -> (begin, end, first): inputs begin..end-1, scored from `first`.

    Every window reads at most T ids; its targets, one place further, count
    from place `first` on, so that each id but the first is a target once.
    With stride < T all windows but the first give their targets T - stride + 1
    ids of the past or more. full_end moves the last window back until it is
    full, as lm-eval does. Chapter 12.
    """
    if not 1 <= stride <= T:
        raise ValueError(
            f"stride={stride} with T={T}: a stride from 1 to T scores every "
            "token once"
        )
    if n < 2:
        raise ValueError(f"{n} ids: the first is given, so scoring needs 2")
    found, done = [], 1
    for begin in range(0, n - 1, stride):
        end = min(begin + T, n - 1)
        if full_end and end == n - 1:
            begin = max(0, end - T)
        found.append((begin, end, done))
        done = end + 1
        if done == n:
            break
    return found


@torch.inference_mode()
def strided_log_probs(
    model: Model,
    ids: Ids | Tensor,
    T: int,
    stride: int | None = None,
    full_end: bool = False,
) -> Tensor:
    """ids (n,) -> (n - 1,), float64: log p of each id after the first, nats.

    The stride (T if not given) trades time for past: the work is T / stride
    passes over the text. Chapter 12; the recipe is Hugging Face's page on the
    perplexity of models with a fixed length.
    """
    ids = torch.as_tensor(ids)
    windows = strided_windows(len(ids), T, stride or T, full_end)
    out = torch.empty(len(ids) - 1, dtype=torch.float64)
    for begin, end, first in windows:
        rows = ids[None, begin : end + 1]
        logs = token_log_probs(model(rows[:, :-1]), rows[:, 1:])[0]
        out[first - 1 : end] = logs[first - 1 - begin :].double()
    return out


@dataclass(frozen=True)
class Scored:
    """A continuation: its log-probability in nats, and its size.

    n_bytes leaves out the space that joins it to the context. greedy: whether
    the model says it when it always takes its likeliest token.
    """

    nats: float
    n_tokens: int
    n_bytes: int
    greedy: bool


def split_pair(encode: Encode, context: str, more: str) -> tuple[Ids, Ids]:
    """context, continuation -> their ids, cut from the ids of both together.

    Spaces that end the context go to the continuation, where a tokenizer of
    pre-tokens wants them. As in lm-eval; chapter 12 shows what else happens.
    """
    bare = context.rstrip(" ")
    if not bare:
        raise ValueError(
            "an empty context: begin it with the tokenizer's end-of-text token"
        )
    whole, past = encode(context + more), encode(bare)
    if len(whole) <= len(past):
        raise ValueError(f"the continuation {more!r} adds no token")
    return whole[: len(past)], whole[len(past) :]


@torch.inference_mode()
def continuations(
    model: Model,
    encode: Encode,
    pairs: Sequence[tuple[str, str]],
    max_len: int = 1024,
    batch_size: int = 16,
) -> list[Scored]:
    """N pairs (context, continuation) -> N scores, in the same order.

    Rows of like length share a batch and are padded at the end, where no
    earlier place can see it. Of a context that is too long the last max_len
    tokens are kept. encode must turn the text of a special token into its id,
    if a context has one. Chapter 12; Gao et al. (2024), `loglikelihood`.
    """
    cut = [split_pair(encode, *pair) for pair in pairs]
    order = sorted(range(len(cut)), key=lambda i: -sum(map(len, cut[i])))
    found: dict[int, Scored] = {}
    for batch in _groups(order, batch_size):
        rows = [[*cut[i][0], *cut[i][1]][-max_len - 1 :] for i in batch]
        x, y = (t.to(_device(model)) for t in pad(rows))
        logits = model(x)
        logs = token_log_probs(logits, y).double().cpu()
        hits = (logits.argmax(-1) == y).cpu()
        for r, (i, row) in enumerate(zip(batch, rows, strict=True)):
            end, n = len(row) - 1, len(cut[i][1])
            if n > end:
                raise ValueError(
                    f"a continuation of {n} tokens leaves no context in "
                    f"max_len={max_len}"
                )
            found[i] = Scored(
                float(logs[r, end - n : end].sum()),
                n,
                len(pairs[i][1].removeprefix(" ").encode()),
                bool(hits[r, end - n : end].all()),
            )
    return [found[i] for i in range(len(pairs))]


def _groups(order: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    if size < 1:
        raise ValueError(f"batch_size={size} must be 1 or more")
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _device(model: Model) -> torch.device:
    """Where a model's weights are; the CPU for one that has none."""
    if isinstance(model, torch.nn.Module):
        return next(model.parameters()).device
    return torch.device("cpu")
