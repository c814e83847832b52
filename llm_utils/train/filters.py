"""Rules of thumb for pages that are worth reading, each with a name.

Chapter 7 derives them. Limits are those of Rae et al. (2021), appendix A.1,
where they have one; each limit can be set.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Protocol

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
PLACEHOLDERS = ("lorem ipsum", "javascript is disabled", "enable javascript")


class Filter(Protocol):
    """text -> whether to keep it."""

    def __call__(self, text: str, /) -> bool: ...


def quality_filters(
    *,
    words: tuple[int, int] = (50, 100_000),
    word_length: tuple[float, float] = (3, 10),
    symbols: float = 0.1,
    bullets: float = 0.9,
    ellipses: float = 0.3,
    lettered: float = 0.8,
    stop_words: int = 2,
    repeated_lines: float = 0.3,
    repeated_bigram: float = 0.2,
    repeated_5grams: float = 0.15,
) -> dict[str, Filter]:
    """The filters by the name of what they drop; each True keeps a text.

    word_length is a mean, in characters; symbols are # and ... for each word;
    lettered is the share of words with a letter in them; stop_words how many
    different of STOP_WORDS a text needs. Chapter 7.
    """
    return {
        "length": partial(between, count_words, words),
        "word length": partial(between, mean_word, word_length),
        "symbols": partial(between, symbol_share, (0, symbols)),
        "bullets": partial(between, bullet_share, (0, bullets)),
        "ellipses": partial(between, ellipsis_share, (0, ellipses)),
        "letters": partial(between, letter_share, (lettered, 1)),
        "stop words": partial(between, stop_word_count, (stop_words, 99)),
        "placeholder": partial(between, placeholder_count, (0, 0)),
        "lines": partial(between, repeated_line_share, (0, repeated_lines)),
        "bigram": partial(between, top_bigram_share, (0, repeated_bigram)),
        "5-grams": partial(between, repeated_share, (0, repeated_5grams)),
    }


def reasons(text: str, filters: Mapping[str, Filter]) -> list[str]:
    """The names of the filters that drop a text; none if it is kept."""
    return [name for name, keep in filters.items() if not keep(text)]


class Measure(Protocol):
    """text -> a number about it."""

    def __call__(self, text: str, /) -> float: ...


def between(measure: Measure, limits: tuple[float, float], text: str) -> bool:
    """Whether what is measured lies between two limits, or on one."""
    return limits[0] <= measure(text) <= limits[1]


def share(hits: float, of: float) -> float:
    return hits / of if of else 0.0


def count_words(text: str) -> int:
    """How many words, cut at spaces."""
    return len(text.split())


def mean_word(text: str) -> float:
    """Characters in a word, on average."""
    words = text.split()
    return share(sum(map(len, words)), len(words))


def symbol_share(text: str) -> float:
    """Hash signs and ellipses for each word."""
    found = text.count("#") + text.count("...") + text.count("\u2026")
    return share(found, count_words(text))


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def bullet_share(text: str) -> float:
    """The share of lines that begin like an entry of a list."""
    lines = lines_of(text)
    marked = sum(line.startswith(("-", "*", "\u2022")) for line in lines)
    return share(marked, len(lines))


def ellipsis_share(text: str) -> float:
    """The share of lines that break off."""
    lines = lines_of(text)
    broken = sum(line.endswith(("...", "\u2026")) for line in lines)
    return share(broken, len(lines))


def letter_share(text: str) -> float:
    """The share of words that have a letter in them."""
    words = text.split()
    return share(sum(any(map(str.isalpha, w)) for w in words), len(words))


def stop_word_count(text: str) -> int:
    """How many different ones of the stop words there are."""
    return len(STOP_WORDS & set(re.findall(r"[a-z]+", text.lower())))


def placeholder_count(text: str) -> int:
    """How many sentences that stand where a text should."""
    return sum(text.lower().count(words) for words in PLACEHOLDERS)


def repeated_line_share(text: str) -> float:
    """The share of lines that have stood there before."""
    lines = lines_of(text)
    return share(len(lines) - len(set(lines)), len(lines))


def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
    """How often each n words follow one another."""
    words = text.split()
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))


def top_bigram_share(text: str) -> float:
    """The share of letters in the most frequent two words in a row."""
    counts = grams(text, 2)
    if not counts:
        return 0.0
    pair, n = max(counts.items(), key=lambda item: item[1])
    letters = sum(map(len, text.split()))
    return share(n * sum(map(len, pair)), letters) if n > 1 else 0.0


def repeated_share(text: str, n: int = 5) -> float:
    """The share of letters inside n words in a row that came up before."""
    words = text.split()
    seen: set[tuple[str, ...]] = set()
    again = [False] * len(words)
    for i in range(len(words) - n + 1):
        gram = tuple(words[i : i + n])
        if gram in seen:
            again[i : i + n] = [True] * n
        seen.add(gram)
    twice = sum(len(w) for w, hit in zip(words, again, strict=True) if hit)
    return share(twice, sum(map(len, words)))
