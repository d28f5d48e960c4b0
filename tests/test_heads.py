"""The fitted heads as numbers: probabilities by hand, and the same head after JSON."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.corpus import CLIENTS, Example, evidence_levels
from classifier.encoder import Encoding
from classifier.features import Reading, read
from classifier.heads import Heads, OrdinalHead, SoftmaxHead, cut_features
from classifier.learning import fit_heads, fit_softmax
from classifier.spans import SpanTagger

CUTS = {"level": np.array([[0.9, 0.5]]), "involvement": np.array([[0.7, 0.1]])}
ACTS = np.array([[2.0, -1.0, 0.0, 0.0]])


def head() -> SoftmaxHead:
    """The first value by nothing, the second by the first cut, the third by the second cut and the second act."""
    weights = np.array([[0.0] * 6, [1.0, 0, 0, 0, 0, 0], [0, 1.0, 0, -3.0, 0, 0]])
    return SoftmaxHead("level", weights, np.array([0.0, 0.0, np.log(2)]))


def test_a_scale_is_a_softmax_of_its_own_cuts_and_the_acts() -> None:
    # The cut .9 has odds of 9; the other one of 1, which the intercept doubles, and the act raises by a factor of e^3.
    assert head().predict_proba(CUTS, np.zeros((1, 4)))[0] == pytest.approx(np.array([1, 9, 2]) / 12)
    raised = 2 * np.exp(3)
    assert head().predict_proba(CUTS, ACTS)[0] == pytest.approx(np.array([1, 9, raised]) / (10 + raised))


def test_what_is_certain_stays_finite() -> None:
    assert np.isfinite(cut_features(np.array([[1.0, 0.0]]), ACTS)).all()


def test_the_softmax_learns_what_the_acts_show_and_survives_a_missing_value() -> None:
    chance = np.random.default_rng(0)
    acts = chance.normal(size=(400, 1))
    X = np.hstack([acts, chance.normal(size=(400, 1))])
    for y in (np.where(acts[:, 0] > 0, 2, 0), np.digitize(acts[:, 0], [-0.5, 0.5])):  # no example is a 3
        weights, intercepts = fit_softmax(X, y, 4, 1.0)
        assert weights[2, 0] - weights[0, 0] > 5 * abs(weights[2, 1] - weights[0, 1])
        scores = X @ weights.T + intercepts
        assert (scores.argmax(1) == y).mean() > 0.95 and scores[:, 3].max() < scores.max(1).min() - 3


def test_the_softmax_is_that_of_scikit_learn() -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(80, 3)) * [1, 5, 0.2] + 2
    for size in (2, 3):
        y = np.digitize(X[:, 0] + chance.normal(size=80), [2, 3][: size - 1])
        weights, intercepts = fit_softmax(X, y, size, 0.5)
        powers = np.exp(X @ weights.T + intercepts)
        known = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=1000)).fit(X, y)
        assert powers / powers.sum(1, keepdims=True) == pytest.approx(known.predict_proba(X), abs=1e-6)


def test_where_all_have_one_value_it_is_all_but_certain() -> None:
    weights, intercepts = fit_softmax(np.zeros((5, 2)), np.full(5, 1), 3, 1.0)
    assert weights.tolist() == [[0, 0]] * 3 and intercepts.tolist() == [-9, 9, -9]


def test_a_row_that_counts_as_three_is_that_row_three_times() -> None:
    chance = np.random.default_rng(0)
    X, counts = chance.normal(size=(60, 2)), np.arange(60) % 3 + 1
    y = (X[:, 0] + chance.normal(size=60) > 0).astype(int) + (X[:, 1] > 1)
    found = fit_softmax(X, y, 3, 1.0, counts.astype(float))
    again = fit_softmax(X.repeat(counts, axis=0), y.repeat(counts), 3, 1.0)
    for of_counts, of_copies, alike in zip(found, again, fit_softmax(X, y, 3, 1.0), strict=True):
        assert of_counts == pytest.approx(of_copies, abs=1e-3) and of_counts != pytest.approx(alike, abs=1e-2)


def test_where_writers_disagree_the_level_leans_to_those_that_count_more() -> None:
    """Readings are alike, so that the share of the weights is all that can be learnt: t01 counts 1, t72 counts 4."""
    examples = [Example(str(i), "I told her.", {"level": level}, None, source=source) for i, (source, level) in enumerate([("t01", 1), ("t72", 0)] * 20)]
    reading = Reading("I told her.", (), {"level": np.full(4, 0.5)}, np.full(4, 0.25), np.zeros(4), (), (), ())
    heads = fit_heads(examples, [reading] * len(examples), {"evidence": tuple(evidence_levels())}, 0.9, range(len(examples)))
    found = heads.scales["level"].predict_proba({"level": np.full((1, 4), 0.5)}, np.zeros((1, 4)))[0]
    assert found[:2] == pytest.approx([0.8, 0.2], abs=1e-3)


def test_the_acts_count_for_the_scales_of_their_framework_only() -> None:
    """Readings differ in the acts alone, and so do the levels on both scales."""
    examples = [Example(str(i), "I told her.", {"level": i % 2 * 3, "pspc_level": i % 2}, None, source="t01") for i in range(40)]
    cuts = {"level": np.full(4, 0.5), "pspc_level": np.full(3, 0.5)}
    readings = [Reading("I told her.", (), cuts, np.full(4, 0.25), np.full(4, float(i % 2)), (), (), ()) for i in range(40)]
    heads = fit_heads(examples, readings, {"evidence": tuple(evidence_levels())}, 0.9, range(40))
    many = {scale: np.array([row, row]) for scale, row in cuts.items()}
    shown = np.array([np.zeros(4), np.ones(4)])
    (low, high), (same, again) = (heads.scales[scale].predict_proba(many, shown) for scale in ("level", "pspc_level"))
    assert low[0] > 0.6 and high[0] < 0.4
    assert same.tolist() == again.tolist()


def test_the_client_is_a_softmax_of_the_encoder_s_scores() -> None:
    scores = dict.fromkeys(["level>=1", *(f"client:{name}" for name in CLIENTS)], 0.0) | {"client:internal": np.log(2)}
    encoder = SimpleNamespace(document_scores=tuple(scores), keys=tuple(evidence_levels()))
    encoding = Encoding(np.array(list(scores.values())), np.zeros((0, len(encoder.keys))), np.zeros((0, 2), np.int32))
    found = read("I told her.", encoding, encoder)  # type: ignore[arg-type]
    assert found.client == pytest.approx([0.4 if name == "internal" else 0.2 for name in CLIENTS])
    assert set(found.cuts) == {"level"}


def test_heads_are_the_same_after_json() -> None:
    tagger = SpanTagger({"1.1": (0.5, -1.0)}, {"1.1": 0.25}, {"1.1": 0.6})
    ordinal = OrdinalHead(np.array([2.0, 0.0, 0.0, 0.0]), np.array([-1.0, 1.0]))
    heads = Heads({"level": head(), "other": ordinal}, {"evidence": tagger}, {"level": 0.9})
    again = Heads.from_json(json.loads(json.dumps(heads.to_json())))
    assert again.to_json() == heads.to_json()
    assert again.taggers == heads.taggers
    for name, before in heads.scales.items():
        assert type(again.scales[name]) is type(before)
        assert again.scales[name].predict_proba(CUTS, ACTS).tolist() == before.predict_proba(CUTS, ACTS).tolist()
