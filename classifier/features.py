"""Documents to a feature matrix: the encoder's document scores, the strength of the evidence, and a few cues.

Length is no feature: a long text is not a better service.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from classifier.document import cues, words
from classifier.encoder import Encoder, Encoding
from classifier.spans import SpanTagger

Floats = NDArray[np.float64]


@cache
def _cues() -> dict[str, frozenset[str]]:
    return {name: frozenset(phrases) for name, phrases in cues("cues").items()}


def feature_names(encoder: Encoder, taggers: Sequence[SpanTagger]) -> list[str]:
    """Names of the columns of `features`, in order."""
    return [
        *encoder.document_scores,
        *(f"strength {key}" for tagger in taggers for key in tagger.keys),
        *(f"cue {name}" for name in _cues()),
    ]


def features(texts: Sequence[str], encodings: Sequence[Encoding], taggers: Sequence[SpanTagger]) -> Floats:
    """Feature matrix of shape (n_texts, n_features)."""
    rows = []
    for text, encoding in zip(texts, encodings, strict=True):
        found = words(text)
        shares = [sum(word in cue for word in found) / max(len(found), 1) for cue in _cues().values()]
        rows.append(np.concatenate([encoding.document, *(tagger.strengths(encoding) for tagger in taggers), np.sqrt(shares)]))
    return np.array(rows, dtype=np.float64)
