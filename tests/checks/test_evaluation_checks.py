"""Chapter 12's checks: right answers in two forms, and planted wrong ones.

The answers are written as readers write them, not with the checks' own code.
"""

from __future__ import annotations

import math
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from held import held_to

from llm_utils.checks import evaluation as check
from llm_utils.infer.likelihood import strided_windows
from llm_utils.infer.paired import mcnemar

# -- 1: likeliest


def likeliest_loop(nats, texts):
    best = 0
    for i, text in enumerate(texts):
        size = len(bytes(text, "utf-8"))
        if nats[i] / size > nats[best] / len(texts[best].encode()):
            best = i
    return best


def likeliest_array(nats, texts):
    sizes = np.array([len(t.encode("utf-8")) for t in texts])
    return np.argmax(np.array(nats) / sizes)


def by_text(nats, texts):
    return int(torch.tensor(nats).argmax())


def by_character(nats, texts):
    scores = [n / len(t) for n, t in zip(nats, texts, strict=True)]
    return max(range(len(scores)), key=scores.__getitem__)


def by_least(nats, texts):
    scores = [n / len(t.encode()) for n, t in zip(nats, texts, strict=True)]
    return min(range(len(scores)), key=scores.__getitem__)


# -- 3: spans


def spans_while(n, T, stride):
    rows, at, scored = [], 0, 0
    while scored < n - 1:
        last = at + T if at + T < n else n - 1
        rows.append([at, last, scored + 1])
        scored, at = last, at + stride
    return rows


def spans_yield(n, T, stride):
    k = 0
    while True:
        end = min(k * stride + T, n - 1)
        first = 1 if k == 0 else min((k - 1) * stride + T, n - 1) + 1
        yield k * stride, end, first
        if end == n - 1:
            return
        k += 1


def spans_twice(n, T, stride):
    rows = []
    for begin in range(0, n, stride):
        end = min(begin + T, n - 1)
        rows.append((begin, end, begin + 1))
        if end == n - 1:
            return rows
    return rows


def spans_apart(n, T, stride):
    return [(b, min(b + T, n - 1), b + 1) for b in range(0, n - 1, T)]


def spans_tail(n, T, stride):
    rows = []
    for begin in range(0, n - 1, stride):
        end = min(begin + T, n - 1)
        rows.append((begin, end, end - stride + 1 if begin else 1))
        if end == n - 1:
            return rows
    return rows


# -- 4: pass_all


def all_listed(n, c, k):
    if n > 12:
        return math.prod((c - i) / (n - i) for i in range(k))
    groups = list(combinations([1] * c + [0] * (n - c), k))
    return sum(map(all, groups)) / len(groups)


def all_product(n, c, k):
    p = torch.tensor(1.0, dtype=torch.float64)
    for i in range(k):
        p = p * max(c - i, 0) / (n - i)
    return p


# -- 5: sign_test


def sign_by_coins(a, b):
    wins = [int(x - y) for x, y in zip(a, b, strict=True) if x != y]
    n, k = len(wins), max(wins.count(1), wins.count(-1))
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(k, n + 1)) / 2**n
    return min(2 * tail, 1.0)


def sign_by_scipy(a, b):
    from scipy.stats import binomtest

    d = np.array(a) - np.array(b)
    up, all_of_them = int((d > 0).sum()), int((d != 0).sum())
    return binomtest(up, all_of_them).pvalue if all_of_them else np.float64(1)


def as_it_was(a, b):
    more = sum(x > y for x, y in zip(a, b, strict=True))
    n = len(a)
    return sum(math.comb(n, i) for i in range(more + 1)) / 2**n


def one_sided(a, b):
    wins = [int(x - y) for x, y in zip(a, b, strict=True) if x != y]
    n, k = len(wins), min(wins.count(1), wins.count(-1))
    return sum(math.comb(n, i) for i in range(k + 1)) / 2**n


def with_ties(a, b):
    more = sum(x > y for x, y in zip(a, b, strict=True))
    less = sum(x < y for x, y in zip(a, b, strict=True))
    n = len(a)
    tail = sum(math.comb(n, i) for i in range(min(more, less) + 1))
    return min(1.0, 2 * tail / 2**n)


# -- 6: consistent


def consistent_loop(judge, pairs):
    count = 0
    for a, b in pairs:
        here, there = judge(a, b) > 0.5, judge(b, a) > 0.5
        if (here and not there) or (there and not here):
            count += 1
    return count / len(pairs)


def consistent_names(judge, pairs):
    def winner(x, y):
        return x if judge(x, y) > 0.5 else y

    return np.mean([winner(a, b) == winner(b, a) for a, b in pairs])


def same_answer(judge, pairs):
    same = [(judge(a, b) > 0.5) == (judge(b, a) > 0.5) for a, b in pairs]
    return sum(same) / len(pairs)


# -- 7: agreement


def kappa_sets(a, b):
    n = len(a)
    po = sum(1 for i in range(n) if a[i] == b[i]) / n
    pe = 0
    for label in {*a, *b}:
        pe += (list(a).count(label) / n) * (list(b).count(label) / n)
    return (po - pe) / (1 - pe)


def kappa_table(a, b):
    labels = sorted({*a, *b})
    table = np.zeros((len(labels), len(labels)))
    for x, y in zip(a, b, strict=True):
        table[labels.index(x), labels.index(y)] += 1 / len(a)
    low = table.sum(0) @ table.sum(1)
    return (np.trace(table) - low) / (1 - low)


def kappa_flat(a, b):
    labels = {*a, *b}
    po = np.mean([x == y for x, y in zip(a, b, strict=True)])
    return (po - 1 / len(labels)) / (1 - 1 / len(labels))


def kappa_undivided(a, b):
    n = len(a)
    po = sum(x == y for x, y in zip(a, b, strict=True)) / n
    return po - sum(
        list(a).count(v) * list(b).count(v) / n**2 for v in {*a, *b}
    )


# -- 8: order_p


def order_sorted(nats, others):
    rank = sorted([nats, *others], reverse=True)
    return (len(rank) - rank[::-1].index(nats)) / len(rank)


def order_tensor(nats, others):
    whole = torch.tensor([nats, *others], dtype=torch.float64)
    return (whole >= whole[0]).double().mean()


RIGHT = {
    "likeliest": [likeliest_loop, likeliest_array],
    "errors": [
        [5, 3, 1.5, 3, 2.5],
        lambda: torch.tensor([5.0, 3.0, 1.5, 3.0, 2.5]),
    ],
    "spans": [spans_while, spans_yield],
    "pass_all": [all_listed, all_product],
    "sign_test": [sign_by_coins, sign_by_scipy],
    "consistent": [consistent_loop, consistent_names],
    "explanation": ["C", " c) ", lambda: "c"],
    "agreement": [kappa_sets, kappa_table],
    "order_p": [order_sorted, order_tensor],
}
WRONG = {
    "likeliest": [
        (by_text, "likeliest whole text"),
        (by_character, "divide by characters"),
        (by_least, "least likely"),
    ],
    "errors": [
        ([0.05, 0.03, 0.015, 0.03, 0.025], "Points are hundredths"),
        ([5.5, 3, 1.5, 3, 2.5], "A is not right"),
        ([5, 5, 1.5, 3, 2.5], "B is not right"),
        ([5, 3, 0.75, 3, 2.5], "C is not right"),
        ([5, 3, 1.5, 2.1, 2.5], "D is not right"),
        ([5, 3, 1.5, 3, 3.54], "E is not right"),
        ([9.8, 5.88, 2.94, 5.88, 4.9], "intervals of 95 %"),
        ([5, 3], "exactly five numbers"),
    ],
    "spans": [
        (spans_twice, "scored twice"),
        (spans_apart, "do not overlap"),
        (spans_tail, "shorter than the others"),
        (lambda n, T, stride: [(0, n)], "three numbers"),
    ],
    "pass_all": [
        (lambda n, c, k: 1 - (math.comb(n - c, k) / math.comb(n, k)), "pass@k"),
        (lambda n, c, k: (c / n) ** k, "with replacement"),
        (lambda n, c, k: c / n, "whatever k is"),
        (lambda n, c, k: math.comb(c, k), "how many groups"),
    ],
    "sign_test": [
        (as_it_was, "still as they were"),
        (one_sided, "One side only"),
        (with_ties, "both agree"),
    ],
    "consistent": [
        (same_answer, "*place* of the winner"),
        (
            lambda judge, pairs: len(pairs) * consistent_loop(judge, pairs),
            "how many pairs",
        ),
        (
            lambda judge, pairs: np.mean([judge(*p) > 0.5 for p in pairs]),
            "how often the first",
        ),
    ],
    "explanation": [
        ("A", "A cannot be it"),
        ("b", "B does not follow"),
        ("D", "D goes too far"),
        ("E", "The answer is one letter"),
    ],
    "agreement": [
        (
            lambda a, b: np.mean([x == y for x, y in zip(a, b, strict=True)]),
            "plain share",
        ),
        (kappa_flat, "one over the number"),
        (kappa_undivided, "do not divide"),
    ],
    "order_p": [
        (
            lambda nats, others: np.mean([x >= nats for x in others]),
            "can be 0",
        ),
        (
            lambda nats, others: (
                (1 + sum(x <= nats for x in others)) / (1 + len(others))
            ),
            "*less* likely",
        ),
        (
            lambda nats, others: (
                (1 + sum(x > nats for x in others)) / (1 + len(others))
            ),
            "exactly as likely",
        ),
    ],
}

globals().update(held_to(check, RIGHT, WRONG))


def test_the_spans_are_those_of_the_package():
    for case in check.spans.cases:
        if case[2] <= case[1]:
            assert check.spans.reference(*case) == strided_windows(*case)


def test_the_sign_test_is_the_packages():
    for a, b in check.sign_test.cases:
        assert check.sign_test.reference(a, b) == pytest.approx(mcnemar(a, b).p)


def test_the_five_errors_are_what_formulas_say():
    five = [
        math.sqrt(0.25 / 100), math.sqrt(0.09 / 100), math.sqrt(0.09 / 400),
        math.sqrt(0.09 / 100), math.sqrt(100 / 400 / 400),
    ]  # fmt: skip
    assert [100 * x for x in five] == pytest.approx(check.errors.reference())


def test_no_exercise_is_fooled_by_something_else():
    assert not check.spans(SimpleNamespace).ok
    assert not check.consistent(lambda judge, pairs: "all").ok
