"""Chapter 7's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

import hashlib
import itertools
import math
import random
import re
import unicodedata
import zlib

import data_loaders as loaders
import numpy as np
import pytest
import torch
from held import held_to

from llm_utils.checks import data as check
from llm_utils.train import batches, clean, dedup, mixture, packing

# -- 1: tidy


def tidy_regex(text):
    text = unicodedata.normalize("NFC", visible(text))
    return re.sub(r"[^\S\n]*\n[^\S\n]*", "\n",
                  re.sub(r"[^\S\n]+", " ", text)).strip(" ")  # fmt: skip


def tidy_lines(text):
    new = []
    for line in text.split("\n"):
        line = "".join(line.replace("\t", " "))
        line = "".join(
            c for c in line if unicodedata.category(c)[1] not in "cf"
            or unicodedata.category(c)[0] != "C"
        )  # fmt: skip
        new.append(" ".join(unicodedata.normalize("NFC", line).split()))
    return "\n".join(new)


def visible(text, also="\n\t"):
    return "".join(
        c for c in text
        if c in also or unicodedata.category(c) not in ("Cc", "Cf")
    )  # fmt: skip


def lined(text, tidy_line=lambda line: " ".join(line.split())):
    return "\n".join(map(tidy_line, text.split("\n")))


def nfc(text, form="NFC"):
    return unicodedata.normalize(form, text)


def controls(text, gone):
    return "".join(
        c for c in text if c in "\n\t" or unicodedata.category(c) not in gone
    )


# -- 2: repeated_share


def repeated_loop(text):
    seen, twice, total = [], 0, 0
    for line in text.splitlines():
        line = line.strip()
        if line == "":
            continue
        total += len(line)
        if line in seen:
            twice += len(line)
        seen.append(line)
    if total == 0:
        return 0
    return twice / total


def repeated_set(text):
    lines = [x for x in map(str.strip, text.split("\n")) if x]
    once = sum(map(len, set(lines)))
    whole = max(1, sum(map(len, lines)))
    return np.float64(1 - once / whole) if lines else np.float64(0)


def lines_in(text):
    return [x for x in map(str.strip, text.split("\n")) if x]


def repeated_all(text):
    lines = lines_in(text)
    hits = sum(len(x) for x in lines if lines.count(x) > 1)
    return hits / max(1, sum(map(len, lines)))


def repeated_count(text):
    lines = lines_in(text)
    return (len(lines) - len(set(lines))) / max(1, len(lines))


def repeated_by_line_once(text):
    lines = lines_in(text)
    hits = sum(len(x) for x in set(lines) if lines.count(x) > 1)
    return hits / max(1, sum(map(len, lines)))


def repeated_neighbor(text):
    lines = lines_in(text)
    hits = sum(
        len(b) for a, b in itertools.pairwise(lines) if a == b
    )  # fmt: skip
    return hits / max(1, sum(map(len, lines)))


def repeated_raw(text):
    lines, seen, hits = [x for x in text.split("\n") if x.strip()], set(), 0
    for line in lines:
        hits += len(line) * (line in seen)
        seen.add(line)
    return hits / max(1, sum(map(len, lines)))


def repeated_with_empty(text):
    lines = [x.strip() for x in text.split("\n")]
    return (len(lines) - len(set(lines))) / len(lines)


def repeated_unsafe(text):
    lines = lines_in(text)
    return repeated_loop(text) * len(lines) / len(lines)


# -- 3: jaccard


def jaccard_strings(a, b, n):
    def cut(text):
        words = text.lower().split()
        return {
            " ".join(words[i : i + n])
            for i in range(max(1, len(words) - n + 1))
        }

    return len(cut(a) & cut(b)) / len(cut(a) | cut(b))


def jaccard_sum(a, b, n):
    def cut(text):
        words = text.lower().split()
        if len(words) < n:
            return [tuple(words)]
        return list(dict.fromkeys(zip(*[words[i:] for i in range(n)],
                                      strict=False)))  # fmt: skip

    x, y = cut(a), cut(b)
    both = sum(gram in y for gram in x)
    return torch.tensor(both / (len(x) + len(y) - both))


def cut(text, n, small=True, short=True, last=1):
    words = (text.lower() if small else text).split()
    if short and len(words) < n:
        return {tuple(words)}
    return {tuple(words[i : i + n]) for i in range(len(words) - n + last)}


def over(a, b, n, below, **how):
    x, y = cut(a, n, **how), cut(b, n, **how)
    return len(x & y) / (below(x, y) or 1)


def union(x, y):
    return len(x | y)


def jaccard_multiset(a, b, n):
    def grams(text):
        words = text.lower().split()
        return [tuple(words[i : i + n])
                for i in range(max(1, len(words) - n + 1))]  # fmt: skip

    x, y = grams(a), grams(b)
    both = sum(min(x.count(g), y.count(g)) for g in set(x))
    return both / (len(x) + len(y) - both)


def jaccard_letters(a, b, n):
    x, y = ({t.lower()[i : i + n] for i in range(max(1, len(t) - n + 1))}
            for t in (a, b))  # fmt: skip
    return len(x & y) / len(x | y)


def jaccard_words(a, b, n):
    x, y = set(a.lower().split()), set(b.lower().split())
    return len(x & y) / len(x | y)


def jaccard_frozen(a, b, n):
    x, y = ({tuple(sorted(g)) for g in cut(t, n)} for t in (a, b))
    return len(x & y) / len(x | y)


def jaccard_steps(a, b, n):
    def pieces(text):
        words = text.lower().split()
        if len(words) < n:
            return {tuple(words)}
        return {tuple(words[i : i + n])
                for i in range(0, len(words) - n + 1, n)}  # fmt: skip

    return len(pieces(a) & pieces(b)) / len(pieces(a) | pieces(b))


def jaccard_bare(a, b, n):
    x, y = cut(a, n, short=False), cut(b, n, short=False)
    return len(x & y) / len(x | y)


# -- 5: keep


def keep_scan(n, similar):
    kept = []
    for k in range(n):
        near = {a + b - k for a, b in similar if k in (a, b)}
        if not near & set(kept):
            kept.append(k)
    return kept


def keep_table(n, similar):
    near = np.zeros((n, n), dtype=bool)
    for a, b in similar:
        near[a, b] = near[b, a] = True
    stays = np.zeros(n, dtype=bool)
    for k in range(n):
        stays[k] = not (near[k] & stays).any()
    return np.flatnonzero(stays)


def keep_broken(n, similar):
    dropped = {second for _, second in similar}
    return [k for k in range(n) if k not in dropped]


def keep_turned(n, similar):
    dropped = {max(pair) for pair in similar}
    return [k for k in range(n) if k not in dropped]


def keep_as_they_come(n, similar):
    dropped = set()
    for a, b in similar:
        if min(a, b) not in dropped:
            dropped.add(max(a, b))
    return sorted(set(range(n)) - dropped)


def keep_second(n, similar):
    dropped = set()
    for a, b in similar:
        if a not in dropped:
            dropped.add(b)
    return sorted(set(range(n)) - dropped)


def keep_second_sorted(n, similar):
    return keep_second(n, sorted(similar, key=lambda pair: pair[1]))


def keep_looked_up(n, similar):
    kept = []
    for k in range(n):
        if all((i, k) not in similar for i in kept):
            kept.append(k)
    return kept


def keep_groups(n, similar):
    groups = [{k} for k in range(n)]
    for a, b in similar:
        one = next(g for g in groups if a in g)
        two = next(g for g in groups if b in g)
        if one is not two:
            groups.remove(two)
            one |= two
    return sorted(map(min, groups))


def keep_no_partner(n, similar):
    return [k for k in range(n) if not any(k in pair for pair in similar)]


def keep_last(n, similar):
    kept = []
    for k in reversed(range(n)):
        near = {a + b - k for a, b in similar if k in (a, b)}
        if not near & set(kept):
            kept.append(k)
    return kept[::-1]


# -- 6: leaked


def leaked_loop(train, valid):
    known, hits = set(train), 0
    for text in valid:
        if text in known:
            hits += 1
    return hits / len(valid)


def leaked_numpy(train, valid):
    return np.isin(valid, train).mean()


# -- 7: held_out


def out_sha(text, share):
    digest = hashlib.sha256(" ".join(text.casefold().split()).encode())
    return int(digest.hexdigest()[:8], 16) / 0x100000000 < share


def out_random(text, share):
    return random.Random(" ".join(text.lower().split())).random() < share


def out_crc(text, share):
    key = zlib.crc32("".join(text.lower().split()).encode())
    return np.bool_(key % 10_000 < share * 10_000)


def out_seeded(text, share):
    words = " ".join(text.lower().split())
    return random.Random(f"{words}|{share}").random() < share


class Counting:
    def __init__(self):
        self.calls = 0

    def __call__(self, text, share):
        self.calls += 1
        return self.calls % 10 < share * 10


def crc(text):
    return zlib.crc32(text.encode()) / 2**32


# -- 8: epochs


def epochs_loop(sizes, alpha, budget):
    total, result = 0, {}
    for n in sizes.values():
        total += n**alpha
    for name, n in sizes.items():
        result[name] = n**alpha / total * budget / n
    return result


def epochs_numpy(sizes, alpha, budget):
    n = np.array(list(sizes.values()), dtype=float)
    logits = torch.tensor(alpha * np.log(n)).softmax(0)
    return dict(zip(sizes, budget * logits / torch.tensor(n), strict=True))


def each(rule):
    """An answer from a rule: (share, size, budget, sizes) -> number."""

    def answer(sizes, alpha, budget):
        total = sum(n**alpha for n in sizes.values())
        return {
            name: rule(n**alpha / total, n, budget, sizes)
            for name, n in sizes.items()
        }

    return answer


# -- 9: pack_rows


def rows_pairs(docs, T, end):
    stream = [(token, i) for i, doc in enumerate(docs) for token in [*doc, end]]
    for first in range(0, len(stream) - T, T):
        row = stream[first : first + T + 1]
        tokens, numbers = zip(*row, strict=True)
        yield tokens[:-1], tokens[1:], numbers[:-1]


def rows_at_every_token(docs, T, end):
    stream = [(token, i) for i, doc in enumerate(docs) for token in [*doc, end]]
    tokens, numbers = zip(*stream, strict=True)
    return [(tokens[k : k + T], tokens[k + 1 : k + T + 1], numbers[k : k + T])
            for k in range(len(tokens) - T)]  # fmt: skip


def rows_tensors(docs, T, end):
    tokens = torch.tensor([t for doc in docs for t in [*doc, end]])
    sizes = torch.tensor([len(doc) + 1 for doc in docs])
    which = torch.arange(len(docs)).repeat_interleave(sizes)
    n = (len(tokens) - 1) // T
    x = tokens[: n * T].view(n, T)
    y = tokens[1 : n * T + 1].view(n, T)
    return torch.stack([x, y, which[: n * T].view(n, T)], 1)


def rows_from(stream, which, T, step=0, least=1):
    return [
        (stream[k : k + T], stream[k + 1 : k + T + 1], which[k : k + T])
        for k in range(0, len(stream) - T + 1 - least, T + step)
    ]


def streamed(docs, before=(), after=(), number=lambda doc, i, end: i):
    stream, which = [], []
    for i, doc in enumerate(docs):
        new = [*before, *doc, *after]
        stream += new
        which += [i] * len(new)
    return stream, which


def rows_apart(docs, T, end):
    return rows_from(*streamed(docs, after=[end]), T, step=1)


def rows_join(docs, T, end):
    stream, which = streamed(docs, after=[end])
    return rows_from(stream[:-1], which[:-1], T)


def rows_short(docs, T, end):
    rows = rows_from(*streamed(docs, after=[end]), T)
    stream, which = streamed(docs, after=[end])
    k = T * len(rows)
    rest = stream[k + 1 :]
    if rest:
        rows.append((stream[k : k + len(rest)], rest, which[k : k + len(rest)]))
    return rows


def rows_next_door(docs, T, end):
    stream, which = streamed(docs, after=[end])
    rows = enumerate(rows_from(stream, which, T))
    return [(x, y, which[T * i + 1 : T * i + T + 1]) for i, (x, y, _) in rows]


def rows_restarted(docs, T, end):
    return [
        (x, y, [n - numbers[0] for n in numbers])
        for x, y, numbers in rows_pairs(docs, T, end)
    ]


def rows_rolled(docs, T, end):
    return [
        (x, [*x[1:], x[0]], numbers)
        for x, _, numbers in rows_pairs(docs, T, end)
    ]


def rows_unnumbered(docs, T, end):
    stream, _ = streamed(docs, after=[end])
    return rows_from(stream, streamed(docs)[1], T)


def rows_each(docs, T, end):
    found = []
    for i, doc in enumerate(docs):
        whole = [*doc, end]
        found += rows_from(whole, [i] * len(whole), T)
    return found


RIGHT = {
    "tidy": [tidy_regex, tidy_lines],
    "repeated_share": [repeated_loop, repeated_set],
    "jaccard": [jaccard_strings, jaccard_sum],
    "pairs_found": [
        [1500, 100, 700, 0],
        lambda: (1500.0, 100, 700, 0),
        lambda: np.array([1500, 100, 700, 0]),
        {"A": 1500, "B": 100, "C": 700, "D": 0},
    ],
    "keep": [keep_scan, keep_table, lambda *a: set(keep_scan(*a))],
    "leaked": [leaked_loop, leaked_numpy],
    "explanation": ["C", " (c) ", lambda: "c"],
    "held_out": [out_sha, out_random, out_crc],
    "epochs": [epochs_loop, epochs_numpy],
    "pack_rows": [rows_pairs, rows_tensors],
    "loader": [loaders.Permuted, loaders.Replayed],
}

WRONG = {
    "tidy": [
        (
            lambda t: "\n".join(
                filter(None, lined(nfc(visible(t))).split("\n"))
            ),
            "Empty lines are gone",
        ),
        (
            lambda t: lined(visible(t.encode("ascii", "ignore").decode())),
            "Letters are gone that are not ASCII",
        ),
        (lambda t: " ".join(nfc(visible(t)).split()), "and with them the par"),
        (lambda t: lined(nfc(visible(t, "\t"))), "ends of lines are gone"),
        (lambda t: lined(nfc(visible(t, "\n"))), "A tab vanishes"),
        (lambda t: lined(nfc(visible(t, ""))), "Tabs and newlines vanish"),
        (
            lambda t: lined(
                nfc("".join(c for c in t if c.isprintable() or c == "\n"))
            ),
            "str.isprintable",
        ),
        (lambda t: lined(nfc(visible(t), "NFKC")), "That is NFKC"),
        (lambda t: lined(nfc(visible(t), "NFD")), "That is NFD"),
        (lambda t: lined(visible(t)), "still two characters"),
        (lambda t: lined(visible(nfc(t))), "You compose first"),
        (
            lambda t: lined(nfc(visible(t)).encode("ascii", "ignore").decode()),
            "Everything beyond ASCII",
        ),
        (lambda t: lined(nfc(controls(t, ["Cc"]))), "invisible ones stay"),
        (lambda t: lined(nfc(controls(t, ["Cf"]))), "control characters stay"),
        (lambda t: lined(nfc(t)), "Neither control nor invisible"),
        (lambda t: nfc(visible(t)), "Spaces are as they were"),
        (lambda t: lined(nfc(visible(t)), str.strip), "runs inside a line"),
        (
            lambda t: lined(
                nfc(visible(t)), lambda x: re.sub(" +", " ", x).strip(" ")
            ),
            "at the plain space only",
        ),
        (
            lambda t: re.sub(r"[^\S\n]+", " ", nfc(visible(t))).strip(),
            "at the ends of the lines inside",
        ),
        (lambda t: lined(nfc(visible(t))).lower(), "only small letters"),
        (lambda t: visible(t).split("\n"), "a list; a text"),
        (print, "did you forget `return`"),
    ],
    "repeated_share": [
        (repeated_count, "You count lines"),
        (repeated_all, "the first of equal lines"),
        (repeated_by_line_once, "you count it once"),
        (repeated_neighbor, "with the one before it"),
        (
            lambda t: (
                repeated_loop(t) * sum(map(len, lines_in(t))) / max(1, len(t))
            ),
            "the whole text, with its line ends",
        ),
        (repeated_raw, "the spaces at their ends"),
        (repeated_with_empty, "empty lines as lines that repeat"),
        (lambda t: 1 - repeated_loop(t), "what does not repeat"),
        (repeated_unsafe, "divide by zero"),
        (lambda t: 100 * repeated_loop(t), "That is a percentage"),
        (
            lambda t: repeated_loop(t) * sum(map(len, lines_in(t))),
            "how many characters repeat",
        ),
        (lambda t: lines_in(t), "returns a list; a number"),
    ],
    "jaccard": [
        (lambda *a: over(*a, lambda x, y: len(x)), "of the first text"),
        (
            lambda a, b, n: jaccard_strings(a.replace(".", ""), b, n),
            "You drop punctuation",
        ),
        (lambda *a: over(*a, lambda x, y: len(x ^ y)), "only one of the texts"),
        (
            lambda *a: over(*a, lambda x, y: min(len(x), len(y))),
            "of the smaller set",
        ),
        (
            lambda *a: over(*a, lambda x, y: max(len(x), len(y))),
            "of the larger set",
        ),
        (lambda *a: over(*a, lambda x, y: len(x) + len(y)), "counted twice"),
        (
            lambda *a: over(*a, lambda x, y: (len(x) + len(y)) / 2),
            "Dice's coefficient",
        ),
        (lambda *a: over(*a, lambda x, y: 1), "how many shingles both have"),
        (jaccard_multiset, "as often as it stands there"),
        (jaccard_letters, "into characters"),
        (jaccard_words, "single words"),
        (jaccard_frozen, "the order of the words"),
        (lambda *a: over(*a, union, last=0), "The last shingle is missing"),
        (jaccard_steps, "do not overlap"),
        (lambda *a: over(*a, union, small=False), "are two words for you"),
        (lambda *a: over(*a, union, short=False), "has no shingle"),
        (jaccard_bare, "divide by zero"),
        (lambda *a: 1 - jaccard_strings(*a), "That is a distance"),
        (lambda a, b, n: cut(a, n) & cut(b, n), "a set; a number"),
    ],
    "pairs_found": [
        ([15 / 16, 1 / 16, 7 / 16, 0], "Those are probabilities"),
        ([100, 1500, 700, 0], "A and B are exchanged"),
        ([1600, 100, 700, 0], "add four probabilities"),
        ([800, 100, 700, 0], "A: with bands of one hash"),
        ([1500, 400, 700, 0], "B: with one band of four"),
        ([1500, 100, 800, 0], "count the pairs that agree in both twice"),
        ([1500, 100, 900, 0], "the pairs that are missed"),
        ([1500, 100, 400, 0], "whose first band agrees"),
        ([1500, 100, 600, 0], "C: a band agrees if both"),
        ([1500, 100, 700, 700], "In D you drop what the bands found"),
        ([1500, 100, 700], "exactly four numbers, A to D"),
        ("all", "a list is asked for"),
    ],
    "keep": [
        (keep_broken, "All the bugs are still there"),
        (keep_second, "may come either way round"),
        (keep_second_sorted, "may come either way round"),
        (keep_turned, "dropped for its likeness"),
        (keep_as_they_come, "go through the pairs as they come"),
        (keep_groups, "everything that hangs together"),
        (keep_looked_up, "the earlier text first"),
        (
            lambda n, pairs: [
                k for k in range(n) if k not in [min(pair) for pair in pairs]
            ],
            "keep the copy",
        ),
        (lambda n, pairs: [*range(n)], "Nothing is dropped"),
        (keep_no_partner, "You drop both texts"),
        (keep_last, "Keep the first"),
        (
            lambda n, s: [k for k in range(n) if k not in keep_scan(n, s)],
            "Those are the texts that go",
        ),
        (lambda n, s: len(keep_scan(n, s)), "an int; a list"),
    ],
    "leaked": [
        (lambda t, v: leaked_loop(v, t), "how much of the training texts"),
        (
            lambda t, v: sum(x in t for x in v) / len(t),
            "the number of training texts",
        ),
        (
            lambda t, v: len(set(t) & set(v)) / len(set(v)),
            "texts that are equal once",
        ),
        (lambda t, v: len(set(t) & set(v)) / len(v), "once each, and divided"),
        (
            lambda t, v: sum(any(x in y for y in t) for x in v) / len(v),
            "inside other texts",
        ),
        (
            lambda t, v: np.mean(
                [i < len(t) and t[i] == x for i, x in enumerate(v)]
            ),
            "at the same place",
        ),
        (
            lambda t, v: len([x for x in v if x in t]) / len(t + v),
            "all texts of both sides",
        ),
        (lambda t, v: sum(x in t for x in v), "how many texts leak"),
        (lambda t, v: sum(x not in t for x in v) / len(v), "that are new"),
        (lambda t, v: 100 * leaked_loop(t, v), "a percentage"),
    ],
    "explanation": [
        ("A", "better on fresh stories"),
        ("B", "what a perfect model would lose"),
        ("D", "as many stories in every row"),
        ("x", "The answer is one letter"),
    ],
    "held_out": [
        (
            lambda t, s: hash(" ".join(t.lower().split())) % 1000 < 1000 * s,
            "Python salts it",
        ),
        (lambda t, s: hash(t) % 1000 < 1000 * s, "and yours takes case"),
        (lambda t, s: random.random() < s, "You draw lots"),
        (Counting(), "You count calls"),
        (lambda t, s: crc(" ".join(t.split())) < s, "A copy in capitals"),
        (lambda t, s: crc(t.lower()) < s, "A copy with other spaces"),
        (lambda t, s: crc(t) < s, "Copies that differ in case or spaces"),
        (lambda t, s: not out_sha(t, s), "The sides are exchanged"),
        (
            lambda t, s: (
                zlib.crc32("".join(t.lower().split()).encode()) % round(1 / s)
                == 0
            ),
            "come back into training at 0.3",
        ),
        (out_seeded, "come back into training at 0.3"),
        (lambda t, s: len(t) > 0, "You hold out every text"),
        (
            lambda t, s: int(hashlib.md5(t.encode()).hexdigest(), 16) < s,
            "You hold out no text",
        ),
        (lambda t, s: len(t) % 5 == 0, "The share is not met"),
        (lambda t, s: t.strip().lower()[0] < "l", "The share is not met"),
        (lambda t, s: crc(t), "a float; True or False"),
        (lambda t, s: None, "did you forget `return`"),
    ],
    "epochs": [
        (each(lambda w, n, budget, _: w), "Those are the shares"),
        (
            lambda sizes, alpha, budget: {
                k: budget * (n / sum(sizes.values())) ** alpha / n
                for k, n in sizes.items()
            },
            "they no longer sum to 1",
        ),
        (
            each(lambda w, n, budget, _: min(1.0, w * budget / n)),
            "read more than once",
        ),
        (each(lambda w, n, budget, _: w * budget), "the tokens drawn"),
        (each(lambda w, n, budget, _: n / (w * budget)), "upside down"),
        (
            lambda s, a, b: {k: n**a * b / n for k, n in s.items()},
            "The powers are no shares yet",
        ),
        (
            each(lambda w, n, budget, s: w * budget / sum(s.values())),
            "of all corpora together",
        ),
        (
            each(lambda w, n, budget, _: math.floor(w * budget / n)),
            "You round down",
        ),
        (each(lambda w, n, budget, _: round(w * budget / n)), "You round."),
        (each(lambda w, n, budget, _: w / n), "The budget is missing"),
        (
            lambda s, a, b: {
                k: b * n**a / sum(s.values()) / n for k, n in s.items()
            },
            "the powers by the sum of the sizes",
        ),
        (
            lambda s, a, b: {k: b / sum(s.values()) for k in s},
            "You do not use alpha",
        ),
        (
            lambda s, a, b: {
                k: b * (a * n / sum(a * m for m in s.values())) / n
                for k, n in s.items()
            },
            "alpha is a factor",
        ),
        (lambda s, a, b: epochs_loop(s, 1 / a, b), "exponent 1 / alpha"),
        (
            lambda s, a, b: {
                k: b * float(w) / s[k]
                for k, w in zip(
                    s,
                    (a * torch.tensor([*s.values()]).double()).softmax(0),
                    strict=True,
                )
            },
            "softmax of the sizes",
        ),
        (
            lambda s, a, b: {k: b / len(s) / n for k, n in s.items()},
            "divide the budget evenly",
        ),
        (
            lambda s, a, b: list(epochs_loop(s, a, b).values()),
            "a list; a dictionary",
        ),
    ],
    "pack_rows": [
        (
            lambda d, T, end: [(x, w, y) for x, y, w in rows_pairs(d, T, end)],
            "in another order",
        ),
        (
            lambda d, T, end: [
                (x, y, [i + 1 for i in w]) for x, y, w in rows_pairs(d, T, end)
            ],
            "numbered from 1",
        ),
        (rows_at_every_token, "begins at every token"),
        (rows_apart, "A token is lost at the border"),
        (lambda d, T, end: rows_from(*streamed(d), T), "No end token"),
        (
            lambda d, T, end: rows_from(*streamed(d, before=[end]), T),
            "before each document",
        ),
        (rows_short, "shorter than the others"),
        (
            lambda d, T, end: rows_from(*streamed(d, after=[end]), T, least=0),
            "no target for the last one",
        ),
        (rows_join, "where the stream fills it exactly"),
        (
            lambda d, T, end: rows_from(*streamed(d, after=[end]), T, least=2),
            "where the stream fills it exactly",
        ),
        (
            lambda d, T, e: [(x, x, w) for x, _, w in rows_pairs(d, T, e)],
            "so a model can copy",
        ),
        (rows_rolled, "its own first token"),
        (rows_restarted, "anew in each row"),
        (rows_next_door, "as the next document's"),
        (rows_unnumbered, "no number for the end tokens"),
        (rows_each, "cut each document by itself"),
        (
            lambda d, T, e: list(zip(*rows_pairs(d, T, e), strict=True)),
            "rows that are not three lists",
        ),
        (lambda d, T, e: [x for x, _, _ in rows_pairs(d, T, e)], "three lists"),
    ],
    "loader": [
        (loaders.Unlearned, "Both bugs are still there"),
        (loaders.NoEpoch, "in which epoch it was taken"),
        (loaders.OwnEpoch, "in which epoch it was taken"),
        (loaders.NoPlace, "and not where"),
        (loaders.Deaf, "does not bring the loader back"),
        (loaders.FromTheStart, "does not bring the loader back"),
        (loaders.Anew, "draws a new order for an epoch"),
        (loaders.KeptOrder, "the next one has another order"),
        (loaders.Ahead, "one batch is skipped"),
        (loaders.Behind, "the last batch comes again"),
        (loaders.WithTensor, "something that JSON cannot"),
        (loaders.Stepping, "reads a step later"),
        (loaders.Everybody, "All workers get the same rows"),
        (loaders.Apart, "Each worker shuffles all rows"),
        (loaders.Again, "Every epoch has the same order"),
        (loaders.InOrder, "The rows are not shuffled"),
        (loaders.Seedless, "The seed makes no difference"),
        (loaders.Dice, "drawn with replacement"),
        (loaders.TooMany, "B = 4 are asked for"),
        (loaders.Permuted(8, 4, 0), "Hand over the function itself"),
    ],
}

globals().update(held_to(check, RIGHT, WRONG))


# -- what is right is what the package does


@pytest.mark.parametrize("case", check.tidy.cases)
def test_a_tidy_text_is_a_clean_one(case):
    assert check.tidy.reference(*case) == clean.clean(*case)


@pytest.mark.parametrize("case", check.jaccard.cases)
def test_the_index_is_that_of_the_package(case):
    a, b, n = case
    theirs = dedup.jaccard(dedup.shingles(a, n), dedup.shingles(b, n))
    if "." not in a:  # which the package leaves out
        assert check.jaccard.reference(*case) == pytest.approx(theirs)


def test_the_bands_find_as_many_as_predicted():
    """1 - (1 - s^r)^b for s = 1/2, and no pair reaches 0.75."""
    for want, bands in zip(check.pairs_found.reference(), (4, 1, 2),
                           strict=False):  # fmt: skip
        assert want == 1600 * (1 - (1 - 0.5 ** (4 // bands)) ** bands)


@pytest.mark.parametrize("case", check.keep.cases)
def test_what_stays_is_unlike_and_what_goes_is_like_it(case):
    n, similar = case
    kept = check.keep.reference(*case)
    near = {frozenset(pair) for pair in similar}
    assert not any(set(pair) <= set(kept) for pair in near)
    for k in set(range(n)) - set(kept):
        assert any(frozenset((k, i)) in near for i in kept if i < k)


@pytest.mark.parametrize("case", check.epochs.cases)
def test_the_shares_are_those_of_the_package(case):
    sizes, alpha, budget = case
    weights = mixture.mixture_weights(sizes, alpha)
    for name, times in check.epochs.reference(*case).items():
        assert times * sizes[name] == pytest.approx(weights[name] * budget)


@pytest.mark.parametrize("case", check.pack_rows.cases[:-1])
def test_the_rows_are_those_of_the_package(case):
    docs, T, end = case
    rows = packing.pack(docs, T, end).tolist()
    ours = check.pack_rows.reference(*case)
    assert [[*x, y[-1]] for x, y, _ in ours] == rows
    assert [y for _, y, _ in ours] == [row[1:] for row in rows]


def test_the_loader_of_the_package_passes():
    class Package:
        """Row i of the data holds the number i."""

        def __init__(self, n, B, seed, rank=0, world=1):
            self.batches = batches.MemmapBatches(
                torch.arange(n)[:, None].expand(n, 2), B, 1,
                torch.Generator().manual_seed(seed),
                rank=rank, world_size=world,
            )  # fmt: skip
            self.state_dict = self.batches.state_dict
            self.load_state_dict = self.batches.load_state_dict

        def __next__(self):
            return next(self.batches)[0][:, 0]

    assert check.loader(Package).ok, check.loader(Package)
