"""Fitting the span taggers: which candidates a reader would mark, and how sure a finding must be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from classifier.corpus import Label
from classifier.encoder import expit
from classifier.spans import Span, SpanTagger, located, meet

Floats = NDArray[np.float64]

# Inverse strength of the L2 penalty, as in scikit-learn; .01 to .3 give the same within .02 of F1.
_C = 0.03
_FOLDS = 3  # of writers, for the confidences that the threshold is chosen on
_FEWEST = 5  # candidates that readers marked, below which a key is not learnt


def fit_tagger(
    keys: Sequence[str], min_precision: float, texts: Sequence[str], spans: Sequence[Sequence[Span]], labels: Sequence[Sequence[Label]], writers: Sequence[str]
) -> SpanTagger:
    """Learn from texts with their candidates, the quotes that readers marked and their writers, all of the same length.

    For each key a logistic regression over the traits gives the confidence, and the threshold is the one of highest F1 per text among
    those with `min_precision`, on writers left out of the regression. A key with too little to learn from is left out of the tagger.
    The candidates must come from encoders that had not seen the writer.
    """
    found: dict[str, list[tuple[Span, bool, int]]] = {key: [] for key in keys}
    positives = dict.fromkeys(keys, 0)
    for number, (text, candidates, marks) in enumerate(zip(texts, spans, labels, strict=True)):
        truth = located(text, marks)
        for key in {span.key for span in truth} & found.keys():
            positives[key] += 1
        for span in candidates:
            if span.key in found:
                found[span.key].append((span, any(meet(span, mark) for mark in truth), number))
    tagger = SpanTagger({}, {}, {})
    for key, candidates_of_key in found.items():
        hits = np.array([hit for _, hit, _ in candidates_of_key], dtype=bool)
        numbers = [number for _, _, number in candidates_of_key]
        groups = [writers[number] for number in numbers]
        if hits.sum() < _FEWEST or hits.all() or len(set(groups)) < 2:
            continue
        X = np.array([span.traits for span, _, _ in candidates_of_key])
        confidences = _unseen(X, hits, groups)
        threshold = None if confidences is None else _threshold(confidences, hits, numbers, positives[key], min_precision)
        if threshold is not None:
            weights, tagger.intercepts[key] = fit_logistic(X, hits, _C)
            tagger.weights[key] = tuple(weights.tolist())
            tagger.thresholds[key] = threshold
    return tagger


def fit_logistic(X: Floats, hits: NDArray[np.bool_], strength: float) -> tuple[Floats, float]:
    """Weights, (n_features,), and intercept of a logistic regression that is penalized as if the features were standardized.

    strength : inverse strength of the L2 penalty, as in scikit-learn
    """
    scaler = StandardScaler().fit(X)
    model = LogisticRegression(C=strength, solver="newton-cholesky").fit(scaler.transform(X), hits)
    weights = model.coef_[0] / scaler.scale_
    return weights, float(model.intercept_[0] - weights @ scaler.mean_)


def _unseen(X: Floats, hits: NDArray[np.bool_], groups: Sequence[str]) -> Floats | None:
    """Confidence in each candidate by a regression that had not seen its writer; None where the other writers show nothing to learn."""
    confidences = np.zeros(len(X))
    for train, test in GroupKFold(min(_FOLDS, len(set(groups)))).split(X, groups=groups):
        if hits[train].all() or not hits[train].any():
            return None
        weights, intercept = fit_logistic(X[train], hits[train], _C)
        confidences[test] = expit(X[test] @ weights + intercept)
    return confidences


def _threshold(confidences: Floats, hits: NDArray[np.bool_], numbers: Sequence[int], positives: int, min_precision: float) -> float | None:
    """The least confidence of a finding; None where the surest candidates are all wrong, or too few."""
    best: dict[int, tuple[float, bool]] = {}
    for confidence, hit, text in zip(confidences.tolist(), hits.tolist(), numbers, strict=True):
        best[text] = max(best.get(text, (-1.0, False)), (confidence, hit))
    options, true = [], 0
    ranked = sorted(best.values(), reverse=True)
    for count, ((confidence, hit), (following, _)) in enumerate(zip(ranked, [*ranked[1:], (-1.0, False)], strict=True), 1):
        true += hit
        precision, recall = true / count, true / max(positives, 1)
        if count >= _FEWEST and true and following < confidence:
            options.append((precision, 2 * precision * recall / (precision + recall), confidence))
    precise = [(f1, confidence) for precision, f1, confidence in options if precision >= min_precision]
    if precise:
        return max(precise)[1]
    # Where no threshold is precise enough, the most precise: few findings are better than wrong ones.
    return max(options)[2] if options else None
