"""Which language is a text in? Character trigrams and Bayes' rule.

Chapter 7 derives it from the bigram of chapter 2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

N = 3  # characters in a row
ALPHA = 0.1  # added to each count


class LanguageId:
    """text -> how probable each language is, from samples of each.

    Naive Bayes over character trigrams with additive smoothing and equal
    priors. Trigrams overlap, so it is surer of itself than it should be; the
    order of languages is what to trust. Chapter 7.
    """

    def __init__(self, samples: Mapping[str, str]) -> None:
        if len(samples) < 2:
            raise ValueError(f"{len(samples)} languages: give 2 or more")
        counts = {name: trigrams(text) for name, text in samples.items()}
        empty = [name for name, count in counts.items() if not count]
        if empty:
            raise ValueError(f"no letters in the sample of {empty}")
        self.languages = list(samples)
        V = len(set().union(*counts.values())) + 1  # 1 for those never seen
        self._rows: dict[str, list[float]] = {}
        totals = [sum(c.values()) + ALPHA * V for c in counts.values()]
        self._unseen = [math.log(ALPHA / total) for total in totals]
        for gram in set().union(*counts.values()):
            self._rows[gram] = [
                math.log((count[gram] + ALPHA) / total)
                for count, total in zip(counts.values(), totals, strict=True)
            ]

    def probs(self, text: str) -> dict[str, float]:
        """text -> {language: probability}; they sum to 1."""
        scores = [0.0] * len(self.languages)
        for gram, n in trigrams(text).items():
            row = self._rows.get(gram, self._unseen)
            scores = [s + n * p for s, p in zip(scores, row, strict=True)]
        top = max(scores)
        odds = [math.exp(s - top) for s in scores]
        shares = [x / sum(odds) for x in odds]
        return dict(zip(self.languages, shares, strict=True))

    def guess(self, text: str) -> str:
        """The most probable language; the first of equals."""
        probs = self.probs(text)
        return max(probs, key=probs.__getitem__)


def trigrams(text: str) -> Counter[str]:
    """How often each three characters follow one another, letters alone."""
    letters = "".join(c if c.isalpha() else " " for c in text.lower())
    line = f" {' '.join(letters.split())} "
    if not line.strip():
        return Counter()
    return Counter(line[i : i + N] for i in range(len(line) - N + 1))
