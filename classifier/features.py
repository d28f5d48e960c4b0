"""A text as the heads see it: what the encoder says of each cut of each scale, of the client and of the acts, and the candidate spans.

Nothing here is learnt. Length is no feature of a level: a long text is not a better service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.corpus import CLIENTS
from classifier.document import Segment, segments
from classifier.encoder import TOKEN_FLOOR, Encoder, Encoding, expit, softmax
from classifier.framework import framework_names, load_framework
from classifier.spans import Span, find_spans, strengths

Floats = NDArray[np.float64]

# Token score from which on words are a candidate: lower where the words are rarer.
CUTS = {"evidence": -1.0, "flags": -2.0, "means": -1.0}
# So many words or fewer tell nothing by themselves, and are widened to their clause. (Flags and evidence so widened: more
# false flags on texts by strangers, exact evidence as before; figures in models/en/training.md.)
FEW = {"evidence": 0, "flags": 0, "means": 3}


@dataclass(frozen=True)
class Reading:
    """One text, read.

    parts : its segments
    cuts : {scale that the encoder knows: (n_values - 1,) its probability of each value or a higher one, lowest first}
    client : (n_clients,) the encoder's probability of each kind of client, in the order of `corpus.CLIENTS`
    acts : (4,) for each level from 1 on, the strength (logit) of the behaviour of that level that the words show best
    evidence, flags, means : candidates
    """

    text: str
    parts: tuple[Segment, ...]
    cuts: Mapping[str, Floats]
    client: Floats
    acts: Floats
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


def _acts(shown: Floats, column_of: Mapping[str, int]) -> Floats:
    """For each level of service from 1 on, the highest strength of its behaviours: (4,) from (n_keys,) and {behaviour: column}."""
    (framework,) = (f for f in map(load_framework, framework_names()) if f.anti_patterns)
    of_level = [[shown[column_of[b.key]] for b in framework.behaviours if b.level == level and b.key in column_of] for level in (1, 2, 3, 4)]
    return np.array([max(strengths_of, default=TOKEN_FLOOR) for strengths_of in of_level])


def read(text: str, encoding: Encoding, encoder: Encoder) -> Reading:
    """What the heads need of one text."""
    scales: dict[str, list[float]] = {}
    for name, score in zip(encoder.document_scores, encoding.document.astype(np.float64), strict=True):
        scales.setdefault(name.split(">=")[0], []).append(float(score))
    client = softmax(np.array([scales.pop(f"client:{name}")[0] for name in CLIENTS]))
    # What is at least 3 is at least 2.
    cuts = {scale: np.minimum.accumulate(expit(np.array(scores))) for scale, scores in scales.items()}
    parts, kinds = segments(text), columns(encoder)
    shown = strengths(encoding.tokens) if len(encoding.tokens) else np.full(len(encoder.keys), TOKEN_FLOOR)
    acts = _acts(shown, kinds["evidence"])
    return Reading(text, parts, cuts, client, acts, *(find_spans(text, parts, encoding, kinds[kind], cut, FEW[kind]) for kind, cut in CUTS.items()))
