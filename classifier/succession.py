"""Whether a new model may take the place of an old one: both on the same held-out examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier.assessor import Assessor
from classifier.corpus import Example, scale_sizes
from classifier.errors import InputError
from classifier.metrics import qwk

# A fall of the QWK by this much is still taken for chance; written here so that a change of it is seen.
TOLERANCE = 0.01
SCALE = "level"


@dataclass(frozen=True)
class Compared:
    """Agreement (QWK) of the old and the new model with the readers of the same `n` examples of one file."""

    path: Path
    n: int
    old: float
    new: float

    @property
    def worse(self) -> bool:
        """Whether the new model falls behind the old one by more than the tolerance."""
        return self.new < self.old - TOLERANCE

    def __str__(self) -> str:
        return f"{self.path} (n = {self.n}): QWK {self.old:.3f} before, {self.new:.3f} now"


def compare(old: Assessor, new: Assessor, path: Path, examples: Sequence[Example]) -> Compared:
    """Assess the same examples with both models; those that one of them refuses are left out for both."""
    rated = [e for e in examples if SCALE in e.ratings]
    answers = [list(model.assess_many(e.text for e in rated)) for model in (old, new)]
    both = [i for i, pair in enumerate(zip(*answers, strict=True)) if all(a.ok for a in pair)]
    if not both:
        raise InputError(f"{path}: holds no example with a level that both models assess.")
    true = np.array([rated[i].ratings[SCALE] for i in both])
    scores = [qwk(true, np.array([given[i].ratings[SCALE].level for i in both]), scale_sizes()[SCALE]) for given in answers]
    return Compared(path, len(both), scores[0], scores[1])


def check_unseen(path: Path, examples: Sequence[Example], training: Sequence[Example]) -> None:
    """InputError when a held-out text is a training text."""
    seen = {" ".join(e.text.split()) for e in training}
    known = sum(" ".join(e.text.split()) in seen for e in examples)
    if known:
        raise InputError(f"{path}: {known} of its texts are in the corpus that the model learns from; a held-out set has none of them.")
