"""Answers that were written: is it the right one, and would k tries do?

Chapter 12 derives it: exact match, and pass@k without its bias.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MARKS = str.maketrans("", "", string.punctuation)


def plain(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces.

    What SQuAD compares; Rajpurkar et al. (2016), in their script. Chapter 12.
    """
    text = text.lower().translate(_MARKS)
    return " ".join(_ARTICLES.sub(" ", text).split())


def exact_match(said: str, right: str | Sequence[str]) -> float:
    """1.0 if an answer is one of the right ones, in plain form; else 0.0.

    Chapter 12.
    """
    wanted = [right] if isinstance(right, str) else list(right)
    if not wanted:
        raise ValueError("no right answer to compare with")
    return float(plain(said) in map(plain, wanted))


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n samples, of which c are right, hold a right one.

    1 - C(n - c, k) / C(n, k), as a product that never overflows: the mean
    over all ways to choose k of the n, and so an unbiased estimate of what k
    fresh samples do. Chapter 12; Chen et al. (2021), equation 1.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(
            f"n={n}, c={c}, k={k}: needs 0 <= c <= n and 1 <= k <= n; to "
            "estimate pass@k draw k samples or more"
        )
    if n - c < k:
        return 1.0
    wrong = 1.0
    for i in range(n - c + 1, n + 1):
        wrong *= 1 - k / i
    return 1 - wrong
