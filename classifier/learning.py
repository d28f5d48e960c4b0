"""Fitting the heads with scikit-learn, which only training and evaluation need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from classifier.corpus import Example, scale_sizes, weight_of, writer_groups
from classifier.features import Reading
from classifier.framework import Framework, framework_names, load_framework
from classifier.heads import Heads, OrdinalHead, SoftmaxHead, cut_features
from classifier.ordinal import OrdinalRegression
from classifier.tagging import fit_tagger

Floats = NDArray[np.float64]

# Precision per text and key that a finding's threshold should have on unseen writers, where any has.
MIN_PRECISION = {"evidence": 0.4, "flags": 0.62, "means": 0.3}
# Inverse strength of the L2 penalty, as in scikit-learn. With the first one the calibration error is .09 on texts by strangers and .02 on
# made text by writers left out.
C = {"known": 0.02, "others": 0.1}
_CERTAIN = 9.0  # score of a value that all examples have; of one that none has, its negative


def fit_heads(examples: Sequence[Example], readings: Sequence[Reading], keys: Mapping[str, Sequence[str]], mass: float, of_the_level: Sequence[int]) -> Heads:
    """Fit every head to labelled examples and their readings, of the same length.

    keys : for "evidence", "flags" and "means", the keys to tag
    mass : held by every level set until it is calibrated
    of_the_level : positions of the examples from which the scales learn; findings learn from all
    """
    scales: dict[str, SoftmaxHead | OrdinalHead] = {}
    for scale, size in scale_sizes().items():
        rated = [i for i in of_the_level if scale in examples[i].ratings]
        if not rated:
            continue
        y = np.array([examples[i].ratings[scale] for i in rated])
        if scale in readings[0].cuts:
            X = cut_features(np.array([readings[i].cuts[scale] for i in rated]), np.array([readings[i].acts for i in rated]))
            if not any(behaviour.key in keys["evidence"] for behaviour in _framework_of(scale).behaviours):
                X = X[:, : size - 1]  # the acts are those of another framework
            counts = np.array([weight_of(examples[i].source) for i in rated])
            scales[scale] = SoftmaxHead(scale, *fit_softmax(X, y, size, C["known"], counts / counts.mean()))
        else:
            scales[scale] = fit_ordinal(np.array([np.hstack(list(readings[i].cuts.values())) for i in rated]), y, size, C["others"])
    taggers, groups = {}, writer_groups(examples)
    for kind, names in keys.items():
        marks = [getattr(e, kind) for e in examples]
        read = [i for i, marked in enumerate(marks) if marked is not None]
        texts, spans = [examples[i].text for i in read], [getattr(readings[i], kind) for i in read]
        writers = [groups[examples[i].source] for i in read]
        taggers[kind] = fit_tagger(names, MIN_PRECISION[kind], texts, spans, [marks[i] for i in read], writers)
    return Heads(scales, taggers, dict.fromkeys(scales, mass))


def _framework_of(scale: str) -> Framework:
    return next(f for f in map(load_framework, framework_names()) if any(s.key == scale for s in f.scales))


def fit_softmax(X: Floats, y: NDArray[np.int64], size: int, strength: float, counts: Floats | None = None) -> tuple[Floats, Floats]:
    """Weights, (size, n_features), and intercepts, (size,), of a multinomial logistic regression of y in 0 … size - 1 on standardized features.

    counts : (n,) how much each row counts, with a mean of 1; all alike where None
    """
    weights, intercepts = np.zeros((size, X.shape[1])), np.full(size, -_CERTAIN)
    if len(seen := np.unique(y)) == 1:
        intercepts[seen] = _CERTAIN
        return weights, intercepts
    scaler = StandardScaler().fit(X, sample_weight=counts)
    model = LogisticRegression(C=strength, max_iter=1000).fit(scaler.transform(X), y, sample_weight=counts)
    coef, constant = model.coef_, model.intercept_
    if len(seen) == 2:  # of which scikit-learn models the higher one alone
        coef, constant = np.vstack([-coef, coef]) / 2, np.append(-constant, constant) / 2
    weights[seen] = coef / scaler.scale_
    intercepts[seen] = constant - weights[seen] @ scaler.mean_
    return weights, intercepts


def fit_ordinal(X: Floats, y: NDArray[np.int64], size: int, strength: float) -> OrdinalHead:
    """Proportional odds on standardized features; y in 0 … size - 1."""
    scaler = StandardScaler().fit(X)
    model = OrdinalRegression(strength, levels=tuple(range(size))).fit(scaler.transform(X), y)
    weights = model.coef_ / scaler.scale_
    return OrdinalHead(weights, model.thresholds_ + weights @ scaler.mean_)
