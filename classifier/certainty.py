"""How far a level and its certainty can be believed: agreement beyond the readers' own error, and what is gained by asking only the surest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifier.assessment import Assessment
from classifier.corpus import Example
from classifier.metrics import Floats, Ints, moments_apart, prmse, risk_coverage
from classifier.sections import RELIABILITY, Figure, Section
from classifier.words import words

BINS = 10
_STEPS = 20  # points of the risk-coverage curve that are printed


def certainty(title: str, answers: Sequence[Assessment], examples: Sequence[Example]) -> list[Section]:
    """Mean and spread against the readers', PRMSE where two read, risk by coverage; then confidence against what came true, by level and length."""
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
    confidence = np.array([r.probabilities[r.level] for r in ratings])
    curve = risk_coverage(confidence, given != true)
    figures["area under the risk-coverage curve"] = (float(np.mean([risk for _, risk in curve])), None)
    covered = np.array([t in r.level_set for t, r in zip(true, ratings, strict=True)])
    by_level = "level set covers, by readers' level  " + ", ".join(f"{k}: {covered[true == k].mean():.2f}" for k in np.unique(true))
    risk = tuple(curve[max(round(step / _STEPS * len(curve)), 1) - 1] for step in range(1, _STEPS + 1))
    right = given == true

    def row(name: str, of: Ints) -> str:
        return f"{name:<24} {confidence[of].mean():10.2f} {right[of].mean():6.2f} {covered[of].mean():8.2f} {len(of):6d}"

    lengths = np.array([len(words(e.text)) for e in examples])
    rows = [
        f"{'':<24} {'confidence':>10} {'right':>6} {'covered':>8} {'n':>6}",
        *(row(f"level {k} given", np.flatnonzero(given == k)) for k in np.unique(given)),
        *(row(f"{lengths[third].min()} to {lengths[third].max()} words", third) for third in _parts(lengths, 3)),
        row("all", np.arange(len(true))),
        "confidence: mean probability of the level given; covered: the readers' level is among the plausible ones",
    ]
    reliability = tuple((float(confidence[part].mean()), float(right[part].mean())) for part in _parts(confidence, BINS))
    return [
        Section(f"{title}: certainty", figures, (by_level,), {"share wrong (up) by share answered (right)": risk}),
        Section(f"{title}: calibration", {}, tuple(rows), {RELIABILITY: reliability}),
    ]


def _parts(values: Floats | Ints, number: int) -> list[Ints]:
    """Positions in so many parts of equal count, from the lowest values to the highest."""
    return [part for part in np.array_split(np.argsort(values, kind="stable"), number) if len(part)]
