"""Documents that say the same, word for word or nearly.

Chapter 7 derives all of it: shingles, the Jaccard index, MinHash, and bands,
which find the pairs that are worth a comparison.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

WORD = re.compile(r"\w+")
BANDS, ROWS = 14, 8  # Penedo et al. (2024), section 3.4
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd


def exact_dedup(texts: Iterable[str]) -> list[int]:
    """texts -> the numbers of those kept: the first of each that are equal.

    Case, punctuation and space do not count. In memory are 16 bytes for each
    text that was kept. Chapter 7.
    """
    seen: set[bytes] = set()
    kept = []
    for i, text in enumerate(texts):
        words = " ".join(WORD.findall(text.lower()))
        key = hashlib.blake2b(words.encode(), digest_size=16).digest()
        if key not in seen:
            seen.add(key)
            kept.append(i)
    return kept


def shingles(text: str, n: int = 5) -> np.ndarray:
    """text -> (m,) uint32: a hash of each n words in a row, once, in order.

    The same on every machine and in every process. A text of fewer than n
    words is one shingle. Broder (1997), section 2; chapter 7.
    """
    if n < 1:
        raise ValueError(f"n={n}: a shingle has 1 word or more")
    words = WORD.findall(text.lower())
    ids = np.array([zlib.crc32(w.encode()) for w in words], dtype=np.uint64)
    n = min(n, max(1, len(ids)))
    m = len(ids) - n + 1
    value = np.zeros(max(m, 1), dtype=np.uint64)  # products wrap at 2^64
    for i in range(n if m > 0 else 0):
        value = (value ^ ids[i : i + m]) * MIX
        value ^= value >> np.uint64(29)
    return np.unique((value >> np.uint64(32)).astype(np.uint32))


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """(m,), (n,) shingles -> what both have, of what either has. Chapter 7."""
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


class MinHash:
    """shingles (m,) -> signature (n_hashes,) uint32.

    Two signatures agree in an entry with a probability that is the Jaccard
    index of the texts. Hash i of a shingle x is the upper half of
    a_i * x + b_i in 64 bits (Dietzfelbinger 1996). Broder (1997); chapter 7.
    """

    def __init__(self, n_hashes: int = BANDS * ROWS, seed: int = 0) -> None:
        if n_hashes < 1:
            raise ValueError(f"n_hashes={n_hashes}: 1 or more")
        rng = np.random.default_rng(seed)
        draw = rng.integers(0, 2**64, (2, n_hashes, 1), dtype=np.uint64)
        self.a, self.b = draw[0] | np.uint64(1), draw[1]  # (n_hashes, 1)

    def __call__(self, shingles: np.ndarray) -> np.ndarray:
        """(m,) uint32 -> (n_hashes,) uint32."""
        values = self.a * shingles.astype(np.uint64) + self.b  # wraps
        return (values.min(1) >> np.uint64(32)).astype(np.uint32)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Two signatures -> an estimate of the Jaccard index of their texts."""
    return float((a == b).mean())


def candidates(
    signatures: Sequence[np.ndarray], bands: int = BANDS
) -> set[tuple[int, int]]:
    """signatures -> pairs (i, j), i < j, that agree in all of some band.

    With r rows in a band, a pair of Jaccard index s is found with the
    probability 1 - (1 - s^r)^bands. Leskovec et al. (2020), section 3.4.
    """
    pairs = set()
    for group in buckets(signatures, bands):
        pairs |= {(i, j) for j in group for i in group if i < j}
    return pairs


def buckets(
    signatures: Sequence[np.ndarray], bands: int
) -> Iterable[list[int]]:
    """The documents that share a band, for each band and each value."""
    if len(signatures) == 0:
        return
    table = np.ascontiguousarray(np.stack(signatures))
    if table.shape[1] % bands:
        raise ValueError(f"{bands} bands do not divide {table.shape[1]} hashes")
    rows = table.shape[1] // bands
    for band in range(bands):
        part = np.ascontiguousarray(table[:, band * rows : (band + 1) * rows])
        found: dict[bytes, list[int]] = {}
        for i, key in enumerate(part):
            found.setdefault(key.tobytes(), []).append(i)
        yield from (group for group in found.values() if len(group) > 1)


def minhash_dedup(
    texts: Sequence[str],
    threshold: float = 0.75,
    n: int = 5,
    bands: int = BANDS,
    seed: int = 0,
) -> list[int]:
    """texts -> the numbers of those kept, in order.

    A text is dropped if an earlier one that was kept shares `threshold` of
    its n-word shingles with it (the Jaccard index, exact). Pairs to compare
    share one of `bands` bands of 112 MinHashes; a lower threshold needs more
    bands. Penedo et al. (2024), section 3.4; chapter 7.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold={threshold}: more than 0, at most 1")
    sets = [shingles(text, n) for text in texts]
    sketch = MinHash(seed=seed)
    partners: dict[int, list[int]] = {}
    for i, j in candidates([sketch(s) for s in sets], bands):
        partners.setdefault(j, []).append(i)
    dropped: set[int] = set()
    for j in sorted(partners):
        kept = (i for i in partners[j] if i not in dropped)
        if any(jaccard(sets[i], sets[j]) >= threshold for i in kept):
            dropped.add(j)
    return [i for i in range(len(texts)) if i not in dropped]


def drop_repeated_lines(texts: Sequence[str], most: int = 3) -> list[str]:
    """texts -> the same without the lines that stand in more than `most`.

    Notices, banners and calls to subscribe, which no filter of single pages
    can know. Run it after documents were deduplicated, or it takes the text
    that is popular for a banner. Wenzek et al. (2020), section 3.1; chapter 7.
    """
    pages = Counter(
        line for text in texts for line in set(text.lower().split("\n"))
    )
    return [
        "\n".join(
            line for line in text.split("\n") if pages[line.lower()] <= most
        )
        for text in texts
    ]


def contaminated(
    texts: Iterable[str], held: Iterable[str], n: int = 13
) -> list[int]:
    """The numbers of texts that share n words in a row with a held-out one.

    ValueError for a held-out text of fewer than n words, which could never
    be found. Brown et al. (2020), appendix C, with n = 13; chapter 7.
    """
    wanted: set[int] = set()
    for text in held:
        if len(WORD.findall(text)) < n:
            raise ValueError(
                f"{text[:40]!r} has fewer than n={n} words, so no text can "
                "share n of them: choose a smaller n"
            )
        wanted.update(shingles(text, n).tolist())
    return [
        i for i, text in enumerate(texts)
        if not wanted.isdisjoint(shingles(text, n).tolist())
    ]  # fmt: skip
