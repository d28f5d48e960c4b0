"""How well a model agrees with readers: on the made corpus with the writer left out, and on examples from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.assessor import Assessor
from classifier.conformal import level_set
from classifier.corpus import CLIENTS, Example, writer_groups
from classifier.document import words
from classifier.encoder import Encoding
from classifier.metrics import agreement, calibration_error, confusion, interval, partial_correlation, recalls
from classifier.ordinal import OrdinalRegression

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Section:
    """One table of a report: a title, named figures (value, and 95 % interval where there is one), and lines of text."""

    title: str
    figures: dict[str, tuple[float, tuple[float, float] | None]] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [self.title, "-" * len(self.title)]
        for name, (value, bounds) in self.figures.items():
            rows.append(f"  {name:<34} {value:7.3f}" + (f"   [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""))
        return "\n".join([*rows, *(f"  {line}" for line in self.lines)])


def median_level(probabilities: Floats) -> Ints:
    """The level with the least expected absolute error, for each row."""
    return np.asarray(np.argmax(np.cumsum(probabilities, axis=1) >= 0.5 - 1e-12, axis=1))


def level_section(title: str, true: Ints, probabilities: Floats, mass: float, groups: Sequence[str] | None = None) -> Section:
    """Agreement with intervals, calibration, coverage of the level sets, recall by level and the confusion matrix."""
    size = probabilities.shape[1]
    given = median_level(probabilities)
    figures: dict[str, tuple[float, tuple[float, float] | None]] = {}
    for name, value in agreement(true, given, size).items():
        bounds = interval(lambda i, name=name: agreement(true[i], given[i], size)[name], len(true), groups)  # type: ignore[misc]
        figures[name] = (value, bounds)
    sets = [level_set(row, mass) for row in probabilities]
    chosen = probabilities.argmax(axis=1)
    figures["calibration error (ECE)"] = (calibration_error(probabilities.max(axis=1), chosen == true), None)
    figures["level set covers"] = (float(np.mean([t in s for t, s in zip(true, sets, strict=True)])), None)
    figures["level set mean size"] = (float(np.mean([len(s) for s in sets])), None)
    recall = ", ".join(f"{k}: {r:.2f}" for k, r in enumerate(recalls(true, given, size)))
    table = ["confusion (rows true, columns given)", *(" ".join(f"{c:5d}" for c in row) for row in confusion(true, given, size))]
    return Section(f"{title} (n = {len(true)})", figures, (f"recall by level  {recall}", *table))


def evaluate_made(assessor: Assessor, examples: Sequence[Example], encodings: Sequence[Encoding], folds: int | None = None) -> list[Section]:
    """Leave-one-writer-out figures on the made corpus: heads refitted, encodings by encoders that had not seen the writer."""
    unseen = assessor.cross_predict(examples, encodings, folds)
    groups = writer_groups(examples)
    writers = [groups[e.source] for e in examples]
    sections = []
    for scale in assessor.scales:
        rated = [i for i, e in enumerate(examples) if scale in e.ratings]
        if rated:
            true = np.array([examples[i].ratings[scale] for i in rated])
            title = f"Made corpus, writer left out: {scale}"
            sections.append(level_section(title, true, unseen[scale][rated], assessor.mass[scale], [writers[i] for i in rated]))
    known = [i for i, e in enumerate(examples) if e.client]
    right = [CLIENTS[int(unseen["client"][i].argmax())] == examples[i].client for i in known]
    given = median_level(unseen["level"])
    true = np.array([e.ratings["level"] for e in examples])
    sections.append(
        Section(
            "Made corpus, writer left out: other",
            {"client accuracy": (float(np.mean(right)), None), **_ties(examples, given), **_length(true, unseen["level"], examples)},
        )
    )
    return sections + baselines(examples)


def evaluate_examples(assessor: Assessor, examples: Sequence[Example], encodings: Sequence[Encoding], made: Sequence[Example]) -> list[Section]:
    """Figures on labelled examples from elsewhere, and of the model that sees only the length."""
    probabilities = assessor.probabilities([e.text for e in examples], encodings)
    sections = []
    for scale in assessor.scales:
        rated = [i for i, e in enumerate(examples) if scale in e.ratings]
        if rated:
            true = np.array([examples[i].ratings[scale] for i in rated])
            sections.append(level_section(f"Examples: {scale}", true, probabilities[scale][rated], assessor.mass[scale]))
    figures: dict[str, Any] = {}
    known = [i for i, e in enumerate(examples) if e.client]
    if known:
        right = np.array([CLIENTS[int(probabilities["client"][i].argmax())] == examples[i].client for i in known])
        figures["client accuracy"] = (float(right.mean()), interval(lambda i: float(right[i].mean()), len(right)))
    true = np.array([e.ratings["level"] for e in examples])
    figures |= _length(true, probabilities["level"], examples)
    answers = assessor.assess_encoded([e.text for e in examples], encodings)
    false_alarms = [any(f.key not in e.flag_keys for f in a.flags) for a, e in zip(answers, examples, strict=True)]
    figures["texts with a false flag"] = (float(np.mean(false_alarms)), None)
    sections.append(Section("Examples: other", figures))
    length = _length_model().fit(_lengths(made), np.array([e.ratings["level"] for e in made]))
    given = np.asarray(length.predict(_lengths(examples)))
    sections.append(Section("Examples: a model that sees only the length", {k: (v, None) for k, v in agreement(true, given, 5).items()}))
    return sections


def baselines(examples: Sequence[Example]) -> list[Section]:
    """What a model that sees only the length, and the majority level, reach on the made corpus."""
    true = np.array([e.ratings["level"] for e in examples])
    groups = writer_groups(examples)
    writers = [groups[e.source] for e in examples]
    folds = GroupKFold(min(5, len(set(writers))))
    given = cross_val_predict(_length_model(), _lengths(examples), true, cv=folds, groups=writers)
    majority = np.full_like(true, np.bincount(true).argmax())
    return [
        Section("Made corpus: a model that sees only the length", {k: (v, None) for k, v in agreement(true, given, 5).items()}),
        Section(f"Made corpus: always level {majority[0]}", {k: (v, None) for k, v in agreement(true, majority, 5).items()}),
    ]


def _length_model() -> Any:
    return make_pipeline(StandardScaler(), OrdinalRegression(levels=tuple(range(5))))


def _lengths(examples: Sequence[Example]) -> Floats:
    return np.array([[np.log(max(len(words(e.text)), 1))] for e in examples])


def _length(true: Ints, probabilities: Floats, examples: Sequence[Example]) -> dict[str, tuple[float, None]]:
    score = probabilities @ np.arange(probabilities.shape[1])
    return {"partial r (score, length | level)": (partial_correlation(score, _lengths(examples)[:, 0], true.astype(float)), None)}


def _ties(examples: Sequence[Example], given: Ints) -> dict[str, tuple[float, None]]:
    """Pairs with both levels right; rewrites that got the level of their original."""
    position = {e.id: i for i, e in enumerate(examples)}
    pairs: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        if example.pair:
            pairs.setdefault(f"{example.source} {example.pair}", []).append(i)
    both = [all(given[i] == examples[i].ratings["level"] for i in members) for members in pairs.values() if len(members) == 2]
    same = [given[i] == given[position[e.rewrites]] for i, e in enumerate(examples) if e.rewrites in position]
    found = {}
    if both:
        found[f"pairs with both right (n = {len(both)})"] = (float(np.mean(both)), None)
    if same:
        found[f"rewrites with the same level (n = {len(same)})"] = (float(np.mean(same)), None)
    return found
