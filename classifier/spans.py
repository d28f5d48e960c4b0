"""Spans of a text that may show a key, and SpanTagger, which learns which of them do (behaviours; again anti-patterns)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifier.assessment import Finding
from classifier.corpus import Label
from classifier.document import segments
from classifier.encoder import Encoding

Floats = NDArray[np.float64]

# Smoothed token score (logit) from which a token belongs to a span: the value of best character F1 on writers left out.
CUT = -1.0
_MIN_WORDS = 3
_WORD = re.compile(r"\w[\w'’-]*")
_UNLEARNT = 1.1  # a threshold that no confidence reaches


@dataclass(frozen=True)
class Span:
    """Candidate words for a key: character offsets, and the mean token score (logit) over them."""

    key: str
    start: int
    end: int
    strength: float


def find_spans(text: str, encoding: Encoding, columns: dict[str, int]) -> tuple[Span, ...]:
    """Candidates: runs of tokens within one segment whose smoothed score passes CUT, trimmed to whole words.

    columns : key -> column of `Encoding.tokens`.
    """
    if not len(encoding.tokens):
        return ()
    starts = np.array([segment.start for segment in segments(text)])
    segment_of = np.searchsorted(starts, encoding.offsets[:, 0], side="right")
    found = []
    for key, column in columns.items():
        scores = encoding.tokens[:, column].astype(float)
        for first, last in _runs(_smoothed(scores) >= CUT, segment_of):
            words = _whole_words(text, int(encoding.offsets[first, 0]), int(encoding.offsets[last, 1]))
            if words is not None:
                found.append(Span(key, *words, float(scores[first : last + 1].mean())))
    return tuple(found)


def strengths(encoding: Encoding, columns: dict[str, int]) -> list[float]:
    """Highest smoothed token score of each key, in the order of `columns`."""
    if not len(encoding.tokens):
        return [-6.0] * len(columns)
    return [float(_smoothed(encoding.tokens[:, column].astype(float)).max()) for column in columns.values()]


class SpanTagger:
    """Learns, key by key, how sure a candidate is, and from which confidence on it is a finding.

    A logistic curve over the strength gives the confidence (the probability that a reader marked these words with this
    key); the threshold is the one of highest F1 per text among those with the wanted precision. Both want spans by
    encoders that had not seen the writer.

    Parameters
    ----------
    keys : the keys to tag
    min_precision : precision per text and key that a threshold should have on the training examples, where any has

    Attributes
    ----------
    curves_ : {key: (slope, intercept)} of the confidence
    thresholds_ : {key: least confidence of a finding}; above 1 where there were too few examples to learn the key
    """

    def __init__(self, keys: Sequence[str], min_precision: float) -> None:
        self.keys = tuple(keys)
        self.min_precision = min_precision

    def fit(self, texts: Sequence[str], spans: Sequence[Sequence[Span]], labels: Sequence[Sequence[Label]]) -> SpanTagger:
        """Learn from texts with their candidates and the quotes that readers marked, all of the same length."""
        self.curves_ = dict.fromkeys(self.keys, (0.0, 0.0))
        self.thresholds_ = dict.fromkeys(self.keys, _UNLEARNT)
        found: dict[str, list[tuple[float, bool, int]]] = {key: [] for key in self.keys}
        positives = dict.fromkeys(self.keys, 0)
        for number, (text, candidates, marks) in enumerate(zip(texts, spans, labels, strict=True)):
            truth = located(text, marks)
            for key in {span.key for span in truth} & found.keys():
                positives[key] += 1
            for span in candidates:
                if span.key in found:
                    found[span.key].append((span.strength, any(meet(span, mark) for mark in truth), number))
        for key, candidates_of_key in found.items():
            hits = np.array([hit for _, hit, _ in candidates_of_key], dtype=bool)
            if hits.sum() < 5 or hits.all():
                continue
            curve = LogisticRegression(C=10.0).fit(np.array([[strength] for strength, _, _ in candidates_of_key]), hits)
            self.curves_[key] = float(curve.coef_[0, 0]), float(curve.intercept_[0])
            self.thresholds_[key] = self.confidence(key, self._least_strength(candidates_of_key, positives[key])) - 1e-9
        return self

    def _least_strength(self, found: list[tuple[float, bool, int]], positives: int) -> float:
        best: dict[int, tuple[float, bool]] = {}
        for strength, hit, text in found:
            best[text] = max(best.get(text, (-np.inf, False)), (strength, hit))
        options, true = [], 0
        for count, (strength, hit) in enumerate(sorted(best.values(), reverse=True), 1):
            true += hit
            precision, recall = true / count, true / max(positives, 1)
            options.append((precision >= self.min_precision and count >= 5, 2 * precision * recall / max(precision + recall, 1e-9), strength))
        return max(options)[2]

    def tag(self, text: str, spans: Sequence[Span]) -> tuple[Finding, ...]:
        """The findings among a text's candidates, in the order of the text."""
        found = []
        for span in spans:
            confidence = self.confidence(span.key, span.strength)
            if confidence >= self.thresholds_[span.key]:
                found.append(Finding(span.key, span.start, span.end, text[span.start : span.end], round(confidence, 4)))
        return tuple(sorted(found, key=lambda finding: (finding.start, finding.end, finding.key)))

    def confidence(self, key: str, strength: float) -> float:
        """Probability that a reader would mark words of this strength with this key."""
        slope, intercept = self.curves_[key]
        return float(1 / (1 + np.exp(-(slope * strength + intercept))))


def located(text: str, labels: Sequence[Label]) -> list[Span]:
    """Where the quotes of labels stand in the text."""
    return [Span(label.key, text.index(label.quote), text.index(label.quote) + len(label.quote), 0.0) for label in labels if label.quote in text]


def meet(a: Span | Finding, b: Span | Finding) -> bool:
    """Same key, and at least a third of the shorter one is common."""
    common = min(a.end, b.end) - max(a.start, b.start)
    return a.key == b.key and common > 0 and common * 3 >= min(a.end - a.start, b.end - b.start)


def _smoothed(scores: Floats) -> Floats:
    """Mean over five tokens."""
    if len(scores) < 5:
        return scores
    sums = np.cumsum(np.concatenate([[0.0], np.pad(scores, 2, mode="edge")]))
    return np.asarray((sums[5:] - sums[:-5]) / 5)


def _runs(on: NDArray[np.bool_], segment_of: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and last index of each run of True within one segment; gaps of up to two tokens are bridged."""
    first = last = -1
    for index in map(int, np.flatnonzero(on)):
        if first >= 0 and index - last <= 3 and segment_of[index] == segment_of[first]:
            last = index
            continue
        if first >= 0:
            yield first, last
        first = last = index
    if first >= 0:
        yield first, last


def _whole_words(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Widened to whole words, without outer punctuation; None when fewer than three words are left."""
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "'’-"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] in "'’-"):
        end += 1
    words = list(_WORD.finditer(text, start, end))
    return (words[0].start(), words[-1].end()) if len(words) >= _MIN_WORDS else None
