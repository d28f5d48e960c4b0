"""How well a model agrees with readers: on the made corpus with the writer left out, and on examples from elsewhere."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.assessment import Assessment
from classifier.assessor import Assessor, fold_read
from classifier.certainty import certainty
from classifier.corpus import UNGUIDED, Example, pairs, register_of, scale_sizes, writer_groups
from classifier.errors import InputError
from classifier.features import Reading
from classifier.findings import character_f1, finding_calibration, flag_pairs, flag_scores, flagged_lookalikes, level_evidence_f1
from classifier.knockout import knock_out
from classifier.metrics import agreement, calibration_error, confusion, grouped_spearman, interval, partial_correlation, recalls
from classifier.ordinal import OrdinalRegression
from classifier.rows import read_records
from classifier.sections import Figure, Section
from classifier.short_examples import KINDS, outcomes
from classifier.words import words

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
KNOCKED_OUT = 400  # texts by new writers that go through again without their evidence, which takes a tenth of a second each


def evaluate_made(assessor: Assessor, examples: Sequence[Example], readings: Sequence[Reading], folds: int | None = None) -> list[Section]:
    """Figures on the made corpus: heads refitted without the writer, readings by encoders that had not seen the writer.

    Writers that the encoder was not trained on are measured apart.
    """
    everybody = assessor.cross_assess(examples, readings, folds)
    title = "Made corpus, writer left out" if assessor.encoder.unseen_file.is_file() else "Made corpus, by an encoder that may have seen it"
    known = fold_read(assessor.encoder, examples)
    new = sorted(set(range(len(examples))) - set(known))
    others = evaluate_new_writers(assessor, [examples[i] for i in new], [everybody[i] for i in new]) if new else []
    examples, answers = [examples[i] for i in known], [everybody[i] for i in known]
    groups = writer_groups(examples)
    writers = [groups[e.source] for e in examples]
    sections = [*_scale_sections(title, answers, examples, writers)]
    given = np.array([a.ratings["level"].level for a in answers])
    figures = {**_client(answers, examples, writers), **_length(answers, examples), **_ties(examples, given)}
    sections += _unguided(title, answers, examples)
    sections += certainty(title, answers, examples)
    sections.append(Section(f"{title}: client, length, pairs", figures))
    sections.append(_findings(f"{title}: flags and evidence", answers, examples))
    return sections + others + baselines(examples)


def evaluate_examples(assessor: Assessor, examples: Sequence[Example], made: Sequence[Example]) -> list[Section]:
    """Figures on the examples from elsewhere that have a level, and of a model that sees only the length."""
    examples = [e for e in examples if "level" in e.ratings]
    answers = list(assessor.assess_many(e.text for e in examples))
    assessed = [i for i, a in enumerate(answers) if a.ok]
    refused = len(answers) - len(assessed)
    answers, examples = [answers[i] for i in assessed], [examples[i] for i in assessed]
    sections = [*_scale_sections("Examples", answers, examples, None)]
    sections += certainty("Examples", answers, examples)
    false_flags = [any(f.key not in e.flag_keys for f in a.flags) for a, e in zip(answers, examples, strict=True)]
    figures = {**_client(answers, examples, None), **_length(answers, examples), "texts with a false flag": (float(np.mean(false_flags)), None)}
    sections.append(Section("Examples: client, length, flags", figures, (f"{refused} texts were refused",)))
    length = _length_model().fit(_lengths(made), np.array([e.ratings["level"] for e in made]))
    given = np.asarray(length.predict(_lengths(examples)))
    true = np.array([e.ratings["level"] for e in examples])
    return [*sections, Section("Examples: a model that sees only the length", _plain(agreement(true, given, 5)))]


def evaluate_statements(assessor: Assessor, path: Path) -> Section:
    """Spearman correlation of the expected level with the level that each organization gives its own statements."""
    records = [record for _, record in read_records(path)]
    try:
        texts = [str(r["text"]) for r in records]
        levels = np.array([float(r["scale_level"]) for r in records])
        organizations = [str(r["organization"]) for r in records]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not levelled statements, one JSON object a line with text, scale_level and organization ({error!r}).") from error
    readings = assessor.read_unseen(texts)
    answers = list(assessor.assess_readings(readings))
    score = np.array([a.ratings["level"].expected for a in answers])
    figures: dict[str, Figure] = {"mean Spearman over organizations": (grouped_spearman(score, levels, organizations), None)}
    return Section(f"Levelled statements (n = {len(texts)}, {len(set(organizations))} organizations)", figures)


def evaluate_table(assessor: Assessor, path: Path) -> Section:
    """How many of the short texts of tests/examples.toml are found and how many near misses raised, and how many failures are known."""
    tried = list(outcomes(assessor, path))
    figures: dict[str, Figure] = {}
    for kind in KINDS:
        of_kind = [o for o in tried if o.kind == kind]
        wanted, near = sum(len(o.entry["found"]) for o in of_kind), sum(len(o.entry["near_misses"]) for o in of_kind)
        figures[f"{kind}: words found"] = (1 - sum(len(o.missed) for o in of_kind) / wanted, None)
        figures[f"{kind}: raised in near misses"] = (sum(len(o.raised) for o in of_kind) / near, None)
    known = sum(len(o.entry.get(field, [])) for o in tried for field in ("known_missed", "known_raised"))
    now = sum(len(o.missed) + len(o.raised) for o in tried)
    other = [o.entry["key"] for o in tried if not o.as_known]
    summary = f"{now} texts fail; {known} are marked as known failures" + (f"; other than marked: {', '.join(other)}" if other else "")
    return Section(f"Short examples ({path.name})", figures, (summary, *map(str, tried)))


def evaluate_new_writers(assessor: Assessor, examples: Sequence[Example], answers: Sequence[Assessment]) -> list[Section]:
    """Figures on writers whose texts the shipped encoder was not trained on: what it, and not those of the folds, does with new texts.

    answers : of heads that had not seen the writer. The knock-out, which needs altered texts, is by the shipped heads.
    """
    title = f"Writers that the encoder was not trained on ({', '.join(sorted({e.source for e in examples}))})"
    groups = writer_groups(examples)
    sections = [*_scale_sections(title, answers, examples, [groups[e.source] for e in examples], ["level"]), *_unguided(title, answers, examples)]
    sections.append(_findings(f"{title}: flags and evidence", answers, examples))
    found = knock_out(assessor, random.Random(0).sample(examples, min(KNOCKED_OUT, len(examples))))
    figures: dict[str, Figure] = {
        f"evidence taken out: the level falls (n = {found['falls'][1]})": (found["falls"][0], None),
        f"other words taken out: it changes (n = {found['changes'][1]})": (found["changes"][0], None),
    }
    return [*sections, Section(f"{title}: right for the right reason", figures)]


def _unguided(title: str, answers: Sequence[Assessment], examples: Sequence[Example]) -> list[Section]:
    """The level again, on those of the made texts whose writers did not know the guide: readers agree on them as little as on texts by strangers.

    The intervals are over texts, not over writers, who are few.
    """
    of_these = [i for i, e in enumerate(examples) if register_of(e.source) == UNGUIDED]
    return _scale_sections(f"{title}, {UNGUIDED}", [answers[i] for i in of_these], [examples[i] for i in of_these], None, ["level"])


def baselines(examples: Sequence[Example]) -> list[Section]:
    """What a model that sees only the length, and the majority level, reach on the made corpus."""
    true = np.array([e.ratings["level"] for e in examples])
    groups = writer_groups(examples)
    writers = [groups[e.source] for e in examples]
    given = cross_val_predict(_length_model(), _lengths(examples), true, cv=GroupKFold(min(5, len(set(writers)))), groups=writers)
    majority = np.full_like(true, np.bincount(true).argmax())
    return [
        Section("Made corpus: a model that sees only the length", _plain(agreement(true, given, 5))),
        Section(f"Made corpus: always level {majority[0]}", _plain(agreement(true, majority, 5))),
    ]


def _scale_sections(
    title: str, answers: Sequence[Assessment], examples: Sequence[Example], writers: Sequence[str] | None, scales: Collection[str] | None = None
) -> list[Section]:
    """A section for each of these scales, or for all."""
    sections = []
    for scale, size in scale_sizes().items():
        if scales is not None and scale not in scales:
            continue
        rated = [i for i, e in enumerate(examples) if scale in e.ratings and scale in answers[i].ratings]
        if not rated:
            continue
        true = np.array([examples[i].ratings[scale] for i in rated])
        ratings = [answers[i].ratings[scale] for i in rated]
        given = np.array([r.level for r in ratings])
        groups = None if writers is None else [writers[i] for i in rated]
        figures = _agreement(true, given, size, groups)
        probabilities = np.array([r.probabilities for r in ratings])
        figures["calibration error (ECE)"] = (calibration_error(probabilities.max(1), probabilities.argmax(1) == true), None)
        figures["level set covers"] = (float(np.mean([t in r.level_set for t, r in zip(true, ratings, strict=True)])), None)
        figures["level set mean size"] = (float(np.mean([len(r.level_set) for r in ratings])), None)
        recall = ", ".join(f"{k}: {r:.2f}" for k, r in enumerate(recalls(true, given, size)))
        table = [" ".join(f"{count:5d}" for count in row) for row in confusion(true, given, size)]
        sections.append(Section(f"{title}: {scale} (n = {len(true)})", figures, (f"recall by level  {recall}", "confusion (rows true, columns given)", *table)))
    return sections


def _agreement(true: Ints, given: Ints, size: int, writers: Sequence[str] | None) -> dict[str, Figure]:
    values = agreement(true, given, size)
    lows, highs = interval(lambda i: list(agreement(true[i], given[i], size).values()), len(true), writers)
    return {name: (value, (low, high)) for (name, value), low, high in zip(values.items(), lows, highs, strict=True)}


def _findings(title: str, answers: Sequence[Assessment], examples: Sequence[Example]) -> Section:
    texts = [e.text for e in examples]
    figures: dict[str, Figure] = {}
    lines = []
    for key, (precision, recall, f1) in flag_scores(answers, examples).items():
        if key == "all":
            figures |= _plain({"flags: precision per text and key": precision, "flags: recall": recall, "flags: F1": f1})
        else:
            lines.append(f"flag {key:<26} precision {precision:.2f}  recall {recall:.2f}  F1 {f1:.2f}")
    figures |= _plain(
        {
            "flags: character F1": character_f1([a.flags for a in answers], [e.flags for e in examples], texts),
            "look-alikes flagged": flagged_lookalikes(answers, examples),
            "pairs: flag in the one, not in the other": flag_pairs(answers, examples),
            "evidence: character F1, exact behaviour": character_f1([a.evidence for a in answers], [e.evidence for e in examples], texts),
            **{f"evidence: character F1, level {k} or higher": level_evidence_f1(answers, examples, k) for k in (1, 2, 3, 4)},
            "flags: calibration error (ECE)": finding_calibration([a.flags for a in answers], [e.flags for e in examples], texts),
            "evidence: calibration error (ECE)": finding_calibration([a.evidence for a in answers], [e.evidence for e in examples], texts),
        }
    )
    looked = [i for i, e in enumerate(examples) if e.means is not None]
    if looked:
        means = character_f1([answers[i].means for i in looked], [examples[i].means or () for i in looked], [texts[i] for i in looked])
        figures |= _plain({"opposite conduct: character F1": means})
    return Section(title, figures, tuple(lines))


def _client(answers: Sequence[Assessment], examples: Sequence[Example], writers: Sequence[str] | None) -> dict[str, Figure]:
    known = [i for i, e in enumerate(examples) if e.client]
    if not known:
        return {}
    right = np.array([client is not None and client.value == examples[i].client for i in known for client in [answers[i].client]])
    low, high = interval(lambda i: float(right[i].mean()), len(right), None if writers is None else [writers[i] for i in known])
    return {"client accuracy": (float(right.mean()), (low, high))}


def _length(answers: Sequence[Assessment], examples: Sequence[Example]) -> dict[str, Figure]:
    level = np.array([e.ratings["level"] for e in examples], dtype=float)
    score = np.array([a.ratings["level"].expected for a in answers])
    return {"partial r (score, length | level)": (partial_correlation(score, _lengths(examples)[:, 0], level), None)}


def _ties(examples: Sequence[Example], given: Ints) -> dict[str, Figure]:
    """Pairs with both levels right; rewrites that got the level of their original."""
    position = {e.id: i for i, e in enumerate(examples)}
    both = [all(given[i] == examples[i].ratings["level"] for i in members) for members in pairs(examples)]
    same = [given[i] == given[position[e.rewrites]] for i, e in enumerate(examples) if e.rewrites in position]
    figures: dict[str, Figure] = {}
    if both:
        figures[f"pairs with both right (n = {len(both)})"] = (float(np.mean(both)), None)
    if same:
        figures[f"rewrites with the same level (n = {len(same)})"] = (float(np.mean(same)), None)
    return figures


def _length_model() -> Any:
    return make_pipeline(StandardScaler(), OrdinalRegression(levels=tuple(range(5))))


def _lengths(examples: Sequence[Example]) -> Floats:
    return np.array([[np.log(max(len(words(e.text)), 1))] for e in examples])


def _plain(values: Mapping[str, float]) -> dict[str, Figure]:
    return {name: (value, None) for name, value in values.items()}
