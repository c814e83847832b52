"""Exercise 5 of chapter 9: bytes on each device, by the stage of ZeRO.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number
from llm_utils.checks.scaling.numbers import close, show

Sizes = tuple[float, float, float]


def _bytes(
    n_params: float,
    n: int,
    stage: int,
    sizes: Sizes = (2, 2, 12),
    first: Sizes = (3, 2, 1),
    only: bool = False,
) -> float:
    """Weights, gradients, optimizer; first: the stage that cuts each."""
    cut = [stage == s if only else stage >= s for s in first]
    parts = (
        size / n if c else size for size, c in zip(sizes, cut, strict=True)
    )
    return n_params * sum(parts)


def _master_with_weights(n_params: float, n: int, stage: int) -> float:
    return _bytes(n_params, n, stage, sizes=(6, 2, 8))


bytes_each = Exercise(
    name="bytes_each",
    asks="write bytes_each(n_params, n, stage), the bytes on each device",
    reference=_bytes,
    cases=[
        *((10, 4, stage) for stage in (0, 1, 2, 3)),
        (10, 1, 3),
        (7e9, 8, 1),
        (7e9, 64, 3),
    ],
    form=number,
    same=close,
    show=show,
    mistakes=[
        Mistake(
            "The float32 copy of the weights is missing. The optimizer keeps "
            "it beside its two averages: 4 + 4 + 4 = 12 bytes.",
            partial(_bytes, sizes=(2, 2, 8)),
        ),
        Mistake(
            "You keep everything in float32: 4 + 4 + 8. In mixed precision "
            "weights and gradients have 2 bytes, and the optimizer 12. The "
            "sum is the same, and what is cut is not.",
            partial(_bytes, sizes=(4, 4, 8)),
        ),
        Mistake(
            "You count weights and gradients and forget the optimizer.",
            partial(_bytes, sizes=(2, 2, 0)),
        ),
        Mistake(
            "The float32 copy stays whole until stage 3 in your count. It "
            "belongs to the optimizer: stage 1 cuts it, with the averages.",
            _master_with_weights,
        ),
        Mistake(
            "You cut the weights first and the optimizer last. ZeRO begins "
            "with what is largest and least in the way: the optimizer.",
            partial(_bytes, first=(1, 2, 3)),
        ),
        Mistake(
            "You cut the gradients at stage 1 and the optimizer at stage 2. "
            "It is the other way round.",
            partial(_bytes, first=(3, 1, 2)),
        ),
        Mistake(
            "Each of your stages cuts one thing. They build on each other: "
            "stage 2 cuts gradients and the optimizer.",
            partial(_bytes, only=True),
        ),
        Mistake(
            "Any stage above 0 cuts everything in your count. That is stage "
            "3; the others cut a part.",
            partial(_bytes, first=(1, 1, 1)),
        ),
        Mistake(
            "Nothing is cut, whatever the stage.",
            partial(_bytes, first=(4, 4, 4)),
        ),
        Mistake(
            "Your stages are one too early. At stage 0 nothing is cut.",
            partial(_bytes, first=(2, 1, 0)),
        ),
        Mistake(
            "Your stages are one too late. Stage 1 cuts the optimizer.",
            partial(_bytes, first=(4, 3, 2)),
        ),
        Mistake(
            "Those are the bytes of all devices together. How many does each "
            "of them hold?",
            lambda n_params, n, stage: n * _bytes(n_params, n, stage),
        ),
        Mistake(
            "Those are the bytes of one parameter. Multiply by how many "
            "there are.",
            lambda n_params, n, stage: _bytes(1, n, stage),
        ),
        Mistake(
            "Those are gigabytes. Bytes are asked for.",
            lambda *args: _bytes(*args) / 1e9,
        ),
        Mistake(
            "Those are gibibytes, of 1024 ** 3. Bytes are asked for.",
            lambda *args: _bytes(*args) / 2**30,
        ),
    ],
    praise="On many devices stage 1 leaves 4 bytes a parameter, stage 2 two, "
    "stage 3 nothing that counts. The activations, though, are never cut.",
)
