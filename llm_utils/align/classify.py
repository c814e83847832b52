"""A classifier: the model's body with a small head on the last token.

Chapter 14 derives it; chapter 15's reward model is one with a single class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_utils.align.learn import Measures, Stats, learn
from llm_utils.align.sft import endless
from llm_utils.model.gpt import GPT
from llm_utils.train.optim import Optimizer, Schedule
from llm_utils.train.trainer import TrainConfig

Ids = Sequence[int]


class Classifier(nn.Module):
    """x (B, T), lengths (B,) -> (B, n_classes): scores of the whole text.

    A linear head reads the state of the last token, the only one that has
    seen all others. What stands behind it changes nothing. Chapter 14; Radford
    et al. (2018), section 3.2.
    """

    def __init__(
        self, body: GPT, n_classes: int, rng: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if n_classes < 1:
            raise ValueError(f"n_classes={n_classes}: give 1 or more")
        self.body = body
        like = body.tokens.weight
        head = torch.empty(n_classes, like.shape[1]).normal_(
            0.0, 0.02, generator=rng
        )
        self.head = nn.Parameter(head.to(like.device, like.dtype))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return last_states(self.body, x, lengths) @ self.head.T


def last_states(model: GPT, x: Tensor, lengths: Tensor) -> Tensor:
    """x (B, T), lengths (B,) -> (B, C): the stream at each last token."""
    B, T = x.shape
    if (
        lengths.shape != (B,)
        or not 1 <= int(lengths.min()) <= int(lengths.max()) <= T
    ):
        raise ValueError(
            f"lengths {lengths.tolist()} for x of {(B, T)}: one from 1 to T "
            "for each row"
        )
    rows = torch.arange(B, device=x.device)
    return model.stream(x)[rows, lengths - 1]


def pad_rows(
    rows: Sequence[Ids], max_len: int | None = None
) -> tuple[Tensor, Tensor]:
    """B rows of ids -> x (B, T), 0 where a row has ended; lengths (B,).

    ValueError says which row is empty or longer than max_len.
    """
    if not rows:
        raise ValueError("no rows to make a batch of")
    for i, row in enumerate(rows):
        if not row:
            raise ValueError(f"row {i} is empty: begin it with a token")
        if max_len is not None and len(row) > max_len:
            raise ValueError(f"row {i} has {len(row)} ids > max_len={max_len}")
    lengths = torch.tensor([len(row) for row in rows])
    x = torch.zeros(len(rows), int(lengths.max()), dtype=torch.int64)
    for i, row in enumerate(rows):
        x[i, : len(row)] = torch.tensor(row)
    return x, lengths


def train_classifier(
    model: Classifier, rows: Sequence[Ids], labels: Sequence[int], B: int,
    opt: Optimizer, schedule: Schedule, cfg: TrainConfig, rng: torch.Generator,
) -> Iterator[Stats]:  # fmt: skip
    """Cross-entropy on B texts a step; measures "accuracy". Chapter 14."""
    n = len(model.head)
    if len(rows) != len(labels):
        raise ValueError(f"{len(rows)} texts, but {len(labels)} labels")
    odd = [i for i, label in enumerate(labels) if not 0 <= label < n]
    if odd:
        raise ValueError(
            f"the label of text {odd[0]} is {labels[odd[0]]}, not one of the "
            f"n_classes={n}, counted from 0"
        )
    pad_rows(rows, model.body.cfg.max_len)
    device = model.head.device

    def loss(batch: list[tuple[Ids, int]]) -> tuple[Tensor, Measures]:
        x, lengths = pad_rows([row for row, _ in batch])
        y = torch.tensor([label for _, label in batch], device=device)
        logits = model(x.to(device), lengths.to(device))
        right = (logits.argmax(-1) == y).float().mean()
        return F.cross_entropy(logits, y), {"accuracy": right}

    pairs = list(zip(rows, labels, strict=True))
    return learn(model, endless(pairs, B, rng), loss, opt, schedule, cfg)
