"""The fitted heads as numbers: probabilities by hand, and the same head after JSON."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from classifier.corpus import CLIENTS, Example, evidence_levels
from classifier.encoder import Encoding
from classifier.features import Reading, read
from classifier.heads import CutHead, Heads, OrdinalHead, cut_features
from classifier.learning import fit_cuts, fit_heads
from classifier.spans import SpanTagger

CUTS = {"level": np.array([[0.9, 0.5]]), "involvement": np.array([[0.7, 0.1]])}
ACTS = np.array([[2.0, -1.0, 0.0, 0.0]])


def head() -> CutHead:
    """Beside the cuts themselves the second act counts, for the second cut only."""
    weights = np.array([[1.0, 0, 0, 0, 0, 0], [0, 1.0, 0, -3.0, 0, 0]])
    return CutHead({"level": 0.5, "involvement": 0.5}, weights, np.zeros(2))


def test_a_cut_is_the_mean_of_the_scales_moved_by_the_acts() -> None:
    # The means are .8 and .3; the second cut's logit rises by 3 to 1 / (1 + 7/3 e^-3) = .896, and cannot be above the first. What is then
    # between the two is not impossible, but has .01 before all are made to sum to 1.
    assert head().predict_proba(CUTS, ACTS)[0] == pytest.approx(np.array([0.2, 0.01, 0.8]) / 1.01)
    assert head().predict_proba(CUTS, np.zeros((1, 4)))[0] == pytest.approx([0.2, 0.5, 0.3])


def test_what_is_certain_stays_finite() -> None:
    certain = {"level": np.array([[1.0, 0.0]])}
    assert np.isfinite(cut_features({"level": 1.0}, certain, ACTS)).all()


def test_fit_cuts_learns_what_the_acts_show_and_survives_a_missing_value() -> None:
    chance = np.random.default_rng(0)
    acts = chance.normal(size=(400, 1))
    y = np.where(acts[:, 0] > 0, 2, 0)
    weights, intercepts = fit_cuts(np.hstack([acts, chance.normal(size=(400, 1))]), y, 4, 1.0)
    assert (weights[:2, 0] > 5 * np.abs(weights[:2, 1])).all()
    assert weights[2].tolist() == [0, 0] and intercepts[2] < -5  # no example is a 3


def test_a_row_that_counts_as_three_is_that_row_three_times() -> None:
    chance = np.random.default_rng(0)
    X, counts = chance.normal(size=(60, 2)), np.arange(60) % 3 + 1
    y = (X[:, 0] + chance.normal(size=60) > 0).astype(int) + (X[:, 1] > 1)
    found = fit_cuts(X, y, 3, 1.0, counts.astype(float))
    again = fit_cuts(X.repeat(counts, axis=0), y.repeat(counts), 3, 1.0)
    for of_counts, of_copies, alike in zip(found, again, fit_cuts(X, y, 3, 1.0), strict=True):
        assert of_counts == pytest.approx(of_copies, abs=1e-3) and of_counts != pytest.approx(alike, abs=1e-2)


def test_where_writers_disagree_the_level_leans_to_those_that_count_more() -> None:
    """Readings are alike, so that the share of the weights is all that can be learnt: t01 counts 1, t72 counts 4."""
    examples = [Example(str(i), "I told her.", {"level": level}, None, source=source) for i, (source, level) in enumerate([("t01", 1), ("t72", 0)] * 20)]
    reading = Reading("I told her.", (), {"level": np.full(4, 0.5)}, np.full(4, 0.25), np.zeros(4), (), (), ())
    heads = fit_heads(examples, [reading] * len(examples), {"evidence": tuple(evidence_levels())}, 0.9, range(len(examples)))
    found = heads.scales["level"].predict_proba({"level": np.full((1, 4), 0.5)}, np.zeros((1, 4)))[0]
    assert found[:2] == pytest.approx(np.array([0.8, 0.2]) / 1.03, abs=1e-3)  # .01 each of the other three values


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
