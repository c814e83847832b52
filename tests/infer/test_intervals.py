"""Intervals and paired tests against scipy, answers against brute force."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
import torch
from bugs import with_bug
from scipy import stats

from llm_utils.infer import answers, intervals, paired
from llm_utils.infer.answers import exact_match, pass_at_k, plain
from llm_utils.infer.intervals import (
    bootstrap_ci,
    items_needed,
    power,
    spread_of,
    standard_error,
    wilson,
)
from llm_utils.infer.paired import mcnemar, paired_bootstrap, permutation_test


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coins(n: int, p: float, seed: int) -> list[float]:
    return (torch.rand(n, generator=seeded(seed)) < p).double().tolist()


# -- written answers ----------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_pass_at_k_is_the_mean_over_all_choices(n, tmp_path):
    bad = with_bug(tmp_path, answers, "range(n - c + 1,", "range(n - c,")
    worst = 0.0
    for c, k in product(range(n + 1), range(1, n + 1)):
        right = [True] * c + [False] * (n - c)
        hits = [any(x) for x in combinations(right, k)]
        wanted = sum(hits) / len(hits)
        assert pass_at_k(n, c, k) == pytest.approx(wanted, abs=1e-12)
        if 0 < c <= n - k:
            worst = max(worst, abs(bad.pass_at_k(n, c, k) - wanted))
    assert worst > 0.01 or n == 1


def test_pass_at_k_is_unbiased_and_the_plain_one_is_not():
    p, n, k = 0.2, 6, 4
    chance = [comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    truth = 1 - (1 - p) ** k
    ours = sum(q * pass_at_k(n, c, k) for c, q in enumerate(chance))
    plugged = sum(q * (1 - (1 - c / n) ** k) for c, q in enumerate(chance))
    assert ours == pytest.approx(truth, abs=1e-12)
    assert plugged < truth - 0.03
    assert pass_at_k(10**6, 3, 10**5) == pytest.approx(1 - 0.9**3, abs=1e-5)


def test_pass_at_k_refuses_what_cannot_be():
    for n, c, k in ((3, 4, 1), (3, 1, 4), (3, 1, 0), (3, -1, 1)):
        with pytest.raises(ValueError, match="k samples or more"):
            pass_at_k(n, c, k)


def test_exact_match_is_lm_evals_where_both_ignore_the_same(agrees):
    from lm_eval.api.metrics import exact_match_hf_evaluate

    said = ["In the shed.", "in THE shed", "shed", "In a shed", "by the pond"]
    for text in said:
        theirs = exact_match_hf_evaluate(
            [text], ["in the shed"], ignore_case=True, ignore_punctuation=True,
            regexes_to_ignore=[r"(?i)\b(a|an|the) "],
        )  # fmt: skip
        agrees(
            "lm-eval", "exact match", exact_match(text, "in the shed"),
            float(theirs["exact_match"]), atol=0, rtol=0,
        )  # fmt: skip
    assert exact_match("Tom", ["Ben.", "tom."]) == 1.0
    assert plain(" The  CAT, a dog! ") == "cat dog"
    assert plain("another") == "another", "an article is a word of its own"
    with pytest.raises(ValueError, match="no right answer"):
        exact_match("Tom", [])


# -- intervals ----------------------------------------------------------------


@pytest.mark.parametrize("right, n", [(0, 5), (3, 10), (10, 10), (87, 400)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_is_scipys(agrees, right, n, level, tmp_path):
    wanted = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    agrees(
        "scipy", "the Wilson interval", wilson(right, n, level), tuple(wanted),
        atol=1e-12, rtol=1e-6,
    )  # fmt: skip
    bad = with_bug(
        tmp_path, intervals, "/ (1 + z * z / n)\n    half", "\n    half"
    )
    assert bad.wilson(right, n, level) != pytest.approx(tuple(wanted))


def test_standard_error_is_scipys_and_grows_with_groups(agrees):
    x = torch.randn(60, generator=seeded(), dtype=torch.float64)
    each = list(range(60))
    for groups in (None, each):
        agrees(
            "scipy", "the standard error of a mean",
            standard_error(x.tolist(), groups), float(stats.sem(x.numpy())),
            atol=1e-12, rtol=1e-6,
        )  # fmt: skip
    twice = [v for v in x.tolist() for _ in "ab"]
    groups = [g for g in each for _ in "ab"]
    assert standard_error(twice, groups) == pytest.approx(stats.sem(x.numpy()))
    assert standard_error(twice) < 0.75 * stats.sem(x.numpy()), "the bug"


def test_groups_may_come_in_any_order_and_size():
    x, groups = [1.0, 0.0, 1.0, 1.0, 0.0], ["a", "b", "a", "c", "c"]
    d = [v - 0.6 for v in x]
    sums = [d[0] + d[2], d[1], d[3] + d[4]]
    wanted = (sum(s * s for s in sums) * 3 / 2) ** 0.5 / 5
    assert standard_error(x, groups) == pytest.approx(wanted)


def test_bootstrap_is_scipys(agrees, tmp_path):
    x = coins(80, 0.7, 1)
    theirs = stats.bootstrap(
        (np.array(x),), np.mean, method="percentile", n_resamples=20_000,
        random_state=0,
    ).confidence_interval  # fmt: skip
    ours = bootstrap_ci(x, seeded(), times=20_000)
    what = "a bootstrap interval of 20,000 drawn samples"
    agrees("scipy", what, ours, tuple(theirs), atol=0.013, rtol=0)
    other = bootstrap_ci(x, seeded(), statistic=lambda s: s.mean(), times=4000)
    assert other == pytest.approx(ours, abs=0.013)
    bad = with_bug(tmp_path, intervals, "(1 - level) / 2", "(1 - level) * 2")
    assert bad.bootstrap_ci(x, seeded(), times=20_000) != pytest.approx(
        tuple(theirs), abs=0.013
    )


def test_intervals_cover_as_often_as_they_say():
    """Of 300 tests of 20 stories with 5 items each; true share 0.7."""
    inside = {"items": 0, "stories": 0, "errors": 0}
    groups = [g for g in range(20) for _ in range(5)]
    for seed in range(300):
        rng = seeded(seed)
        story = 0.4 + 0.6 * torch.rand(20, generator=rng).repeat_interleave(5)
        x = (torch.rand(100, generator=rng) < story).double().tolist()
        low, high = bootstrap_ci(x, rng, times=300)
        inside["items"] += low <= 0.7 <= high
        low, high = bootstrap_ci(x, rng, groups, times=300)
        inside["stories"] += low <= 0.7 <= high
        mean, se = sum(x) / 100, standard_error(x, groups)
        inside["errors"] += abs(mean - 0.7) <= 1.96 * se
    assert inside["stories"] >= 0.9 * 300 and inside["errors"] >= 0.9 * 300
    assert inside["items"] < inside["stories"], "grouping changed nothing"


def test_items_needed_gives_the_power_it_promises():
    n = items_needed(0.1, 0.5, power=0.8)
    found = 0
    for seed in range(400):
        d = 0.1 + 0.5 * torch.randn(n, generator=seeded(seed))
        found += d.mean() / (0.5 / n**0.5) > 1.96
    assert 0.74 < found / 400 < 0.86
    with pytest.raises(ValueError, match="positive"):
        items_needed(0, 0.5)


def test_scores_without_sense_are_refused():
    for call in (
        lambda: standard_error([1.0]),
        lambda: standard_error([1.0, 0.0], ["a"]),
        lambda: standard_error([1.0, 0.0], ["a", "a"]),
        lambda: wilson(4, 3),
        lambda: wilson(1, 3, level=95),
        lambda: bootstrap_ci([1, 0], seeded(), times=0),
        lambda: bootstrap_ci([1, 0], seeded(), [1, 2], statistic=len),
        lambda: mcnemar([1, 0], [1, 0, 1]),
        lambda: mcnemar([1, 0.5], [1, 0]),
    ):
        with pytest.raises(ValueError):
            call()


# -- pairs --------------------------------------------------------------------


@pytest.fixture
def two() -> tuple[list[float], list[float]]:
    """Two models of a kind: often right together; the first is better."""
    rng = seeded(7)
    hard = torch.rand(150, generator=rng)
    a = (hard < 0.8) ^ (torch.rand(150, generator=rng) < 0.05)
    b = (hard < 0.7) ^ (torch.rand(150, generator=rng) < 0.05)
    return a.double().tolist(), b.double().tolist()


def test_mcnemar_is_the_binomial_test(agrees, two, tmp_path):
    a, b = two
    only_a, only_b, p = mcnemar(a, b)
    assert only_a == sum(x > y for x, y in zip(a, b, strict=True))
    theirs = float(stats.binomtest(only_a, only_a + only_b).pvalue)
    agrees("scipy", "p of McNemar's test", p, theirs, atol=1e-12, rtol=1e-6)
    assert mcnemar(a, a).p == 1.0
    assert mcnemar(b, a)[:2] == (only_b, only_a)
    bad = with_bug(tmp_path, paired, "range(low + 1)", "range(low)")
    assert bad.mcnemar(a, b).p != pytest.approx(p)


def test_permutation_test_is_scipys(agrees, two):
    a, b = (np.array(x) for x in two)
    theirs = stats.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples",
        n_resamples=20_000, random_state=0,
    ).pvalue  # fmt: skip
    ours = permutation_test(*two, seeded(), times=20_000)
    what = "p of a permutation test with 20,000 drawn permutations"
    agrees("scipy", what, ours, float(theirs), atol=0.01, rtol=0)
    small = [1.0, 0.5, 2.0, 0.25, 1.5], [0.0] * 5
    exact = 2 / 2**5  # only all plus and all minus are as far out
    assert permutation_test(*small, seeded()) == pytest.approx(exact, abs=0.01)
    assert permutation_test(*small, seeded(), ["x", "x", "y", "y", "y"]) > 0.4


def test_paired_bootstrap_is_scipys(agrees, two, tmp_path):
    a, b = (np.array(x) for x in two)
    theirs = stats.bootstrap(
        (a, b), lambda x, y: np.mean(x) - np.mean(y), paired=True,
        vectorized=False, method="percentile", n_resamples=4000,
        random_state=0,
    ).confidence_interval  # fmt: skip
    ours = paired_bootstrap(*two, seeded(), times=20_000)
    assert ours.gain == pytest.approx(a.mean() - b.mean())
    what = "a bootstrap interval of the difference of two models"
    agrees("scipy", what, ours.interval, tuple(theirs), atol=0.008, rtol=0)
    apart = stats.bootstrap(
        (a, b), lambda x, y: np.mean(x) - np.mean(y), vectorized=False,
        method="percentile", n_resamples=4000, random_state=0,
    ).confidence_interval  # fmt: skip
    assert apart[1] - apart[0] > 1.2 * (theirs[1] - theirs[0]), "vacuous"
    bad = with_bug(
        tmp_path, paired, "return x - y", "return x - y[torch.randperm(len(y))]"
    )
    wide = bad.paired_bootstrap(*two, seeded(), times=4000).interval
    assert wide[1] - wide[0] > 1.2 * (theirs[1] - theirs[0])


def test_three_tests_agree_on_equal_models_too():
    """Under no difference each says p < 0.05 about one time in twenty."""
    hits = dict.fromkeys(("bootstrap", "permutation", "mcnemar"), 0)
    for seed in range(200):
        a, b = coins(80, 0.6, seed), coins(80, 0.6, 10_000 + seed)
        rng = seeded(seed)
        hits["bootstrap"] += paired_bootstrap(a, b, rng, times=400).p < 0.05
        hits["permutation"] += permutation_test(a, b, rng, times=400) < 0.05
        hits["mcnemar"] += mcnemar(a, b).p < 0.05
    assert all(n <= 20 for n in hits.values()), hits
    assert hits["bootstrap"] > 0


def test_power_is_what_simulated_tests_find(tmp_path):
    n, a, b, shared = 200, 0.9, 0.8, 0.5
    spread, found = spread_of(a, b, shared), 0
    gaps = []
    for seed in range(400):
        rng = seeded(seed)
        same = torch.rand(n, generator=rng) < shared
        u, v = torch.rand(2, n, generator=rng)
        right_a, right_b = u < a, torch.where(same, u, v) < b
        d = right_a.double() - right_b.double()
        gaps.append(d.std().item())
        found += abs(d.mean()) > 1.96 * spread / n**0.5
    assert sum(gaps) / 400 == pytest.approx(spread, rel=0.02)
    assert found / 400 == pytest.approx(power(a - b, spread, n), abs=0.05)
    assert power(0.1, 0.5, items_needed(0.1, 0.5)) == pytest.approx(
        0.8, abs=0.01
    )
    assert power(0.0, 0.5, n) == pytest.approx(0.05)
    assert spread_of(0.9, 0.8, 1) < spread < spread_of(0.9, 0.8, 0)
    bad = with_bug(tmp_path, intervals, "- 2 * both", "- both")
    assert bad.spread_of(a, b, shared) != pytest.approx(spread, rel=0.02)
    for bad_call in (lambda: power(0.1, 0.5, 0), lambda: spread_of(2, 0, 0)):
        with pytest.raises(ValueError):
            bad_call()
