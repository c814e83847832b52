"""The law: recovered where it is known, refused where it cannot be fitted."""

from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_utils.train.scaling import (
    CHINCHILLA,
    CHINCHILLA_AGAIN,
    Run,
    ScalingLaw,
    bootstrap,
    fit_scaling_law,
    interval,
)

GRID = [(N, D) for N in (1e8, 3e8, 1e9, 3e9) for D in (1e9, 1e10, 5e10, 2e11)]


def runs_of(law: ScalingLaw, noise: float = 0.0, seed: int = 0) -> list[Run]:
    rng = random.Random(seed)
    return [
        Run(N, D, law.loss(N, D) * math.exp(rng.gauss(0, noise)))
        for N, D in GRID
    ]


def numbers(law: ScalingLaw) -> list[float]:
    return [law.E, law.A, law.a, law.B, law.b]


@pytest.mark.parametrize("law", [CHINCHILLA, CHINCHILLA_AGAIN])
def test_a_law_without_noise_is_found(law: ScalingLaw) -> None:
    runs = runs_of(law)
    assert numbers(fit_scaling_law(runs)) == pytest.approx(
        numbers(law), rel=1e-5
    )
    known = fit_scaling_law(runs, entropy=law.E)
    assert numbers(known) == pytest.approx(numbers(law), rel=1e-6)
    wrong = fit_scaling_law(runs, entropy=law.E - 0.2)
    assert abs(wrong.a - law.a) > 0.02, "vacuous test"


def test_one_ruined_run_moves_little() -> None:
    """What the Huber loss is for; a least squares is moved far."""
    runs = runs_of(CHINCHILLA, noise=0.001)
    clean = fit_scaling_law(runs)
    runs[5] = runs[5]._replace(loss=1.5 * runs[5].loss)
    robust = fit_scaling_law(runs)
    square = fit_scaling_law(runs, delta=100.0)
    moved = [abs(x.loss(1e10, 1e12) - clean.loss(1e10, 1e12))
             for x in (robust, square)]  # fmt: skip
    assert moved[0] < 0.01 < moved[1]


def test_intervals_hold_the_truth_and_grow_with_noise() -> None:
    truth, widths = CHINCHILLA_AGAIN, []
    at = (7e10, 1.4e12)
    for noise in (0.001, 0.01):
        runs = runs_of(truth, noise, seed=1)
        rng = torch.Generator().manual_seed(0)
        laws = bootstrap(runs, 100, rng)
        low, high = interval([law.loss(*at) for law in laws])
        assert low < truth.loss(*at) < high
        widths.append(high - low)
    assert widths[1] > 3 * widths[0]


def test_knowing_the_entropy_narrows_the_rest() -> None:
    runs = runs_of(CHINCHILLA_AGAIN, 0.003)
    spans = []
    for entropy in (None, CHINCHILLA_AGAIN.E):
        rng = torch.Generator().manual_seed(0)
        laws = bootstrap(runs, 100, rng, entropy)
        low, high = interval([law.loss(1e13, 1e15) for law in laws])
        spans.append(high - low)
    assert spans[1] < 0.5 * spans[0], "far beyond the runs"


@given(flops=st.floats(1e18, 1e26))
def test_the_split_is_the_lowest_point(flops: float) -> None:
    law = CHINCHILLA_AGAIN
    N, D = law.split(flops)
    assert pytest.approx(flops) == 6 * N * D
    best = law.loss(N, D)
    for factor in (0.8, 1.25):
        assert law.loss(N * factor, D / factor) > best


def test_chinchillas_budget() -> None:
    """70 billion parameters, 1.4 trillion tokens: the fit that was redone."""
    N, D = CHINCHILLA_AGAIN.split(5.76e23)
    assert pytest.approx(70e9, rel=0.05) == N
    assert pytest.approx(20, rel=0.1) == D / N
    N, D = CHINCHILLA.split(5.76e23)
    assert D / N > 80, "as printed it says something else"


def test_what_cannot_be_fitted_is_refused() -> None:
    runs = runs_of(CHINCHILLA)
    with pytest.raises(ValueError, match="5 runs for 5 numbers: give 6"):
        fit_scaling_law(runs[:5])
    with pytest.raises(ValueError, match="4 runs for 4 numbers: give 5"):
        fit_scaling_law(runs[:4] * 3, entropy=1.0)
    with pytest.raises(ValueError, match="same text"):
        fit_scaling_law(runs, entropy=3.0)
    with pytest.raises(ValueError, match="positive"):
        CHINCHILLA.split(0.0)
