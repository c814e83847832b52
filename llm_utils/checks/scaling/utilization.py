"""Exercise 3 of chapter 9: how busy a machine is, and how useful.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

from functools import partial

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.scaling.numbers import all_close, numbers, show


def _shares(
    N: float,
    L: int,
    H: int,
    D: int,
    T: int,
    rate: float,
    peak: float,
    again: bool,
    matrix: float = 2,
    look: float = 4,
    passes: tuple[float, float] = (3, 3),
    more: tuple[float, float] = (0, 1),
) -> tuple[float, float]:
    """MFU and HFU; passes: of the matrices and of looking back."""
    matrices, looks = matrix * N, look * L * H * D * T
    once = passes[0] * matrices + passes[1] * looks
    second = again * (matrices + looks)
    model, machine = (once + x * second for x in more)
    return rate * model / peak, rate * machine / peak


def _two(*args: float) -> tuple[float, float]:
    return _shares(*args)  # type: ignore[arg-type]


utilization = Exercise(
    name="utilization",
    asks="write utilization(N, L, H, D, T, rate, peak, again), which returns "
    "two shares: of the model's work, and of all work",
    reference=_shares,
    cases=[
        (1000, 1, 2, 5, 10, 100.0, 2e6, False),
        (1000, 1, 2, 5, 10, 100.0, 2e6, True),
        (5000, 3, 4, 8, 20, 50.0, 1e7, False),
        (5000, 3, 4, 8, 20, 50.0, 1e7, True),
        (123.5e6, 12, 12, 64, 1024, 450_000, 989e12, True),
    ],
    form=numbers(2),
    same=all_close,
    show=show,
    mistakes=[
        Mistake(
            "MFU must not count work that is done twice. The model needs one "
            "forward and one backward pass, however they are computed.",
            partial(_shares, more=(1, 1)),
        ),
        Mistake(
            "The second share counts all work. With `again` the forward pass "
            "runs once more, so it is four thirds of the first.",
            partial(_shares, more=(0, 0)),
        ),
        Mistake(
            "You always count a second forward pass in all work. It runs "
            "only if `again` is true.",
            lambda *args: (_two(*args)[0], _two(*args)[0] * 4 / 3),
        ),
        Mistake(
            "The rate is missing: that is the work of one token. Multiply by "
            "tokens per second.",
            lambda *args: tuple(x / args[5] for x in _two(*args)),
        ),
        Mistake(
            "The two shares are exchanged: the model's work first.",
            lambda *args: _two(*args)[::-1],
        ),
        Mistake(
            "You count the forward pass only. The backward pass is twice as "
            "much work: three passes in all.",
            partial(_shares, passes=(1, 1)),
        ),
        Mistake(
            "You count the backward pass only. With the forward pass it is "
            "three times as much as forward alone.",
            partial(_shares, passes=(2, 2)),
        ),
        Mistake(
            "You take one FLOP for each parameter. A multiplication and an "
            "addition are two.",
            partial(_shares, matrix=1),
        ),
        Mistake(
            "Looking back is missing. It has no parameters, and still costs "
            "4 L H D T for each token on the way forward.",
            partial(_shares, look=0),
        ),
        Mistake(
            "You count looking back forward only. Its products have a "
            "backward pass too: three times, like everything else.",
            partial(_shares, passes=(3, 1)),
        ),
        Mistake(
            "You count half of looking back. By custom the whole square of "
            "queries and keys counts, and there are two products: scores and "
            "mixing, 2 H D T FLOPs each.",
            partial(_shares, look=2),
        ),
        Mistake(
            "You count a quarter of looking back. It is two products of "
            "2 H D T FLOPs each, and by custom nothing is halved for the "
            "mask.",
            partial(_shares, look=1),
        ),
        Mistake(
            "You count looking back for all T tokens of a row, and the rate "
            "counts tokens. One token meets T keys: T, not T squared.",
            lambda N, L, H, D, T, *rest: _shares(N, L, H, D, T * T, *rest),
        ),
        Mistake(
            "You count looking back in one layer. Each of the L layers does "
            "it.",
            lambda N, L, *rest: _shares(N, 1, *rest),
        ),
        Mistake(
            "Those are percentages. A share is a number from 0 to 1.",
            lambda *args: tuple(100 * x for x in _two(*args)),
        ),
        Mistake(
            "You divide the wrong way round: a share is what is done, "
            "divided by what could be done.",
            lambda *args: tuple(1 / x for x in _two(*args)),
        ),
    ],
    praise="The second number is often called HFU, hardware FLOPs "
    "utilization. It pleases the eye; the first one trains the model.",
)
