"""The fitted heads as plain numbers: what assessing needs of the models that ``learning.py`` fits with scikit-learn.

A file of numbers runs no code when it is loaded, and importing scikit-learn takes longer than assessing a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.spans import SpanTagger

Floats = NDArray[np.float64]

_LEAST = 1e-4  # no value is impossible


@dataclass(frozen=True)
class MeanHead:
    """For a scale that the encoder knows: its probabilities of each cut, averaged with those of the scale's companions.

    weights : {scale: share}; shares sum to 1
    """

    weights: dict[str, float]

    def predict_proba(self, cuts: Mapping[str, Floats]) -> Floats:
        """(n, n_values), lowest value first, for {scale: (n, n_values - 1)} as in `features.Reading.cuts`."""
        return _differences(sum((share * cuts[scale] for scale, share in self.weights.items()), np.zeros(1)))


@dataclass(frozen=True)
class OrdinalHead:
    """For a scale that the encoder does not know: P(y > k | x) = expit(x @ weights - thresholds[k]), x being all cuts that it knows.

    weights : (n_cuts,); thresholds : (n_values - 1,), increasing
    """

    weights: Floats
    thresholds: Floats

    def predict_proba(self, cuts: Mapping[str, Floats]) -> Floats:
        """(n, n_values), lowest value first, for {scale: (n, n_values - 1)} as in `features.Reading.cuts`."""
        return _differences(_expit((np.hstack(list(cuts.values())) @ self.weights)[:, None] - self.thresholds))


@dataclass(frozen=True)
class ClassHead:
    """Multinomial logistic regression: softmax(x @ weights + intercepts).

    weights : (n_features, n_classes); intercepts : (n_classes,), -inf for a class that training never saw
    """

    weights: Floats
    intercepts: Floats

    def predict_proba(self, X: Floats) -> Floats:
        """(n, n_classes) for X of shape (n, n_features)."""
        scores = X @ self.weights + self.intercepts
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass
class Heads:
    """All that is learnt after the encoder.

    scales : a head for each rating scale
    client : over `corpus.CLIENTS`
    taggers : for "evidence", "flags" and "means"
    mass : for each scale, the probability that its level set holds (see `conformal`)
    """

    scales: dict[str, MeanHead | OrdinalHead]
    client: ClassHead
    taggers: dict[str, SpanTagger]
    mass: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Numbers and names only; `from_json` gives equal heads."""
        return {
            "scales": {
                name: {"mean": head.weights} if isinstance(head, MeanHead) else {"weights": head.weights.tolist(), "thresholds": head.thresholds.tolist()}
                for name, head in self.scales.items()
            },
            "client": {"weights": self.client.weights.tolist(), "intercepts": [None if np.isinf(b) else b for b in self.client.intercepts.tolist()]},
            "taggers": {name: {"curves": tagger.curves, "thresholds": tagger.thresholds} for name, tagger in self.taggers.items()},
            "mass": self.mass,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Heads:
        """The heads that `to_json` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is something else.
        """
        intercepts = [-np.inf if b is None else b for b in found["client"]["intercepts"]]
        return cls(
            scales={
                name: MeanHead(dict(head["mean"])) if "mean" in head else OrdinalHead(np.array(head["weights"]), np.array(head["thresholds"]))
                for name, head in found["scales"].items()
            },
            client=ClassHead(np.array(found["client"]["weights"]), np.array(intercepts)),
            taggers={
                name: SpanTagger({key: (float(a), float(b)) for key, (a, b) in tagger["curves"].items()}, dict(tagger["thresholds"]))
                for name, tagger in found["taggers"].items()
            },
            mass=dict(found["mass"]),
        )


def median_level(probabilities: Floats) -> NDArray[np.int64]:
    """The value with the least expected absolute error, for each row of (n, n_values)."""
    return np.asarray(np.argmax(np.cumsum(probabilities, axis=1) >= 0.5 - 1e-12, axis=1))


def _differences(above: Floats) -> Floats:
    """Probabilities of the values from those of the cuts, which must not increase; rows sum to 1."""
    ends = np.concatenate([np.ones((len(above), 1)), above, np.zeros((len(above), 1))], axis=1)
    rows = np.clip(ends[:, :-1] - ends[:, 1:], _LEAST, 1.0)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _expit(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
