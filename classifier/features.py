"""A text as the heads see it: what the encoder says of each cut of each scale and of the client, and the candidate spans.

Nothing here is learnt. Length is no feature: a long text is not a better service. Neither is the strength of the evidence: as a
feature it raised the agreement on made text and lowered it on texts by strangers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.corpus import CLIENTS
from classifier.document import Segment, segments
from classifier.encoder import Encoder, Encoding
from classifier.framework import framework_names, load_framework
from classifier.spans import Span, find_spans

Floats = NDArray[np.float64]

# Token score from which on words are a candidate: lower where the words are rarer.
CUTS = {"evidence": -0.5, "flags": -1.0, "means": -1.0}


@dataclass(frozen=True)
class Reading:
    """One text, read.

    parts : its segments
    cuts : (n_cuts,) probability of each value or a higher one, for every scale that the encoder knows, lowest value first
    client : (n_clients,) scores (logits) in the order of `corpus.CLIENTS`
    evidence, flags, means : candidates
    """

    text: str
    parts: tuple[Segment, ...]
    cuts: Floats
    client: Floats
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


def read(text: str, encoding: Encoding, encoder: Encoder) -> Reading:
    """What the heads need of one text.

    The cuts are probabilities, not scores: summed they give about the expected value, so that one line through them suits
    an ordinal regression; a line through the scores lost a fifth of the exact agreement.
    """
    scales: dict[str, list[float]] = {}
    for name, score in zip(encoder.document_scores, encoding.document.astype(np.float64), strict=True):
        scales.setdefault(name.split(">=")[0], []).append(float(score))
    client = np.array([scales.pop(f"client:{name}")[0] for name in CLIENTS])
    # What is at least 3 is at least 2.
    cuts = np.concatenate([np.minimum.accumulate(1 / (1 + np.exp(-np.array(scores)))) for scores in scales.values()])
    parts, kinds = segments(text), columns(encoder)
    return Reading(text, parts, cuts, client, *(find_spans(text, parts, encoding, kinds[kind], cut) for kind, cut in CUTS.items()))
