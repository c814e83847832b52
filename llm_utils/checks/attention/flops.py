"""Exercise 7 of chapter 3: what attention costs, counted.

Each `Mistake` is a small wrong function: what readers really write.
"""

from __future__ import annotations

import math

from llm_utils.checks import Exercise, Mistake
from llm_utils.checks.forms import number


def _knobs(
    T: int,
    C: int,
    H: int,
    K: int,
    D: int,
    each: int = 2,
    products: int = 2,
    grouped: bool = True,
    shared_scores: bool = False,
    out: bool = True,
) -> int:
    """The count with its parts as knobs: a mistake is one of them."""
    kv = K if grouped else H
    project = T * C * D * ((1 + out) * H + 2 * kv)
    look = products * T * T * D * (K if shared_scores else H)
    return each * (project + look)


attention_flops = Exercise(
    name="attention_flops",
    asks="write attention_flops(T, C, H, K, D), a number of FLOPs",
    reference=_knobs,
    cases=[
        (1, 1, 1, 1, 1),
        (3, 8, 2, 2, 4),
        (5, 12, 4, 2, 3),
        (7, 10, 6, 1, 4),
        (1024, 768, 12, 12, 64),
    ],
    form=number,
    same=lambda a, b: math.isclose(a, b, rel_tol=1e-6),
    show=lambda x: f"{x:,.0f}" if isinstance(x, float) else ascii(x),
    mistakes=[
        Mistake(
            "You count multiplications only. Each comes with an addition, "
            "and both are FLOPs: twice as many.",
            lambda T, C, H, K, D: _knobs(T, C, H, K, D, each=1),
        ),
        Mistake(
            "There are two products with T times T in them: the scores, "
            "q @ k.T, and the output, weights @ v. You have one, or half of "
            "both: count as if there were no mask.",
            lambda T, C, H, K, D: _knobs(T, C, H, K, D, products=1),
        ),
        Mistake(
            "8 T C^2 + 4 T^2 C is the count for K = H and C = H D. Here K may "
            "be smaller and D any size: write the maps with H D and K D.",
            lambda T, C, H, K, D: 8 * T * C * C + 4 * T * T * C,
        ),
        Mistake(
            "The scores and the sum over values are there once in yours. "
            "Each of the H query heads computes its own.",
            lambda T, C, H, K, D: (
                2 * T * C * D * (2 * H + 2 * K) + 4 * T * T * D
            ),
        ),
        Mistake(
            "Inside a head the vectors have D numbers, not C: a score takes D "
            "products.",
            lambda T, C, H, K, D: (
                2 * T * C * D * (2 * H + 2 * K) + 4 * H * T * T * C
            ),
        ),
        Mistake(
            "One of the four maps is missing: keys and values have one each.",
            lambda T, C, H, K, D: _knobs(T, C, H, K, D) - 2 * T * C * K * D,
        ),
        Mistake(
            "Keys and values have K heads, not H. Their maps give K * D "
            "numbers each.",
            lambda T, C, H, K, D: _knobs(T, C, H, K, D, grouped=False),
        ),
        Mistake(
            "You share the scores, too. K heads of keys are stored, but "
            "each of the H query heads computes scores of its own.",
            lambda T, C, H, K, D: _knobs(T, C, H, K, D, shared_scores=True),
        ),
        Mistake(
            "The output map is missing: it takes H * D numbers back to C.",
            lambda T, C, H, K, D: _knobs(T, C, H, K, D, out=False),
        ),
        Mistake(
            "You have the four maps. What grows with the square of T is "
            "missing: the scores, and the output from them.",
            lambda T, C, H, K, D: _knobs(T, C, H, K, D, products=0),
        ),
        Mistake(
            "You have the scores and the sum over values. The four maps are "
            "missing: q and out, k and v.",
            lambda T, C, H, K, D: 4 * T * T * H * D,
        ),
        Mistake(
            "You count the scores as T * D. Every query meets every key: "
            "T * T of them, D products in each.",
            lambda T, C, H, K, D: (
                2 * T * C * D * (2 * H + 2 * K) + 4 * T * H * D
            ),
        ),
    ],
    praise="The maps grow with T, the looking with T squared. With H = K and "
    "C = H D they are equal at T = 2 C.",
)
