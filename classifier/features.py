"""A text as the heads see it: one row of features, and the candidate spans. Nothing here is learnt.

The features are the encoder's document scores, the strength of the evidence for each key, and the share of a few cue
words. Length is no feature: a long text is not a better service.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from classifier.document import Segment, cues, segments, words
from classifier.encoder import Encoder, Encoding
from classifier.framework import framework_names, load_framework
from classifier.spans import Span, find_spans, strengths

Floats = NDArray[np.float64]

# Token score from which on words are a candidate: lower where the words are rarer.
CUTS = {"evidence": -0.5, "flags": -1.0, "means": -1.0}


@dataclass(frozen=True)
class Reading:
    """One text, read: its segments, features of shape (n_features,), and the candidates for evidence, flags and their opposites."""

    text: str
    parts: tuple[Segment, ...]
    features: Floats
    evidence: tuple[Span, ...]
    flags: tuple[Span, ...]
    means: tuple[Span, ...]


def columns(encoder: Encoder) -> dict[str, dict[str, int]]:
    """{"evidence" | "flags" | "means": {key: column of the encoder's token scores}}."""
    frameworks = [load_framework(name) for name in framework_names()]
    position = {key: column for column, key in enumerate(encoder.keys)}
    behaviours = [b.key for f in frameworks for b in f.behaviours if b.key in position]
    anti_patterns = [a.key for f in frameworks for a in f.anti_patterns if a.key in position]
    return {
        "evidence": {key: position[key] for key in behaviours},
        "flags": {key: position[key] for key in anti_patterns},
        "means": {key: position[f"means:{key}"] for key in anti_patterns if f"means:{key}" in position},
    }


def feature_names(encoder: Encoder) -> list[str]:
    """Names of the features, in order."""
    kinds = columns(encoder)
    return [*encoder.document_scores, *(f"strength {kind} {key}" for kind, keys in kinds.items() for key in keys), *(f"cue {name}" for name in _cues())]


def read(text: str, encoding: Encoding, encoder: Encoder) -> Reading:
    """Features and candidate spans of one text."""
    kinds = columns(encoder)
    parts = segments(text)
    found = words(text)
    shares = [sum(word in cue for word in found) / max(len(found), 1) for cue in _cues().values()]
    strong = [value for keys in kinds.values() for value in strengths(encoding, keys)]
    row = np.concatenate([encoding.document, strong, np.sqrt(shares)]).astype(np.float64)
    return Reading(text, parts, row, *(find_spans(text, parts, encoding, kinds[kind], cut) for kind, cut in CUTS.items()))


@cache
def _cues() -> dict[str, frozenset[str]]:
    return {name: frozenset(phrases) for name, phrases in cues("cues").items()}
