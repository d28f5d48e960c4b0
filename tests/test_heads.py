"""The fitted heads as numbers: probabilities by hand, and the same head after JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from classifier.heads import ClassHead, CutHead, Heads, OrdinalHead, cut_features
from classifier.learning import fit_cuts
from classifier.spans import SpanTagger

CUTS = {"level": np.array([[0.9, 0.5]]), "involvement": np.array([[0.7, 0.1]])}
ACTS = np.array([[2.0, -1.0, 0.0, 0.0]])


def head() -> CutHead:
    """Beside the cuts themselves the second act counts, for the second cut only."""
    weights = np.array([[1.0, 0, 0, 0, 0, 0], [0, 1.0, 0, -3.0, 0, 0]])
    return CutHead({"level": 0.5, "involvement": 0.5}, weights, np.zeros(2))


def test_a_cut_is_the_mean_of_the_scales_moved_by_the_acts() -> None:
    # The means are .8 and .3; the second cut's logit rises by 3 to 1 / (1 + 7/3 e^-3) = .896, and cannot be above the first.
    assert head().predict_proba(CUTS, ACTS)[0] == pytest.approx([0.2, 0, 0.8], abs=1e-3)
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


def test_heads_are_the_same_after_json() -> None:
    tagger = SpanTagger({"1.1": (0.5, -1.0)}, {"1.1": 0.25}, {"1.1": 0.6})
    ordinal = OrdinalHead(np.array([2.0, 0.0, 0.0, 0.0]), np.array([-1.0, 1.0]))
    heads = Heads({"level": head(), "other": ordinal}, ClassHead(np.ones((2, 2)), np.array([0.0, -np.inf])), {"evidence": tagger}, {"level": 0.9})
    again = Heads.from_json(json.loads(json.dumps(heads.to_json())))
    assert again.to_json() == heads.to_json()
    assert again.taggers == heads.taggers
    for name, before in heads.scales.items():
        assert type(again.scales[name]) is type(before)
        assert again.scales[name].predict_proba(CUTS, ACTS).tolist() == before.predict_proba(CUTS, ACTS).tolist()
