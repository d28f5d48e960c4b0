"""Spans of a text that may show a key, and SpanTagger, which says which of them do (behaviours; again anti-patterns)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.assessment import Finding
from classifier.corpus import Example, Label, level_of
from classifier.document import Segment, cues
from classifier.encoder import TOKEN_FLOOR, Encoding, expit

Floats = NDArray[np.float64]

_MIN_WORDS = 3
_WORD = re.compile(r"\w[\w'’-]*")
_HIGHEST = 3  # token scores that a strength is the mean of
_NEAR = 6  # tokens before and after a span that tell whether it goes on there


@dataclass(frozen=True)
class Span:
    """Words for a key: character offsets and, for candidates, what the confidence is computed from.

    traits : (n_traits,) place of the words in the text (0 to 1), their share of the segment, logarithm of the number of segments; what the words'
        own scores say (`_traits`); the strength of every key in the whole text; the document scores. So the words are judged in their context.
    """

    key: str
    start: int
    end: int
    traits: tuple[float, ...] = ()


def find_spans(text: str, parts: Sequence[Segment], encoding: Encoding, columns: dict[str, int], cut: float, few: int = 0) -> tuple[Span, ...]:
    """Candidates: runs of tokens within one segment with a score (logit) of at least `cut`, trimmed to whole words.

    A run that fills half of its clause, or has `few` words or fewer, is widened to it: readers mark clauses.

    parts : the text's segments
    columns : key -> column of `Encoding.tokens`
    """
    if not len(encoding.tokens):
        return ()
    tokens, whole = encoding.tokens.astype(float), strengths(encoding.tokens)
    starts = np.array([part.start for part in parts])
    segment_of = np.searchsorted(starts, encoding.offsets[:, 0], side="right")
    found = []
    for key, column in columns.items():
        for first, last in _runs(tokens[:, column] >= cut, segment_of):
            segment = parts[segment_of[first] - 1]
            start, end = int(encoding.offsets[first, 0]), int(encoding.offsets[last, 1])
            clause = _clause(text, segment, start, end)
            widened = 2 * (end - start) >= clause[1] - clause[0] or len(_WORD.findall(text, start, end)) <= few
            words = _whole_words(text, *(clause if widened else (start, end)))
            if words is not None:
                inside = np.flatnonzero((encoding.offsets[:, 0] < words[1]) & (encoding.offsets[:, 1] > words[0]))
                # Measured from the first segment to the last, since white space around a text says nothing.
                place = (words[0] - parts[0].start) / (parts[-1].end - parts[0].start)
                share = (words[1] - words[0]) / (segment.end - segment.start)
                within = _traits(tokens, column, inside)
                found.append(Span(key, *words, (place, share, float(np.log(len(parts))), *within, *whole.tolist(), *encoding.document.tolist())))
    return tuple(found)


def strengths(tokens: NDArray[Any]) -> Floats:
    """For each key, the mean of its highest token scores; (n_keys,) from (n_tokens, n_keys)."""
    return np.asarray(np.sort(tokens.astype(float), axis=0)[-_HIGHEST:].mean(axis=0))


def _traits(tokens: Floats, column: int, inside: NDArray[np.intp]) -> list[float]:
    """What the scores of the tokens `inside`, from first to last, say of a span of the key in `column`.

    Its strength, mean, lowest and highest score of its own key; the highest just before it and just after it; the logarithm of its
    number of tokens; its strength for every key.
    """
    own, shown = tokens[inside, column], strengths(tokens[inside])
    before, after = tokens[max(0, inside[0] - _NEAR) : inside[0], column], tokens[inside[-1] + 1 : inside[-1] + 1 + _NEAR, column]
    near = [side.max() if len(side) else TOKEN_FLOOR for side in (before, after)]
    return [float(x) for x in (shown[column], own.mean(), own.min(), own.max(), *near, np.log(len(own)), *shown)]


@dataclass(frozen=True)
class SpanTagger:
    """How sure a candidate is, key by key, and from which confidence on it is a finding.

    weights, intercepts : {key: (n_traits,)}, {key: number} of the logistic regression that gives the confidence
    thresholds : {key: least confidence of a finding}

    A key that had too few examples to be learnt is in none of them, and never found.
    """

    weights: dict[str, tuple[float, ...]]
    intercepts: dict[str, float]
    thresholds: dict[str, float]

    def tag(self, text: str, spans: Sequence[Span], parts: Sequence[Segment]) -> tuple[Finding, ...]:
        """The findings among a text's candidates, in the order of the text; words that are mostly under a surer finding show nothing more.

        Each quotes its whole clause, which reads better and agrees better with what readers mark; the confidence is that of the words
        in it that the candidate had.

        parts : the text's segments
        """
        found = []
        for span in spans:
            if span.key in self.thresholds:
                confidence = self.confidence(span)
                if confidence >= self.thresholds[span.key]:
                    found.append(Finding(span.key, span.start, span.end, text[span.start : span.end], round(confidence, 4)))
        kept: list[Finding] = []
        for finding in sorted(found, key=lambda f: (-f.confidence, f.start, f.key)):
            if all(2 * _common(finding, other) < finding.end - finding.start for other in kept):
                kept.append(finding)
        return tuple(sorted((_of_clause(text, parts, f) for f in kept), key=lambda f: (f.start, f.end, f.key)))

    def confidence(self, span: Span) -> float:
        """Probability that a reader would mark the candidate's words with its key."""
        return float(expit(np.dot(self.weights[span.key], span.traits) + self.intercepts[span.key]))


def located(text: str, labels: Sequence[Label]) -> list[Span]:
    """Where the quotes of labels stand in the text."""
    return [Span(label.key, text.index(label.quote), text.index(label.quote) + len(label.quote)) for label in labels if label.quote in text]


def decisive_marks(example: Example) -> list[Span]:
    """Where the evidence of the text's own level, or of a higher one, stands; none at level 0."""
    level = example.ratings["level"]
    return [mark for mark in located(example.text, example.evidence) if level_of(mark.key) >= level > 0]


def meet(a: Span | Finding, b: Span | Finding) -> bool:
    """Same key, and at least a third of the shorter one is common."""
    common = _common(a, b)
    return a.key == b.key and common > 0 and common * 3 >= min(a.end - a.start, b.end - b.start)


def _common(a: Span | Finding, b: Span | Finding) -> int:
    """Characters that both cover."""
    return max(0, min(a.end, b.end) - max(a.start, b.start))


def _of_clause(text: str, parts: Sequence[Segment], finding: Finding) -> Finding:
    """The finding with its whole clause, without words at the end that belong to what follows it."""
    part = next(part for part in parts if part.start <= finding.start < part.end)
    first, last = _clause(text, part, finding.start, finding.end)
    start, end = _whole_words(text, first, max(last, finding.end)) or (finding.start, finding.end)
    words, dangling = list(_WORD.finditer(text, start, end)), cues("clauses")["dangling"]
    while len(words) > _MIN_WORDS and words[-1].group().lower() in dangling:
        words.pop()
    end = words[-1].end()
    return replace(finding, start=start, end=end, quote=text[start:end])


def _clause(text: str, part: Segment, start: int, end: int) -> tuple[int, int]:
    """From the last beginning of a clause before `start` to the first end of one after `end`, within the segment."""
    borders = [part.start, *(match.end() for match in _borders().finditer(text, part.start, part.end)), part.end]
    return max(border for border in borders if border <= start), min((border for border in borders if border >= end), default=part.end)


@cache
def _borders() -> re.Pattern[str]:
    """Where a clause begins: after a comma and its like, and before a joining word."""
    return re.compile(r"[,;:(]\s+|\s[-–—]\s|—|\s(?=(?:" + "|".join(cues("clauses")["begin"]) + r")\s)", re.IGNORECASE)


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
    """Widened to whole words, without outer punctuation and joining words; None when fewer than three words are left."""
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "'’-"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] in "'’-"):
        end += 1
    words, joining = list(_WORD.finditer(text, start, end)), cues("clauses")["joining"]
    while words and words[-1].group().lower() in joining:
        words.pop()
    while words and words[0].group().lower() in joining:
        words.pop(0)
    return (words[0].start(), words[-1].end()) if len(words) >= _MIN_WORDS else None
