"""OrdinalRegression is a scikit-learn estimator and recovers an ordinal model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from classifier.ordinal import OrdinalRegression


@parametrize_with_checks([OrdinalRegression()])
def test_scikit_learn_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


def test_recovers_slope_and_thresholds() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(4000, 2))
    latent = X @ [2.0, -1.0] + random.logistic(size=4000)
    y = np.searchsorted([-1.0, 0.5, 2.0], latent)
    model = OrdinalRegression(C=1e6).fit(X, y)
    assert model.coef_ == pytest.approx([2.0, -1.0], abs=0.15)
    assert model.thresholds_ == pytest.approx([-1.0, 0.5, 2.0], abs=0.15)


def test_an_absent_level_keeps_its_place() -> None:
    X = np.linspace(-2, 2, 60).reshape(-1, 1)
    y = np.repeat([0, 1, 4], 20)
    model = OrdinalRegression(levels=range(5)).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (60, 5)
    assert probabilities.min() >= 0
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (np.diff(model.thresholds_) > 0).all()
    with pytest.raises(ValueError, match="not in levels"):
        OrdinalRegression(levels=(0, 1)).fit(X, y)


def test_weights_count_like_repetition() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(90, 1))
    y = np.searchsorted([-0.5, 0.5], X[:, 0] + random.normal(size=90))
    twice = OrdinalRegression(C=1e6).fit(np.vstack([X, X[:30]]), np.concatenate([y, y[:30]]))
    weighted = OrdinalRegression(C=1e6).fit(X, y, sample_weight=np.where(np.arange(90) < 30, 2.0, 1.0))
    assert twice.coef_ == pytest.approx(weighted.coef_, rel=0.01)
