"""Fitting the heads with scikit-learn. The only module, beside ``ordinal`` and ``metrics``, that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from classifier.corpus import CLIENTS, Example, Label, scale_sizes
from classifier.features import Reading
from classifier.heads import ClassHead, Heads, OrdinalHead
from classifier.ordinal import OrdinalRegression
from classifier.spans import Span, SpanTagger, located, meet

Floats = NDArray[np.float64]

# Precision per text and key that a finding's threshold should have on unseen writers, where any has.
MIN_PRECISION = {"evidence": 0.5, "flags": 0.6, "means": 0.6}
# Inverse strength of the L2 penalty, as in scikit-learn.
C = {"scales": 0.1, "client": 0.003}
_UNLEARNT = 1.1  # a threshold that no confidence reaches


def fit_heads(examples: Sequence[Example], readings: Sequence[Reading], keys: Mapping[str, Sequence[str]], mass: float) -> Heads:
    """Fit every head to labelled examples and their readings, of the same length.

    keys : for "evidence", "flags" and "means", the keys to tag
    mass : held by every level set until it is calibrated
    """
    cuts, clients = np.array([r.cuts for r in readings]), np.array([r.client for r in readings])
    scales = {}
    for scale, size in scale_sizes().items():
        rated = [i for i, e in enumerate(examples) if scale in e.ratings]
        if rated:
            scales[scale] = fit_ordinal(cuts[rated], np.array([examples[i].ratings[scale] for i in rated]), size, C["scales"])
    known = [i for i, e in enumerate(examples) if e.client is not None]
    client = fit_classes(clients[known], np.array([CLIENTS.index(examples[i].client or "") for i in known]), len(CLIENTS), C["client"])
    taggers = {}
    for kind, names in keys.items():
        marks = [getattr(e, kind) for e in examples]
        read = [i for i, marked in enumerate(marks) if marked is not None]
        texts, spans = [examples[i].text for i in read], [getattr(readings[i], kind) for i in read]
        taggers[kind] = fit_tagger(names, MIN_PRECISION[kind], texts, spans, [marks[i] for i in read])
    return Heads(scales, client, taggers, dict.fromkeys(scales, mass))


def fit_ordinal(X: Floats, y: NDArray[np.int64], size: int, strength: float) -> OrdinalHead:
    """Proportional odds on standardized features; y in 0 … size - 1."""
    scaler = StandardScaler().fit(X)
    model = OrdinalRegression(strength, levels=tuple(range(size))).fit(scaler.transform(X), y)
    weights = model.coef_ / scaler.scale_
    return OrdinalHead(weights, model.thresholds_ + weights @ scaler.mean_)


def fit_classes(X: Floats, y: NDArray[np.int64], size: int, strength: float) -> ClassHead:
    """Multinomial logistic regression on standardized features; y in 0 … size - 1, of which some may be absent."""
    scaler = StandardScaler().fit(X)
    weights, intercepts = np.zeros((X.shape[1], size)), np.full(size, -np.inf)
    seen = np.unique(y)
    if len(seen) < 2:
        intercepts[seen] = 0.0
        return ClassHead(weights, intercepts)
    model = LogisticRegression(C=strength, max_iter=1000).fit(scaler.transform(X), y)
    # With two classes scikit-learn keeps one row, the second class against the first.
    coef, intercept = (model.coef_, model.intercept_) if len(seen) > 2 else (np.vstack([0 * model.coef_, model.coef_]), np.append(0.0, model.intercept_))
    weights[:, seen] = (coef / scaler.scale_).T
    intercepts[seen] = intercept - scaler.mean_ @ weights[:, seen]
    return ClassHead(weights, intercepts)


def fit_tagger(
    keys: Sequence[str], min_precision: float, texts: Sequence[str], spans: Sequence[Sequence[Span]], labels: Sequence[Sequence[Label]]
) -> SpanTagger:
    """Learn from texts with their candidates and the quotes that readers marked, all of the same length.

    For each key a logistic curve over the strength gives the confidence, and the threshold is the one of highest F1 per text among
    those with `min_precision`. The candidates must come from encoders that had not seen the writer.
    """
    curves = dict.fromkeys(keys, (0.0, 0.0))
    thresholds = dict.fromkeys(keys, _UNLEARNT)
    found: dict[str, list[tuple[float, bool, int]]] = {key: [] for key in keys}
    positives = dict.fromkeys(keys, 0)
    for number, (text, candidates, marks) in enumerate(zip(texts, spans, labels, strict=True)):
        truth = located(text, marks)
        for key in {span.key for span in truth} & found.keys():
            positives[key] += 1
        for span in candidates:
            if span.key in found:
                found[span.key].append((span.strength, any(meet(span, mark) for mark in truth), number))
    for key, candidates_of_key in found.items():
        hits = np.array([hit for _, hit, _ in candidates_of_key], dtype=bool)
        if hits.sum() < 5 or hits.all():
            continue
        curve = LogisticRegression(C=10.0).fit(np.array([[strength] for strength, _, _ in candidates_of_key]), hits)
        curves[key] = float(curve.coef_[0, 0]), float(curve.intercept_[0])
        least = _least_strength(candidates_of_key, positives[key], min_precision)
        thresholds[key] = SpanTagger(curves, thresholds).confidence(key, least) - 1e-9
    return SpanTagger(curves, thresholds)


def _least_strength(found: list[tuple[float, bool, int]], positives: int, min_precision: float) -> float:
    best: dict[int, tuple[float, bool]] = {}
    for strength, hit, text in found:
        best[text] = max(best.get(text, (-np.inf, False)), (strength, hit))
    options, true = [], 0
    for count, (strength, hit) in enumerate(sorted(best.values(), reverse=True), 1):
        true += hit
        precision, recall = true / count, true / max(positives, 1)
        if count >= 5:
            options.append((precision, 2 * precision * recall / max(precision + recall, 1e-9), strength))
    precise = [(f1, strength) for precision, f1, strength in options if precision >= min_precision]
    # Where no threshold is precise enough, the most precise: few findings are better than wrong ones.
    return max(precise)[1] if precise else max(options, default=(0.0, 0.0, np.inf))[2]
