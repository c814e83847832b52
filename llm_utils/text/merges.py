"""Counting pairs and merging them: the two steps behind BPE and WordPiece.

Chapter 1 derives `count_pairs` and `merge` and trains with nothing else;
`PairTable` keeps the same counts up to date instead of taking them again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Generic, TypeVar

Symbol = TypeVar("Symbol")  # an id, a byte string, a character: any of them
BytePair = tuple[bytes, bytes]


def count_pairs(
    words: Mapping[tuple[Symbol, ...], int],
) -> Counter[tuple[Symbol, Symbol]]:
    """{word: how often} -> {pair of neighbors: how often}.

    A word is a tuple of symbols (ids, byte strings, characters); a pair in a
    word that occurs n times counts n times. Derived in chapter 1; Sennrich et
    al. (2016), algorithm 1.
    """
    counts: Counter[tuple[Symbol, Symbol]] = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    return counts


def merge(
    ids: Sequence[Symbol], pair: tuple[Symbol, Symbol], new_id: Symbol
) -> list[Symbol]:
    """(T,) -> (T',), T' <= T: every `pair`, from the left, becomes `new_id`.

    merge([1, 1, 1, 2], (1, 1), 9) == [9, 1, 2]. Derived in chapter 1.
    """
    out: list[Symbol] = []
    i, last = 0, len(ids) - 1
    while i <= last:
        if i < last and ids[i] == pair[0] and ids[i + 1] == pair[1]:
            out.append(new_id)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


class PairTable(Generic[Symbol]):
    """The pair counts of a corpus, kept right while its pairs are merged.

    counts: {pair: how often}, as `count_pairs` would give it at any time.
    A merge revisits only the words that hold the pair: each is taken out of
    the counts, merged, and put back. So its cost is the length of these words,
    whatever the size of the corpus. Derived in chapter 1.
    """

    def __init__(self, words: Mapping[tuple[Symbol, ...], int]) -> None:
        self.counts = count_pairs(words)
        self._words = [list(word) for word in words]
        self._n = list(words.values())
        self._where: dict[tuple[Symbol, Symbol], set[int]] = defaultdict(set)
        for i, word in enumerate(words):
            for pair in pairwise(word):
                self._where[pair].add(i)

    def merge(
        self, pair: tuple[Symbol, Symbol], new: Symbol
    ) -> tuple[set[tuple[Symbol, Symbol]], int]:
        """Merge `pair` into `new` everywhere -> the pairs made, how often."""
        counts, made, times = self.counts, defaultdict(set), 0
        for i in self._where.pop(pair):
            word, n = self._words[i], self._n[i]
            for old in pairwise(word):
                counts[old] -= n
            self._words[i] = merged = merge(word, pair, new)
            times += n * (len(word) - len(merged))
            for now in pairwise(merged):
                counts[now] += n
                if new in now:
                    made[now].add(i)
        self._where.update(made)
        return set(made), times


def learn_merges(
    words: Mapping[tuple[bytes, ...], int], n_merges: int
) -> list[BytePair]:
    """The first `n_merges` merges of BPE, fewer when no pair is left.

    Equal to this, which counts every pair again after each merge:

        counts = count_pairs(words)
        a, b = max(counts, key=lambda pair: (counts[pair], pair))
        words = {tuple(merge(w, (a, b), a + b)): n for w, n in words.items()}

    Of equally frequent pairs the greatest pair of byte strings goes first.
    The heap is lazy: a count that has fallen since it was pushed is noticed
    when it reaches the top, and pushed back as it is now. Counts only rise
    for pairs that a merge has just made, and those are pushed at once, so no
    entry is ever too low. Derived in chapter 1.
    """
    table = PairTable(words)
    mirror = {token: _mirror(token) for word in words for token in word}

    def entry(pair: BytePair) -> tuple[int, str, str, BytePair]:
        a, b = pair
        return -table.counts[pair], mirror[a], mirror[b], pair

    heap = [entry(pair) for pair in table.counts]
    heapify(heap)
    merges: list[BytePair] = []
    while heap and len(merges) < n_merges:
        count, _, _, pair = heappop(heap)
        if -count != table.counts[pair]:  # it has fallen: queue again
            if table.counts[pair]:
                heappush(heap, entry(pair))
            continue
        merges.append(pair)
        token = pair[0] + pair[1]
        mirror[token] = _mirror(token)
        for made in table.merge(pair, token)[0]:
            heappush(heap, entry(made))
    return merges


def _mirror(token: bytes) -> str:
    """A string that sorts the other way round: heaps give the smallest."""
    return "".join(chr(255 - byte) for byte in token) + chr(256)


def apply_merges(
    ids: list[int], made: Mapping[tuple[int, int], int]
) -> list[int]:
    """(T,) -> (T',): merge the pair that was learned first, until none fits.

    made: {pair: id it becomes}, where a lower id was learned earlier. A heap
    of the pairs still to merge and links between what is left make it
    O(T log T), so that one very long word is no trap. Derived in chapter 1.
    """
    ids, end = list(ids), len(ids)
    before, after = list(range(-1, end - 1)), list(range(1, end + 1))
    heap = [
        (made[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in made
    ]
    heapify(heap)
    while heap:
        new, i = heappop(heap)
        j = after[i]
        if j == end or made.get((ids[i], ids[j])) != new:
            continue  # one of the two has been merged with another neighbor
        ids[i], ids[j] = new, _GONE
        after[i] = k = after[j]
        if k < end:
            before[k] = i
            if (new, ids[k]) in made:
                heappush(heap, (made[new, ids[k]], i))
        h = before[i]
        if h >= 0 and (ids[h], new) in made:
            heappush(heap, (made[ids[h], new], h))
    return [i for i in ids if i != _GONE]


_GONE = -1
