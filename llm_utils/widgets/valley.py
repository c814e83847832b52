"""Chapter 8's explorer: three optimizers in one valley."""

from __future__ import annotations

import traitlets

from .base import Explorer

OPTIMIZERS = ("gradient descent", "momentum", "AdamW")
RATES = (0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2, 0.4, 0.8)
TURNS = (0, 15, 30, 45)  # degrees
STEEP = 25.0  # how much steeper the walls are than the floor
START = (-4.0, 1.0)  # along the floor and across it
STEPS = 60


class ValleyExplorer(Explorer):
    """What `valley_explorer` returns; what is chosen can be set."""

    module, title = "valley_explorer", "Three optimizers in a valley"
    optimizer = traitlets.Unicode().tag(sync=True)
    rate = traitlets.Float().tag(sync=True)
    turn = traitlets.Int().tag(sync=True)
    valley = traitlets.Dict().tag(sync=True)  # what stays as it is


def valley_explorer(
    optimizer: str = "gradient descent", rate: float = 0.07, turn: int = 0
) -> ValleyExplorer:
    """Play with an optimizer, its learning rate, and the valley's direction.

    The loss is (a^2 + 25 b^2) / 2, a along the floor of the valley and b
    across it; `turn` degrees lie between the floor and the first weight's
    axis. Momentum is 0.9; AdamW has betas of 0.9 and 0.95 and no decay.
    ValueError for a choice that is not there. Chapter 8.
    """
    for name, value, known in (
        ("optimizer", optimizer, OPTIMIZERS),
        ("rate", rate, RATES),
        ("turn", turn, TURNS),
    ):
        if value not in known:
            raise ValueError(f"{name}={value!r}: choose from {known}")
    return ValleyExplorer(
        optimizer=optimizer,
        rate=rate,
        turn=turn,
        valley={
            "optimizers": list(OPTIMIZERS),
            "rates": list(RATES),
            "turns": list(TURNS),
            "steep": STEEP,
            "start": list(START),
            "steps": STEPS,
        },
    )
