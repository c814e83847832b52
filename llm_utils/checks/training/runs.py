"""A small training run with everything that a real one has: exercise 10.

It trains a line on two numbers, in a fraction of a second.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from llm_utils.train.optim import AdamW, set_lr
from llm_utils.train.schedules import warmup_cosine

PARTS = ("model", "opt", "order", "noise", "step")


class Run:
    """Five things change from step to step, and nothing else does."""

    def __init__(self) -> None:
        self.model = nn.Linear(2, 1, bias=False)
        nn.init.zeros_(self.model.weight)
        self.opt = AdamW(self.model.parameters())
        self.order = torch.Generator().manual_seed(1)  # which data come next
        self.noise = torch.Generator().manual_seed(2)  # what dropout drops
        self.step = 0

    def advance(self, steps: int) -> None:
        """Take that many steps."""
        schedule = warmup_cosine(0.1, 20, warmup=4)
        for _ in range(steps):
            set_lr(self.opt, schedule(self.step))
            x = torch.randn(4, 2, generator=self.order)
            kept = torch.rand(4, 2, generator=self.noise) > 0.1
            y = x @ torch.tensor([[1.0], [-2.0]])
            loss = (self.model(x * kept) - y).square().mean()
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            self.step += 1


def restore(run: Run, saved: dict[str, Any]) -> None:
    """Put back what was saved; the rest stays as it is in a new run."""
    saved = copy.deepcopy(saved)
    if "model" in saved:
        run.model.load_state_dict(saved["model"])
    if "opt" in saved:
        run.opt.load_state_dict(saved["opt"])
    if "order" in saved:
        run.order.set_state(saved["order"])
    if "noise" in saved:
        run.noise.set_state(saved["noise"])
    run.step = saved.get("step", run.step)
