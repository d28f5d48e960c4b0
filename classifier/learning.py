"""Fitting the heads with scikit-learn, which only training and evaluation need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from classifier.corpus import Example, scale_sizes, weight_of, writer_groups
from classifier.features import Reading
from classifier.framework import Framework, framework_names, load_framework
from classifier.heads import CutHead, Heads, OrdinalHead, cut_features
from classifier.ordinal import OrdinalRegression
from classifier.tagging import fit_logistic, fit_tagger

Floats = NDArray[np.float64]

# Precision per text and key that a finding's threshold should have on unseen writers, where any has.
MIN_PRECISION = {"evidence": 0.4, "flags": 0.62, "means": 0.3}
# Inverse strength of the L2 penalty, as in scikit-learn. On texts by strangers, whose likelihood chose the penalty on the cuts, the mean
# probability of the given level is .67 and .69 are right; on made text .77 and .80.
C = {"cuts": 0.03, "scales": 0.1}
_CERTAIN = 9.0  # logit of a cut that lies above or below all examples


def fit_heads(examples: Sequence[Example], readings: Sequence[Reading], keys: Mapping[str, Sequence[str]], mass: float, of_the_level: Sequence[int]) -> Heads:
    """Fit every head to labelled examples and their readings, of the same length.

    keys : for "evidence", "flags" and "means", the keys to tag
    mass : held by every level set until it is calibrated
    of_the_level : positions of the examples from which the scales learn; findings learn from all
    """
    scales: dict[str, CutHead | OrdinalHead] = {}
    for scale, size in scale_sizes().items():
        rated = [i for i in of_the_level if scale in examples[i].ratings]
        if not rated:
            continue
        y = np.array([examples[i].ratings[scale] for i in rated])
        cuts = {name: np.array([readings[i].cuts[name] for i in rated]) for name in readings[0].cuts}
        if scale in cuts:
            shares = companions(scale, size, cuts)
            X = cut_features(shares, cuts, np.array([readings[i].acts for i in rated]))
            if not any(behaviour.key in keys["evidence"] for behaviour in _framework_of(scale).behaviours):
                X = X[:, : size - 1]  # the acts are those of another framework
            counts = np.array([weight_of(examples[i].source) for i in rated])
            scales[scale] = CutHead(shares, *fit_cuts(X, y, size, C["cuts"], counts / counts.mean()))
        else:
            scales[scale] = fit_ordinal(np.hstack(list(cuts.values())), y, size, C["scales"])
    taggers, groups = {}, writer_groups(examples)
    for kind, names in keys.items():
        marks = [getattr(e, kind) for e in examples]
        read = [i for i, marked in enumerate(marks) if marked is not None]
        texts, spans = [examples[i].text for i in read], [getattr(readings[i], kind) for i in read]
        writers = [groups[examples[i].source] for i in read]
        taggers[kind] = fit_tagger(names, MIN_PRECISION[kind], texts, spans, [marks[i] for i in read], writers)
    return Heads(scales, taggers, dict.fromkeys(scales, mass))


def companions(scale: str, size: int, known: Collection[str]) -> dict[str, float]:
    """The scale itself for one half, and the other known scales of its framework that are as long for the other half.

    The degrees of involvement and commitment are mostly near the level (LABELLING.md, section 3), and so steady it; the halves are
    a choice made by hand, the one that was tried.
    """
    others = [s.key for s in _framework_of(scale).scales if s.key != scale and s.key in known and len(s.values) == size]
    return {scale: 0.5, **dict.fromkeys(others, 0.5 / len(others))} if others else {scale: 1.0}


def _framework_of(scale: str) -> Framework:
    return next(f for f in map(load_framework, framework_names()) if any(s.key == scale for s in f.scales))


def fit_cuts(X: Floats, y: NDArray[np.int64], size: int, strength: float, counts: Floats | None = None) -> tuple[Floats, Floats]:
    """Weights, (size - 1, n_features), and intercepts, (size - 1,), of a logistic regression for each y >= k on standardized features.

    counts : (n,) how much each row counts, with a mean of 1; all alike where None
    """
    weights, intercepts = np.zeros((size - 1, X.shape[1])), np.zeros(size - 1)
    for cut, above in enumerate(y[None, :] >= np.arange(1, size)[:, None]):
        if above.all() or not above.any():
            intercepts[cut] = _CERTAIN if above.all() else -_CERTAIN
        else:
            weights[cut], intercepts[cut] = fit_logistic(X, above, strength, counts)
    return weights, intercepts


def fit_ordinal(X: Floats, y: NDArray[np.int64], size: int, strength: float) -> OrdinalHead:
    """Proportional odds on standardized features; y in 0 … size - 1."""
    scaler = StandardScaler().fit(X)
    model = OrdinalRegression(strength, levels=tuple(range(size))).fit(scaler.transform(X), y)
    weights = model.coef_ / scaler.scale_
    return OrdinalHead(weights, model.thresholds_ + weights @ scaler.mean_)
