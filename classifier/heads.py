"""The fitted heads as plain numbers: what assessing needs of the models that ``learning.py`` and ``tagging.py`` fit with scikit-learn.

A file of numbers runs no code when it is loaded, and importing scikit-learn takes longer than assessing a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.encoder import expit
from classifier.spans import SpanTagger

Floats = NDArray[np.float64]

_LEAST = 1e-4  # no cut is certain
# No value is impossible, also where cuts cross. With .0001 the log-loss on texts by strangers was 1.11 and not .89, on made text by writers left
# out .54 and not .53, and the confidence was less far off (.101 and .105; .030 and .038); with .02 it is further off on made text (.056).
_LEAST_VALUE = 0.01


@dataclass(frozen=True)
class CutHead:
    """For a scale that the encoder knows: P(y >= k | x) = expit(x @ weights[k - 1] + intercepts[k - 1]) for each cut k.

    x holds the encoder's probabilities of the scale's cuts, averaged with those of its companions, as logits, and the strengths of the acts where these
    are of the scale's framework.
    Where cuts cross the lower one decides: without a service done there is none beyond what was asked. (Meeting halfway lowered the
    agreement on made text and on texts by strangers.)

    shares : {scale: share}, the scale's own and its companions'; they sum to 1
    weights : (n_cuts, n_features); intercepts : (n_cuts,)
    """

    shares: dict[str, float]
    weights: Floats
    intercepts: Floats

    def predict_proba(self, cuts: Mapping[str, Floats], acts: Floats) -> Floats:
        """(n, n_values), lowest value first, for {scale: (n, n_values - 1)} and (n, 4) as in `features.Reading`."""
        above = expit(cut_features(self.shares, cuts, acts)[:, : self.weights.shape[1]] @ self.weights.T + self.intercepts)
        return _differences(np.minimum.accumulate(above, axis=1))


def cut_features(shares: Mapping[str, float], cuts: Mapping[str, Floats], acts: Floats) -> Floats:
    """What `CutHead` computes a scale's probabilities from."""
    mean = np.clip(sum((share * cuts[scale] for scale, share in shares.items()), np.zeros(1)), _LEAST, 1 - _LEAST)
    return np.hstack([np.log(mean / (1 - mean)), acts])


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

    scales: dict[str, CutHead | OrdinalHead]
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
                name: CutHead(dict(raw["shares"]), np.array(raw["weights"]), np.array(raw["intercepts"]))
                if "shares" in raw
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
    """Probabilities of the values from those of the cuts, which must not increase; rows sum to 1."""
    ends = np.concatenate([np.ones((len(above), 1)), above, np.zeros((len(above), 1))], axis=1)
    rows = np.clip(ends[:, :-1] - ends[:, 1:], _LEAST_VALUE, 1.0)
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))
