"""Each measure equals a hand-worked value."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.metrics import (
    agreement,
    calibration_error,
    confusion,
    grouped_spearman,
    interval,
    moments_apart,
    partial_correlation,
    precision_recall_f1,
    prmse,
    qwk,
    recalls,
    risk_coverage,
)


def test_qwk_by_hand() -> None:
    # Observed weights: one pair two apart of 4 (4/16 each): .0625. Expected from the margins (2,0,2) and (2,1,1):
    # sum of p_i q_j (i-j)^2 / 4 = (.25*.25*... ) worked out below.
    true, given = np.array([0, 0, 2, 2]), np.array([0, 0, 1, 2])
    observed = (1 / 4) * (1 / 4)
    p, q = [0.5, 0, 0.5], [0.5, 0.25, 0.25]
    expected = sum(p[i] * q[j] * (i - j) ** 2 / 4 for i in range(3) for j in range(3))
    assert qwk(true, given, 3) == pytest.approx(1 - observed / expected)


def test_qwk_counts_absent_levels_and_constants() -> None:
    true, given = np.array([0, 4, 4, 0]), np.array([0, 4, 0, 4])
    assert qwk(true, given, 5) == pytest.approx(0.0)
    assert qwk(np.array([2, 2]), np.array([2, 2]), 5) == 0.0


def test_agreement() -> None:
    found = agreement(np.array([0, 1, 2, 4]), np.array([0, 2, 2, 2]), 5)
    assert (found["exact"], found["adjacent"], found["mae"]) == (0.5, 0.75, 0.75)


def test_confusion_and_recall() -> None:
    true, given = np.array([0, 0, 2]), np.array([0, 1, 2])
    assert confusion(true, given, 3).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert recalls(true, given, 3)[0] == 0.5
    assert np.isnan(recalls(true, given, 3)[1])


def test_calibration_error() -> None:
    confidence, right = np.array([0.6] * 10 + [0.9] * 10), np.array([True] * 6 + [False] * 4 + [True] * 5 + [False] * 5)
    assert calibration_error(confidence, right, bins=2) == pytest.approx((0.0 + 0.4) / 2)


def test_partial_correlation_is_zero_when_length_only_follows_level() -> None:
    random = np.random.default_rng(0)
    level = random.integers(0, 5, 2000).astype(float)
    score, length = level + random.normal(size=2000), level + random.normal(size=2000)
    assert abs(partial_correlation(score, length, level)) < 0.1
    assert partial_correlation(score, score, level) == pytest.approx(1)


def test_grouped_spearman_averages_groups_that_vary() -> None:
    score, value = np.array([1.0, 2, 3, 3, 2, 1, 5]), np.array([1.0, 2, 3, 1, 2, 3, 1])
    assert grouped_spearman(score, value, ["a", "a", "a", "b", "b", "b", "c"]) == pytest.approx(0.0)


def test_interval_holds_the_mean_and_resamples_groups() -> None:
    values = np.repeat([0.0, 1.0], 50)
    low, high = interval(lambda i: float(values[i].mean()), 100)
    assert 0.38 < low < 0.5 < high < 0.62
    wide = interval(lambda i: float(values[i].mean()), 100, groups=["a"] * 50 + ["b"] * 50)
    assert wide == (0.0, 1.0)


def test_precision_recall_f1() -> None:
    assert precision_recall_f1(6, 8, 12) == pytest.approx((0.75, 0.5, 0.6))
    assert precision_recall_f1(0, 0, 0) == (0.0, 0.0, 0.0)


def test_moments_apart_by_hand() -> None:
    # Means 2 and 3, variances 1 and 4: 1 / sqrt(2.5), and 2 / 1.
    difference, ratio = moments_apart(np.array([1, 2, 3]), np.array([1.0, 3.0, 5.0]))
    assert difference == pytest.approx(1 / np.sqrt(2.5))
    assert ratio == pytest.approx(2.0)


def test_prmse_by_hand() -> None:
    # Means 0, 1.5, 3; the readers' error variance is (0 + .5 + 0) / 3 = 1/6. The score misses by 0, .5, 1.
    # Squared error: (2 * 1.25 - 3/6) / 6 = 1/3. True variance: (2 * 4.5 - 2/6) / 4 = 13/6. 1 - (1/3) / (13/6) = 11/13.
    ratings = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 3.0]])
    assert prmse(ratings, np.array([0.0, 1.0, 2.0])) == pytest.approx(11 / 13)


def test_prmse_takes_the_readers_error_out() -> None:
    random = np.random.default_rng(0)
    true = random.normal(2, 1, 20_000)
    ratings = true[:, None] + random.normal(0, 0.7, (20_000, 2))
    score = true + random.normal(0, 0.5, 20_000)
    assert prmse(ratings, score) == pytest.approx(1 - 0.25, abs=0.02)
    assert prmse(ratings, np.full(20_000, 2.0)) == pytest.approx(0, abs=0.02)


def test_risk_coverage_answers_the_surest_first() -> None:
    curve = risk_coverage(np.array([0.5, 0.9, 0.7, 0.8]), np.array([True, False, True, False]))
    assert curve == [(0.25, 0.0), (0.5, 0.0), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
