"""Exercise 2 of chapter 14: what LoRA costs, predicted.

Each `Mistake` is a small wrong answer: what readers really write.
"""

from __future__ import annotations

from llm_utils.checks import Mistake
from llm_utils.checks.foretold import Foretold

_bill = Foretold((40_960, 3.407872, 6.815744, 128.0, 4.0), rel_tol=0.011)

bills = _bill.exercise(
    "bills",
    "numbers",
    [
        Mistake(
            "A is the size of a whole correction, rank times rows times "
            "columns. But its two factors have rank * 4096 and rank * 1024.",
            when=_bill.has(0, 8 * 4096 * 1024, 4096 * 1024),
        ),
        Mistake(
            "B counts one layer. There are 32.",
            when=_bill.has(1, 3.407872 / 32),
        ),
        Mistake(
            "B takes the value map to be as large as the query map. With "
            "8 heads of 128 it writes 1024 numbers.",
            when=_bill.has(1, 32 * 2 * 8 * 8192 / 1e6),
        ),
        Mistake(
            "C takes four bytes a number. In half precision it is two.",
            when=_bill.has(2, 4 * 3.407872),
        ),
        Mistake(
            "D holds the weights, or a part of the bill. Weight and gradient "
            "take 2 bytes each, and AdamW 12 more: its two means and an "
            "exact copy of the weight.",
            when=_bill.has(3, 16, 32, 64, 96, 112),
        ),
        Mistake(
            "E takes four bytes a weight. It is four bits: half a byte.",
            when=_bill.has(4, 32),
        ),
        Mistake(
            "A is not right. The factors are 8 x 4096 and 1024 x 8.",
            when=_bill.wrong_at(0),
        ),
        Mistake(
            "B is not right. A layer has 8 * (4096 + 4096) for the query and "
            "A for the value; then 32 layers, in millions.",
            when=_bill.wrong_at(1),
        ),
        Mistake(
            "C is not right. It is B times two bytes.",
            when=_bill.wrong_at(2),
        ),
        Mistake(
            "D is not right. Sixteen bytes for each of 8 billion weights.",
            when=_bill.wrong_at(3),
        ),
        Mistake(
            "E is not right. Half a byte for each of 8 billion weights.",
            when=_bill.wrong_at(4),
        ),
    ],
    "From 128 GB to 4 GB and a file of 7 MB: that is the whole attraction.",
)
