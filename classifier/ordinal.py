"""Ordinal regression: the proportional-odds (cumulative logit) model as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

Floats = NDArray[np.float64]


class OrdinalRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Cumulative logit model with an L2 penalty: P(y > k | x) = expit(x @ coef_ - thresholds_[k]).

    The thresholds increase by construction (first value plus exponentials), so that no probability is negative,
    which differences of independently fitted binary models do not give.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty on the coefficients, as in scikit-learn's LogisticRegression.
    levels : sequence or None
        All values of the scale, lowest first. Probabilities have this length and order also when a value is absent
        in training. None takes the values seen in `y`.
    max_iter : int
        Most iterations of L-BFGS.

    Attributes
    ----------
    classes_ : (n_levels,) the scale's values
    coef_ : (n_features,) one slope for all thresholds
    thresholds_ : (n_levels - 1,) increasing

    Notes
    -----
    McCullagh (1980), Regression models for ordinal data, J. R. Stat. Soc. B 42(2). A value that training never saw
    gets the probability that lies between its neighbours' thresholds, which are kept apart by a weak prior.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(12.0).reshape(-1, 1)
    >>> y = np.repeat([0, 1, 2], 4)
    >>> OrdinalRegression(levels=(0, 1, 2, 3)).fit(X, y).predict([[0.0], [5.0], [11.0]])
    array([0, 1, 2])
    """

    def __init__(self, C: float = 1.0, levels: Any = None, max_iter: int = 500) -> None:
        self.C = C
        self.levels = levels
        self.max_iter = max_iter

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> OrdinalRegression:
        """Fit to X (n_samples, n_features) and y (n_samples,)."""
        checked = validate_data(self, X, y, dtype=np.float64)
        rows: Floats = checked[0]
        check_classification_targets(checked[1])
        weight: Floats = _check_sample_weight(sample_weight, rows)
        seen = np.unique(checked[1])
        self.classes_ = seen if self.levels is None else np.asarray(self.levels)
        if not np.isin(seen, self.classes_).all():
            raise ValueError("y holds values that are not in levels")
        if len(self.classes_) < 2:
            raise ValueError("OrdinalRegression needs at least 2 classes; the data has one class")
        codes = np.searchsorted(self.classes_, checked[1])
        n_cuts, n_features = len(self.classes_) - 1, rows.shape[1]

        def loss(parameters: Floats) -> tuple[float, Floats]:
            coef, first, gaps = parameters[:n_features], parameters[n_features], parameters[n_features + 1 :]
            steps = np.exp(np.clip(gaps, -15, 15))
            cuts = first + np.concatenate([[0.0], np.cumsum(steps)])
            upper = np.append(cuts, np.inf)[codes]
            lower = np.insert(cuts, 0, -np.inf)[codes]
            score = rows @ coef
            above, below = expit(upper - score), expit(lower - score)
            probability = np.maximum(above - below, 1e-12)
            value = -(weight * np.log(probability)).sum() + coef @ coef / (2 * self.C) + 0.05 * (gaps @ gaps)
            d_above, d_below = above * (1 - above), below * (1 - below)
            d_score = weight * (d_above - d_below) / probability
            d_cuts = np.zeros(n_cuts + 2)
            np.add.at(d_cuts, codes + 1, -weight * d_above / probability)
            np.add.at(d_cuts, codes, weight * d_below / probability)
            d_cuts = d_cuts[1:-1]
            tails = np.cumsum(d_cuts[::-1])[::-1]
            gradient = np.concatenate([rows.T @ d_score + coef / self.C, [tails[0]], tails[1:] * steps + 0.1 * gaps])
            return float(value), gradient

        start = np.zeros(n_features + n_cuts)
        shares = np.array([(weight * (codes > k)).sum() for k in range(n_cuts)]) / max(weight.sum(), 1e-12)
        shares = np.clip(shares, 0.01, 0.99)
        start[n_features] = np.log((1 - shares[0]) / shares[0])
        result = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": self.max_iter, "ftol": 1e-12, "gtol": 1e-7})
        gaps = np.exp(np.clip(result.x[n_features + 1 :], -15, 15))
        self.coef_ = result.x[:n_features]
        self.thresholds_ = result.x[n_features] + np.concatenate([[0.0], np.cumsum(gaps)])
        self.n_iter_ = result.nit
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Probabilities of shape (n_samples, n_levels), in the order of `classes_`."""
        check_is_fitted(self)
        rows: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        score = rows @ self.coef_
        above = expit(score[:, None] - self.thresholds_[None, :])
        cumulative = np.concatenate([np.ones((len(score), 1)), above, np.zeros((len(score), 1))], axis=1)
        probabilities: Floats = np.clip(cumulative[:, :-1] - cumulative[:, 1:], 0.0, 1.0)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return probabilities

    def __sklearn_tags__(self) -> Any:
        """Classes in no order of the features are outside the model, as scikit-learn's own check of accuracy has them."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The likeliest value, shape (n_samples,)."""
        check_is_fitted(self)
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])
