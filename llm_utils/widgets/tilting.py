"""Chapter 15's explorer: the best policy for a judge, a habit and a beta."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import traitlets

from .base import Explorer


class Reply(NamedTuple):
    """An answer: its name, log p by the reference, points, sentences."""

    name: str
    nats: float
    points: float
    length: int


REPLIES = (
    Reply("1 true", -1.0, 1, 1),
    Reply("2 true", -1.6, 2, 2),
    Reply("2 true, 1 false", -1.7, 1, 3),
    Reply("4 true", -4.0, 4, 4),
    Reply("3 true, 3 false", -4.5, 0, 6),
    Reply("1 true, 9 times", -7.0, -7, 9),
)
"""Reports of chapter 15, roughly as often as its reference gives them."""
BETAS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class Tilted(NamedTuple):
    """The best policy (n,), its mean reward and points, its KL in nats."""

    policy: list[float]
    reward: float
    points: float
    kl: float


def best_policy(
    beta: float, habit: float = 0.0, replies: tuple[Reply, ...] = REPLIES
) -> Tilted:
    """What maximizes the judge's reward less beta times the KL.

    The judge gives points, and `habit` for each sentence on top. Chapter 15.
    """
    _, nats, points, lengths = zip(*replies, strict=True)
    ref = torch.tensor(nats, dtype=torch.float64).log_softmax(0)
    worth = torch.tensor(points, dtype=torch.float64)
    reward = worth + habit * torch.tensor(lengths)
    logs = (ref + reward / beta).log_softmax(0)
    p = logs.exp()
    return Tilted(
        p.tolist(), float(p @ reward), float(p @ worth), float(p @ (logs - ref))
    )


class Tilting(Explorer):
    """What `tilting_explorer` returns; `setting` can be set."""

    module, title = "tilting", "How far does the best policy go?"
    setting = traitlets.Dict().tag(sync=True)
    replies: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)


def tilting_explorer(beta: float = 1.0, habit: float = 0.0) -> Tilting:
    """Play with beta and with the judge's habit of liking long answers.

    ValueError unless beta is positive. Chapter 15 derives the policy.
    """
    if not beta > 0:
        raise ValueError(f"beta={beta}: positive, as it divides the reward")
    return Tilting(
        setting={"beta": beta, "habit": habit},
        replies=[reply._asdict() for reply in REPLIES],
    )
