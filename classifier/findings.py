"""How well found words agree with the words that readers marked: flags, look-alikes, evidence and opposite conduct."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifier.assessment import Assessment, Finding
from classifier.corpus import Example, Label, level_of, pairs
from classifier.metrics import calibration_error, precision_recall_f1
from classifier.spans import Span, located, meet


def flag_scores(answers: Sequence[Assessment], examples: Sequence[Example]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 per text and key: {"all": …, key: …}; a key counts once a text, and is there where it was found or marked in any."""
    keys = sorted({flag.key for source in (answers, examples) for one in source for flag in one.flags})
    scores = {}
    for name, chosen in (("all", keys), *((key, [key]) for key in keys)):
        found = wanted = right = 0
        for answer, example in zip(answers, examples, strict=True):
            mine, theirs = {f.key for f in answer.flags} & set(chosen), {f.key for f in example.flags} & set(chosen)
            found, wanted, right = found + len(mine), wanted + len(theirs), right + len(mine & theirs)
        scores[name] = precision_recall_f1(right, found, wanted)
    return scores


def flagged_lookalikes(answers: Sequence[Assessment], examples: Sequence[Example]) -> float:
    """Share of the look-alikes on whose words a flag of their key was raised; NaN without any."""
    hit = []
    for answer, example in zip(answers, examples, strict=True):
        for mark in located(example.text, example.lookalikes):
            hit.append(any(meet(flag, mark) for flag in answer.flags))
    return sum(hit) / len(hit) if hit else float("nan")


def flag_pairs(answers: Sequence[Assessment], examples: Sequence[Example]) -> float:
    """Share of the flags that readers gave to one text of a pair only which were found there and not in the other; NaN without any."""
    right = []
    for one, other in pairs(examples):
        for holds, lacks in ((one, other), (other, one)):
            for key in {f.key for f in examples[holds].flags} - {f.key for f in examples[lacks].flags}:
                right.append(any(f.key == key for f in answers[holds].flags) and all(f.key != key for f in answers[lacks].flags))
    return sum(right) / len(right) if right else float("nan")


def character_f1(found: Sequence[Sequence[Finding]], marked: Sequence[Sequence[Label]], texts: Sequence[str], *, by_key: bool = True) -> float:
    """F1 over characters (and keys) of all texts together, as in SemEval-2021 task 5 but micro-averaged."""
    common = mine = theirs = 0
    for spans, labels, text in zip(found, marked, texts, strict=True):
        a, b = _characters(spans, by_key), _characters(located(text, labels), by_key)
        common, mine, theirs = common + len(a & b), mine + len(a), theirs + len(b)
    return precision_recall_f1(common, mine, theirs)[2]


def level_evidence_f1(answers: Sequence[Assessment], examples: Sequence[Example], level: int) -> float:
    """Character F1 of "these words show a behaviour of this level or higher"."""
    return character_f1(
        [[f for f in a.evidence if level_of(f.key) >= level] for a in answers],
        [[label for label in e.evidence if level_of(label.key) >= level] for e in examples],
        [e.text for e in examples],
        by_key=False,
    )


def finding_calibration(found: Sequence[Sequence[Finding]], marked: Sequence[Sequence[Label]], texts: Sequence[str]) -> float:
    """Expected calibration error of the findings' confidence; one is right where it meets a mark of its key (`spans.meet`). NaN without any."""
    confidence, right = [], []
    for findings, labels, text in zip(found, marked, texts, strict=True):
        marks = located(text, labels)
        confidence += [f.confidence for f in findings]
        right += [any(meet(f, mark) for mark in marks) for f in findings]
    return calibration_error(np.array(confidence), np.array(right)) if right else float("nan")


def _characters(spans: Sequence[Finding | Span], by_key: bool) -> set[tuple[str, int]]:
    return {(span.key if by_key else "", position) for span in spans for position in range(span.start, span.end)}
