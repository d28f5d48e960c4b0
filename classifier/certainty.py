"""How far a level and its certainty can be believed: agreement beyond the readers' own error, and what is gained by asking only the surest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifier.assessment import Assessment
from classifier.corpus import Example
from classifier.metrics import Floats, moments_apart, prmse, risk_coverage
from classifier.sections import Figure, Section
from classifier.words import words

COVERAGES = (0.25, 0.5, 0.75, 1.0)


def certainty(title: str, answers: Sequence[Assessment], examples: Sequence[Example]) -> Section:
    """Mean and spread against the readers', PRMSE where two read, coverage of the level set by level and length, risk by coverage."""
    ratings = [a.ratings["level"] for a in answers]
    true = np.array([e.ratings["level"] for e in examples])
    score = np.array([r.expected for r in ratings])
    difference, ratio = moments_apart(true, score)
    figures: dict[str, Figure] = {
        "expected level: standardized mean difference": (difference, None),
        "expected level: ratio of standard deviations": (ratio, None),
    }
    twice = [i for i, e in enumerate(examples) if len(e.readers) == 2]
    if len(twice) > 2:
        figures[f"PRMSE (n = {len(twice)} read twice)"] = (prmse(np.array([examples[i].readers for i in twice], float), score[twice]), None)
    # Sure of an answer is who gives it a high probability; the level given is the median, which need not be the likeliest.
    given = np.array([r.level for r in ratings])
    curve = risk_coverage(np.array([r.probabilities[r.level] for r in ratings]), given != true)
    figures["area under the risk-coverage curve"] = (float(np.mean([risk for _, risk in curve])), None)
    covered = np.array([t in r.level_set for t, r in zip(true, ratings, strict=True)])
    lines = (
        "wrong when only the surest are answered  " + ", ".join(f"{c:.0%}: {curve[max(round(c * len(curve)), 1) - 1][1]:.2f}" for c in COVERAGES),
        "level set covers, by level   " + ", ".join(f"{k}: {covered[true == k].mean():.2f}" for k in np.unique(true)),
        "level set covers, by length  " + _by_length(covered.astype(float), examples),
        "right, by length             " + _by_length((given == true).astype(float), examples),
    )
    return Section(f"{title}: certainty", figures, lines, {"share wrong (up) by share answered (right)": tuple(curve)})


def _by_length(values: Floats, examples: Sequence[Example]) -> str:
    """The mean in each third of the texts by number of words."""
    lengths = np.array([len(words(e.text)) for e in examples])
    thirds = np.array_split(np.argsort(lengths, kind="stable"), 3)
    return ", ".join(f"{lengths[part].min()} to {lengths[part].max()} words: {values[part].mean():.2f}" for part in thirds if len(part))
