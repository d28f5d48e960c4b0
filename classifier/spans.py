"""SpanTagger: finds the words that show a behaviour, and, as a second instance, those that show an anti-pattern."""

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

_SMOOTHING = np.ones(5) / 5
_WORD_EDGE = re.compile(r"\w[\w'’-]*")
_MIN_WORDS = 3


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    column: int
    strength: float


class SpanTagger:
    """Turns the encoder's token scores into spans with a key and a calibrated confidence.

    A span is a run of tokens within one segment whose smoothed score passes `cut`, trimmed to whole words. Its strength
    is the mean score of the run. Per key, a logistic curve over strength gives the confidence, and a threshold on it
    decides; both are learnt from encodings by encoders that had not seen the writer.

    Parameters
    ----------
    keys : the keys to tag, a subset of the encoder's
    columns : column of each key in `Encoding.tokens`
    min_precision : thresholds are the lowest of highest F1 among those with at least this precision per key

    Attributes
    ----------
    cut_ : float, token score at which a run begins
    curves_ : (n_keys, 2) slope and intercept of the confidence
    thresholds_ : (n_keys,) least confidence of a finding; above 1 where a key could not be learnt
    """

    def __init__(self, keys: Sequence[str], columns: Sequence[int], min_precision: float = 0.7) -> None:
        self.keys = tuple(keys)
        self.columns = tuple(columns)
        self.min_precision = min_precision

    def fit(self, texts: Sequence[str], encodings: Sequence[Encoding], labels: Sequence[Sequence[Label]]) -> SpanTagger:
        """Learn cut, confidence and thresholds from texts with their marked quotes."""
        truth = [_located(text, marks, self.keys) for text, marks in zip(texts, labels, strict=True)]
        ends = [segments(text) for text in texts]
        boundaries = [np.array([(s.start, s.end) for s in found]).reshape(-1, 2) for found in ends]
        self.cut_ = max(
            (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5),
            key=lambda cut: _overlap(
                [[s for s in self._runs(t, e, b, cut) if s.strength > cut + 0.5] for t, e, b in zip(texts, encodings, boundaries, strict=True)], truth
            ),
        )
        spans = [self._runs(t, e, b, self.cut_) for t, e, b in zip(texts, encodings, boundaries, strict=True)]
        self.curves_ = np.zeros((len(self.keys), 2))
        self.thresholds_ = np.full(len(self.keys), 1.1)
        for column in range(len(self.keys)):
            found = [
                (s.strength, any(_meet(s, t) for t in marks), i)
                for i, (runs, marks) in enumerate(zip(spans, truth, strict=True))
                for s in runs
                if s.column == column
            ]
            hits = np.array([hit for _, hit, _ in found], dtype=bool)
            if hits.sum() < 5 or hits.all():
                continue
            curve = LogisticRegression(C=10.0).fit(np.array([[s] for s, _, _ in found]), hits)
            self.curves_[column] = curve.coef_[0, 0], curve.intercept_[0]
            positives = sum(any(t.column == column for t in marks) for marks in truth)
            self.thresholds_[column] = self._threshold(column, found, positives)
        return self

    def _threshold(self, column: int, found: list[tuple[float, bool, int]], positives: int) -> float:
        """The threshold of highest F1 per text and key, among those with the wanted precision where there are any."""
        best: dict[int, tuple[float, bool]] = {}
        for strength, hit, text in found:
            if text not in best or strength > best[text][0]:
                best[text] = (strength, hit)
        ranked = sorted(best.values(), reverse=True)
        options = []
        true = 0
        for count, (strength, hit) in enumerate(ranked, 1):
            true += hit
            precision, recall = true / count, true / max(positives, 1)
            options.append((precision >= self.min_precision, 2 * precision * recall / max(precision + recall, 1e-9), strength))
        return float(self._confidence(column, max(options)[2]) - 1e-9)

    def tag(self, text: str, encoding: Encoding) -> tuple[Finding, ...]:
        """Findings of one text, in the order of their start; of overlapping ones with one key the surest stays."""
        boundaries = np.array([(s.start, s.end) for s in segments(text)]).reshape(-1, 2)
        found = []
        for span in self._runs(text, encoding, boundaries, self.cut_):
            confidence = self._confidence(span.column, span.strength)
            if confidence >= self.thresholds_[span.column]:
                quote = text[span.start : span.end]
                found.append(Finding(self.keys[span.column], span.start, span.end, quote, round(float(confidence), 4)))
        return tuple(sorted(found, key=lambda f: (f.start, f.end, f.key)))

    def strengths(self, encoding: Encoding) -> Floats:
        """Highest smoothed token score of each key, shape (n_keys,): evidence as the level models see it."""
        scores = _smooth(encoding.tokens[:, self.columns].astype(float))
        return scores.max(axis=0) if len(scores) else np.full(len(self.keys), -8.0)

    def _confidence(self, column: int, strength: float) -> float:
        slope, intercept = self.curves_[column]
        return float(1 / (1 + np.exp(-(slope * strength + intercept))))

    def _runs(self, text: str, encoding: Encoding, boundaries: NDArray[np.int64], cut: float) -> list[_Span]:
        raw = encoding.tokens[:, self.columns].astype(float)
        if not len(raw) or not len(boundaries):
            return []
        smooth = _smooth(raw)
        segment = np.searchsorted(boundaries[:, 0], encoding.offsets[:, 0], side="right") - 1
        spans = []
        for column in np.flatnonzero((smooth >= cut).any(axis=0)):
            for first, last in _true_runs(smooth[:, column] >= cut, segment):
                start, end = int(encoding.offsets[first, 0]), int(encoding.offsets[last, 1])
                trimmed = _trim(text, start, end)
                if trimmed is not None:
                    spans.append(_Span(*trimmed, int(column), float(raw[first : last + 1, column].mean())))
        return spans


def _smooth(scores: Floats) -> Floats:
    if len(scores) < len(_SMOOTHING):
        return scores
    padded = np.pad(scores, ((2, 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros((1, scores.shape[1])), padded]), axis=0)
    return np.asarray((sums[5:] - sums[:-5]) / 5)


def _true_runs(on: NDArray[np.bool_], segment: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and last index of each run of True within one segment; gaps of up to two tokens are bridged."""
    first = last = -1
    for index in np.flatnonzero(on):
        if first >= 0 and index - last <= 3 and segment[index] == segment[first]:
            last = int(index)
            continue
        if first >= 0:
            yield first, last
        first = last = int(index)
    if first >= 0:
        yield first, last


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Widen to whole words and drop outer punctuation; None when fewer than three words are left."""
    found = [m for m in _WORD_EDGE.finditer(text, max(0, start - 30), min(len(text), end + 30)) if m.end() > start and m.start() < end]
    if len(found) < _MIN_WORDS:
        return None
    first = found[0].start()
    while first > 0 and (text[first - 1].isalnum() or text[first - 1] in "'’-"):
        first -= 1
    return first, found[-1].end()


def _located(text: str, labels: Sequence[Label], keys: tuple[str, ...]) -> list[_Span]:
    return [
        _Span(text.index(label.quote), text.index(label.quote) + len(label.quote), keys.index(label.key), 1.0)
        for label in labels
        if label.key in keys and label.quote in text
    ]


def _meet(a: _Span, b: _Span) -> bool:
    """Same key, and at least a third of the shorter span is common."""
    common = min(a.end, b.end) - max(a.start, b.start)
    return a.column == b.column and common * 3 >= min(a.end - a.start, b.end - b.start)


def _overlap(found: list[list[_Span]], truth: list[list[_Span]]) -> float:
    """Character F1 over all texts and keys."""
    common = total = 0
    for spans, marks in zip(found, truth, strict=True):
        mine = {(s.column, c) for s in spans for c in range(s.start, s.end)}
        theirs = {(s.column, c) for s in marks for c in range(s.start, s.end)}
        common += len(mine & theirs)
        total += len(mine) + len(theirs)
    return 2 * common / max(total, 1)
