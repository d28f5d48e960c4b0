"""The fitted heads as plain numbers: what assessing needs of the models that ``learning.py`` and ``tagging.py`` fit with scikit-learn.

A file of numbers runs no code when it is loaded, and importing scikit-learn takes longer than assessing a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.encoder import expit, softmax
from classifier.spans import SpanTagger

Floats = NDArray[np.float64]

_LEAST = 1e-4  # no cut is certain


@dataclass(frozen=True)
class SoftmaxHead:
    """For a scale that the encoder knows: P(y = k | x) is proportional to exp(x @ weights[k] + intercepts[k]), a multinomial logistic regression.

    x holds the encoder's probabilities of the scale's own cuts as logits, and the strengths of the acts where these are of the scale's framework.

    weights : (n_values, n_features); intercepts : (n_values,)
    """

    scale: str
    weights: Floats
    intercepts: Floats

    def predict_proba(self, cuts: Mapping[str, Floats], acts: Floats) -> Floats:
        """(n, n_values), lowest value first, for {scale: (n, n_values - 1)} and (n, 4) as in `features.Reading`."""
        scores = cut_features(cuts[self.scale], acts)[:, : self.weights.shape[1]] @ self.weights.T + self.intercepts
        return softmax(scores)


def cut_features(cuts: Floats, acts: Floats) -> Floats:
    """What `SoftmaxHead` computes a scale's probabilities from: (n, n_values - 1 + 4)."""
    kept = np.clip(cuts, _LEAST, 1 - _LEAST)
    return np.hstack([np.log(kept / (1 - kept)), acts])


@dataclass(frozen=True)
class OrdinalHead:
    """For a scale that the encoder does not know: P(y > k | x) = expit(x @ weights - thresholds[k]), x being all cuts that it knows.

    weights : (n_cuts,); thresholds : (n_values - 1,), increasing
    """

    weights: Floats
    thresholds: Floats

    def predict_proba(self, cuts: Mapping[str, Floats], acts: Floats) -> Floats:
        """(n, n_values), lowest value first, for {scale: (n, n_values - 1)} and (n, 4) as in `features.Reading`; the acts are not used."""
        return _differences(expit((np.hstack(list(cuts.values())) @ self.weights)[:, None] - self.thresholds))


@dataclass
class Heads:
    """All that is learnt after the encoder; the client is the encoder's own.

    scales : a head for each rating scale
    taggers : for "evidence", "flags" and "means"
    mass : for each scale, the probability that its level set holds (see `conformal`)
    """

    scales: dict[str, SoftmaxHead | OrdinalHead]
    taggers: dict[str, SpanTagger]
    mass: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Numbers and names only; `from_json` gives equal heads."""
        return {
            "scales": {name: {part: _plain(numbers) for part, numbers in vars(head).items()} for name, head in self.scales.items()},
            "taggers": {name: asdict(tagger) for name, tagger in self.taggers.items()},
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
        return cls(
            scales={
                name: SoftmaxHead(raw["scale"], np.array(raw["weights"]), np.array(raw["intercepts"]))
                if "scale" in raw
                else OrdinalHead(np.array(raw["weights"]), np.array(raw["thresholds"]))
                for name, raw in found["scales"].items()
            },
            taggers={
                name: SpanTagger({key: tuple(map(float, row)) for key, row in raw["weights"].items()}, dict(raw["intercepts"]), dict(raw["thresholds"]))
                for name, raw in found["taggers"].items()
            },
            mass=dict(found["mass"]),
        )


def median_level(probabilities: Floats) -> NDArray[np.int64]:
    """The value with the least expected absolute error, for each row of (n, n_values)."""
    return np.asarray(np.argmax(np.cumsum(probabilities, axis=1) >= 0.5 - 1e-12, axis=1))


def _plain(numbers: Any) -> Any:
    return numbers.tolist() if isinstance(numbers, np.ndarray) else numbers


def _differences(above: Floats) -> Floats:
    """Probabilities of the values from those of the cuts, which must not increase."""
    ends = np.concatenate([np.ones((len(above), 1)), above, np.zeros((len(above), 1))], axis=1)
    return np.asarray(ends[:, :-1] - ends[:, 1:])
